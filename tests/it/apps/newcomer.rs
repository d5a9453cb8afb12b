//! A first site, in front of which nothing is cached: larder's own words say why, and what
//! to change; once it is changed, the numbers show it.

use crate::harness::{Larder, get, python};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// The site; ends when dropped.
struct Site(Child, String);

impl Site {
    fn start(more: &[&str]) -> Site {
        let script =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps/first_site.py");
        let mut command = python(&[]);
        command.arg(script).args(more).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("Python starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its standard output");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().strip_prefix("http://").expect("an address").to_string();
        Site(child, address)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.0.kill().expect("it is there");
        self.0.wait().expect("it ends");
    }
}

/// Visitors who come back with the cookies that they were given; the share of hits.
fn visit(larder: &Larder) -> f64 {
    let mut cookie = String::new();
    for round in 0..5 {
        for path in ["/", "/articles/1", "/articles/2"] {
            let fields: &[(&str, &str)] =
                if cookie.is_empty() { &[] } else { &[("Cookie", &cookie)] };
            let answer = larder.get_with(path, fields);
            assert_eq!(answer.status, 200, "{path}");
            if let (true, Some(set)) = (round == 0, answer.field("set-cookie")) {
                cookie = set.split(';').next().unwrap_or_default().to_string();
            }
        }
    }
    let hits = larder.stat("/requests/hit") as f64;
    hits / 15.0
}

#[test]
fn a_newcomer_is_told_why_nothing_is_cached_and_what_to_change() {
    let site = Site::start(&[]);
    let larder = Larder::in_front_of(&site.1, &[]);
    assert_eq!(visit(&larder), 0.0);

    // What the command says.
    let page = format!("http://{}/articles/1", larder.proxy);
    let (code, said, _) = Larder::run(&["get", &page], &[]);
    assert_eq!(code, Some(0));
    for words in [
        "It was not stored: the response sets a cookie, which is for one visitor.",
        "It would be stored if `Set-Cookie: session` were absent.",
        "app.config[\"SESSION_REFRESH_EACH_REQUEST\"] = False",
        "It would be stored if it stated a lifetime",
        "response.cache_control.max_age = 60",
    ] {
        assert!(said.contains(words), "{words}\n\n{said}");
    }
    // What its page at the admin port is told.
    let answer = get(larder.admin, "/v1/observed", &[("Host", "localhost")]);
    let observed: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let first = &observed["reasons"][0];
    assert_eq!(first["code"], "set-cookie", "{observed}");
    let flask = first["fix"]["flask"].as_str().unwrap_or_default();
    assert!(flask.contains("SESSION_REFRESH_EACH_REQUEST"), "{flask}");

    let mended = Site::start(&["mended"]);
    let larder = Larder::in_front_of(&mended.1, &[]);
    assert_eq!(visit(&larder), 12.0 / 15.0);
}
