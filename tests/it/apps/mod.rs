//! Real applications, as their users run them: gunicorn, Flask and Django on
//! SQLite (`tests/apps`), larder in front. Every test has its own of each.

mod bounds;
mod django;
mod flask;
mod gunicorn;
mod leaks;
mod newcomer;
mod presets;
mod restarts;
mod secured;
mod visitor;

use crate::harness::{Larder, Response};
use gunicorn::{App, Kind, Place};
use visitor::Visitor;

/// The name of the site, as visitors write it.
const HOST: &str = "site.test";

/// An application with larder in front of it.
struct Site {
    larder: Larder,
    app: App,
}

/// What a site is to be like.
struct Plan {
    kind: Kind,
    larder: Vec<String>,
    larder_env: Vec<(String, String)>,
    env: Vec<(String, String)>,
    workers: u32,
}

/// The Flask shop, without its slowness.
fn shop() -> Plan {
    let slow = ("SHOP_SLOW".to_string(), "0".to_string());
    let larder = vec!["proxy".into()];
    Plan { kind: Kind::Shop, larder, larder_env: Vec::new(), env: vec![slow], workers: 2 }
}

/// The Django blog.
fn blog() -> Plan {
    let larder = vec!["proxy".into()];
    Plan { kind: Kind::Blog, larder, larder_env: Vec::new(), env: Vec::new(), workers: 2 }
}

impl Plan {
    /// How much of its deliberate waiting the shop does.
    fn slow(self, factor: &str) -> Plan {
        self.env("SHOP_SLOW", factor)
    }

    /// An environment variable of the application's.
    fn env(mut self, name: &str, value: &str) -> Plan {
        self.env.push((name.into(), value.into()));
        self
    }

    /// An environment variable of larder's.
    fn larder_env(mut self, name: &str, value: &str) -> Plan {
        self.larder_env.push((name.into(), value.into()));
        self
    }

    fn workers(mut self, count: u32) -> Plan {
        self.workers = count;
        self
    }

    /// Options of `larder proxy`.
    fn with(mut self, options: &[&str]) -> Plan {
        self.larder.extend(options.iter().map(|option| option.to_string()));
        self
    }

    /// `larder run` with a configuration file of this project.
    fn config(mut self, file: &str) -> Plan {
        let file = format!("{}/config/{file}", env!("CARGO_MANIFEST_DIR"));
        self.larder = vec!["run".into(), "--config".into(), file];
        self
    }

    /// The app over TCP; it knows nothing of larder.
    fn open(self) -> Site {
        let app = App::start(self.kind, Place::new(), self.workers, &self.env);
        let larder = self.larder(&app.address.to_string());
        Site { larder, app }
    }

    /// The app over a unix socket; it is told where larder is, to purge there.
    fn open_purging(self) -> Site {
        let place = Place::new();
        let larder = self.larder(&place.origin());
        let mut env = vec![
            ("LARDER_ADMIN".into(), format!("http://{}", larder.admin)),
            ("LARDER_PROXY".into(), larder.proxy.to_string()),
            ("BLOG_URL".into(), format!("http://{HOST}")),
        ];
        env.extend(self.env);
        let app = App::start(self.kind, place, self.workers, &env);
        Site { larder, app }
    }

    fn larder(&self, origin: &str) -> Larder {
        let mut args: Vec<&str> = self.larder.iter().map(String::as_str).collect();
        args.extend(["--to", origin, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        let env: Vec<(&str, &str)> =
            self.larder_env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Larder::spawn(&args, &env)
    }
}

impl Site {
    fn get(&self, path: &str) -> Response {
        self.larder.get(path)
    }

    fn get_with(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.larder.get_with(path, fields)
    }

    /// Somebody with a browser, and no cookies yet.
    fn visitor(&self) -> Visitor {
        Visitor::new(self.larder.proxy)
    }

    /// How often the app has computed a page.
    fn computed(&self, path: &str) -> u32 {
        self.app.computed(path)
    }
}

/// The answer came from the store.
#[track_caller]
fn assert_hit(answer: &Response) {
    assert!(answer.is_hit(), "{} {:?}", answer.status, answer.fields);
}

/// The answer did not come from the store; it is handed back.
#[track_caller]
fn assert_forwarded(answer: &Response) {
    let status = answer.cache_status();
    assert!(status.contains("fwd=") && !answer.is_hit(), "{} {:?}", answer.status, answer.fields);
}
