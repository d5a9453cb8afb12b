//! The configuration is read again: nothing is dropped, what is new holds, and
//! what is wrong changes nothing.

use crate::harness::{Connection, Gate, Larder, Origin, Response, reply, wait_until};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use tempfile::TempDir;

/// A larder with a configuration file that can be written anew.
pub struct Configured {
    pub larder: Larder,
    pub file: PathBuf,
    _directory: TempDir,
}

const DOORS: &str = "listen = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n";

impl Configured {
    pub fn by(tables: &str) -> Configured {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("larder.toml");
        std::fs::write(&file, format!("{DOORS}{tables}")).expect("the file");
        let path = file.to_str().expect("a path");
        let larder = Larder::spawn(&["run", "--config", path], &[]);
        Configured { larder, file, _directory: directory }
    }

    pub fn write(&self, text: &str) {
        std::fs::write(&self.file, text).expect("the file");
    }

    /// Writes other tables and has them read.
    pub fn reload(&self, tables: &str) -> Response {
        self.write(&format!("{DOORS}{tables}"));
        self.larder.reload()
    }

    /// The lists of a reload's answer.
    pub fn told(answer: &Response) -> (String, String) {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let document: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        (document["changed"].to_string(), document["left"].to_string())
    }
}

/// An origin with a name, which keeps nothing but `/hit` from being asked for
/// again.
fn named(name: &'static str) -> Origin {
    Origin::answering(move |seen| {
        let fields: &[&str] = match seen.target.split('?').next() {
            Some("/hit") => &["Cache-Control: max-age=3600"],
            Some("/default") => &[],
            Some("/cookie") => &["Cache-Control: max-age=3600", "Vary: Cookie"],
            _ => &["Cache-Control: no-store"],
        };
        reply(200, fields, name)
    })
}

/// Clients that ask without a pause, each on one connection for ever.
struct Load {
    done: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    fn on(larder: &Larder) -> Load {
        let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = |number: usize| {
            let (done, answered) = (Arc::clone(&done), Arc::clone(&answered));
            let mut connection = Connection::open(larder.proxy);
            std::thread::spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let path = if number.is_multiple_of(2) { "/hit" } else { "/miss" };
                    connection.ask(path, "");
                    let answer = connection.answer("GET").expect("an answer");
                    assert_eq!((answer.status, answer.complete), (200, true), "{answer:?}");
                    assert_ne!(answer.field("connection"), Some("close"));
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        let clients = (0..4).map(client).collect();
        Load { done, answered, clients }
    }

    /// Waits until some more have been answered.
    fn goes_on(&self) {
        let before = self.answered.load(Ordering::SeqCst);
        wait_until("the load goes on", || self.answered.load(Ordering::SeqCst) > before + 20);
    }

    fn ends(self) {
        self.done.store(true, Ordering::SeqCst);
        self.clients.into_iter().for_each(|client| client.join().expect("no request has failed"));
    }
}

#[test]
fn twenty_reloads_under_load_fail_nobody_and_lose_nothing() {
    let (one, two) = (named("one"), named("two"));
    let tables = |even: bool| {
        let (to, ttl, cookie, target) = match even {
            true => (one.address, "60s", "sessionid", 8192),
            false => (two.address, "0s", "session", 100),
        };
        format!(
            "[origin]\nto = \"{to}\"\n[cache]\ndefault_ttl = \"{ttl}\"\n\
             cookies = [\"{cookie}\"]\n[limits]\ntarget = {target}\n[log]\naccess = \"off\"\n"
        )
    };
    let house = Configured::by(&tables(true));
    let larder = &house.larder;
    assert_eq!(larder.get("/hit").text(), "one");
    let load = Load::on(larder);
    for number in 1..=20 {
        let even = number % 2 == 0;
        let reloads = larder.events().matches("reloaded: origin.to: ").count();
        if number <= 10 {
            let (changed, left) = Configured::told(&house.reload(&tables(even)));
            assert!(changed.contains("limits.target: "), "{changed}");
            assert_eq!(left, "[]");
        } else {
            house.write(&format!("{DOORS}{}", tables(even)));
            larder.hang_up();
        }
        wait_until("it has reloaded", || {
            let said = larder.events();
            said.matches("reloaded: origin.to: ").count() > reloads
        });
        load.goes_on();
        let name = if even { "one" } else { "two" };
        assert_eq!(larder.get("/where").text(), name, "the upstream");
        let path = format!("/default?{number}");
        larder.get(&path);
        assert_eq!(larder.get(&path).is_hit(), even, "default_ttl");
        let long = larder.get(&format!("/long?{}", "x".repeat(200)));
        assert_eq!(long.status, if even { 200 } else { 414 }, "limits");
        let path = format!("/cookie?{number}");
        let ask = |cookie| larder.get_with(&path, &[("Cookie", cookie)]);
        ask("sessionid=1; session=1");
        assert_eq!(ask("sessionid=1; session=2").is_hit(), even, "cookies");
    }
    load.ends();
    assert!(larder.get("/hit").is_hit());
    assert_eq!(one.asked_for("/hit") + two.asked_for("/hit"), 1, "the cache survives");
}

#[test]
fn a_wrong_configuration_changes_nothing_and_says_where_it_is_wrong() {
    let origin = named("one");
    let to = format!("[origin]\nto = \"{}\"\n", origin.address);
    let house = Configured::by(&to);
    let larder = &house.larder;
    larder.get("/hit");
    let file = house.file.display();
    for (tables, place, why) in [
        ("[cache]\ndefault_ttl = \"60\"\n", format!("{file}:7:15"), "default_ttl"),
        ("[cache]\ncokies = []\n", format!("{file}:7:1"), "did you mean `cookies`?"),
        ("[cache\n", format!("{file}:6:7"), "not valid TOML"),
    ] {
        let answer = house.reload(&format!("{to}{tables}"));
        assert_eq!(answer.status, 422);
        let document: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        let detail = document["detail"].as_str().expect("a sentence");
        assert!(detail.contains(&place) && detail.contains(why), "{detail}");
        larder.hang_up();
        wait_until("the log says so twice", || larder.events().matches(&place).count() >= 2);
        let said = larder.events();
        assert!(said.contains("ERROR") && said.contains("not reloaded, nothing has changed"));
        assert!(larder.get("/hit").is_hit());
    }
    let args = ["reload", "--admin", &larder.admin.to_string()];
    let (status, _, errors) = Larder::run(&args, &[]);
    assert_eq!(status, Some(1));
    assert!(errors.contains("not reloaded") && errors.contains(":6:7"), "{errors}");
    std::fs::remove_file(&house.file).expect("it was there");
    assert_eq!(larder.reload().status, 422);
    assert!(larder.get("/hit").is_hit());
}

#[test]
fn what_only_a_restart_changes_is_named_and_left_and_the_rest_is_done() {
    let origin = named("one");
    let tables = |more: &str| format!("[origin]\nto = \"{}\"\n{more}", origin.address);
    let house = Configured::by(&tables(""));
    let larder = &house.larder;
    let doors = DOORS.replacen("127.0.0.1:0", "127.0.0.1:1", 1);
    let text = format!(
        "threads = 3\n{doors}{}",
        tables("[cache]\nmemory = \"64MiB\"\nmax_object = \"1MiB\"\n[purge]\ntoken = \"hidden\"\n")
    );
    house.write(&text);
    for changes in [true, false] {
        // Each time: the file and the process still differ.
        let answer = larder.reload();
        let (changed, left) = Configured::told(&answer);
        for key in ["listen: 127.0.0.1:0", "threads: 0 -> 3", "cache.memory: "] {
            let (head, _) = key.split_once(':').expect("a key");
            assert!(left.contains(key) || left.contains(&format!("{head}: [")), "{left}");
        }
        assert_eq!(changed.contains("cache.max_object: 4194304 -> 1048576"), changes, "{changed}");
        assert_eq!(changed.contains("purge.token: not set -> ***"), changes, "{changed}");
    }
    larder.says("WARN only a restart changes this: threads: 0 -> 3");
    larder.says("reloaded: nothing has changed");
    assert!(!larder.events().contains("hidden"));
    assert_eq!(larder.get("/where").text(), "one");
    let args = ["reload", "--admin", &larder.admin.to_string()];
    let (status, said, _) = Larder::run(&args, &[]);
    assert_eq!(status, Some(0));
    assert!(said.contains("reloaded: nothing has changed"), "{said}");
    assert!(said.contains("only a restart changes this: threads: 0 -> 3"), "{said}");
}

#[test]
fn requests_under_way_end_by_the_old_settings() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let old = Origin::answering(move |_| {
        waits.pass();
        reply(200, &["Cache-Control: max-age=60"], "old")
    });
    let new = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "new"));
    let tables = |origin: &Origin| format!("[origin]\nto = \"{}\"\n", origin.address);
    let house = Configured::by(&tables(&old));
    let larder = &house.larder;
    let mut waiting = Connection::open(larder.proxy);
    waiting.ask("/page", "");
    wait_until("it is at the origin", || old.count() == 1);
    Configured::told(&house.reload(&tables(&new)));
    // The same page: nobody who comes later waits for what the old settings do.
    assert_eq!(larder.get("/page").text(), "new");
    gate.open();
    assert_eq!(waiting.answer("GET").expect("an answer").text(), "old");
    waiting.ask("/other", "");
    assert_eq!(waiting.answer("GET").expect("an answer").text(), "new", "on the same connection");
    assert_eq!(larder.get("/page").text(), "new", "and the old one is not stored");
}

/// Cookies that identify had been forgotten: what is fetched by the old settings is for
/// nobody else, though it may have left after the purge that the log asks for.
#[test]
fn what_the_old_settings_fetch_is_not_stored() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::answering(move |seen| {
        if seen.target == "/page" {
            waits.pass();
        }
        reply(200, &[], seen.field("cookie").unwrap_or("nobody"))
    });
    let tables = |cookie: &str| {
        let to = origin.address;
        format!(
            "[origin]\nto = \"{to}\"\n[cache]\ndefault_ttl = \"60s\"\ncookies = [\"{cookie}\"]\n"
        )
    };
    let house = Configured::by(&tables("other"));
    let larder = &house.larder;
    let (mut anybody, mut bob) = (Connection::open(larder.proxy), Connection::open(larder.proxy));
    anybody.ask("/page", "");
    wait_until("it is at the origin", || origin.count() == 1);
    bob.ask("/page", "Cookie: session=bob\r\n");
    // Whoever comes later is answered: so he has been heard, and waits for the other.
    (0..10).for_each(|number| assert_eq!(larder.get(&format!("/{number}")).status, 200));
    Configured::told(&house.reload(&tables("session")));
    assert_eq!(larder.purge(r#"{"all":true}"#).status, 200);
    gate.open();
    assert_eq!(anybody.answer("GET").expect("an answer").text(), "nobody");
    // What he waited for has been purged: he asks himself.
    assert_eq!(bob.answer("GET").expect("an answer").text(), "session=bob");
    assert_eq!(larder.get("/page").text(), "nobody", "another visitor");
    assert!(larder.get("/page").is_hit());
}

#[test]
fn the_logs_and_the_operators_token_follow_a_reload() {
    let origin = named("one");
    let tables = |token: &str, log: &str| {
        format!("{token}[origin]\nto = \"{}\"\n[log]\n{log}", origin.address)
    };
    let house = Configured::by(&tables("", "access = \"off\"\n"));
    let larder = &house.larder;
    larder.get("/silent");
    Configured::told(&house.reload(&tables("", "access = \"json\"\n")));
    larder.get("/json");
    assert!(larder.next_line().starts_with('{'), "the first line is that of /json");
    Configured::told(&house.reload(&tables("", "access = \"combined\"\nlevel = \"warn\"\n")));
    larder.get("/combined");
    assert!(larder.next_line().starts_with("127.0.0.1 - - ["));
    assert!(!larder.events().contains("reloaded: log.level"), "the new level holds already");
    Configured::told(&house.reload(&tables("", "level = \"info\"\n")));
    larder.says("log.level: \"warn\" -> ");
    Configured::told(&house.reload(&tables("token = \"secret\"\n", "")));
    assert_eq!(larder.reload().status, 401);
    let args = ["reload", "--admin", &larder.admin.to_string()];
    assert_eq!(Larder::run(&args, &[("LARDER_TOKEN", "secret")]).0, Some(0));
}

#[test]
fn without_a_file_there_is_nothing_to_reload() {
    let origin = named("one");
    let mut larder = Larder::in_front_of(origin.address, &[]);
    assert_eq!(larder.reload().status, 501);
    larder.hang_up();
    assert_eq!(larder.wait().code(), Some(0));
}
