//! Addresses: what they are read as, and what is said against those that can't be read.

use super::{complaint, load_file};
use crate::config::Target;
use std::net::SocketAddr;

/// What is said against `key = "text"` in line `number`, when all of the text is at fault.
fn against(number: usize, key: &str, text: &str, message: &str, note: &str) -> String {
    let column = key.len() + 4;
    let indent = " ".repeat(column - 1);
    let carets = "^".repeat(text.len() + 2);
    let caret_line = format!("   | {indent}{carets} {note}");
    format!(
        "error: {message}\n  --> larder.toml:{number}:{column}\n   |\n {number} | {key} = \"{text}\"\n{}",
        caret_line.trim_end()
    )
}

const BAD_LISTEN: &[(&str, &str, &str)] = &[
    (
        "unix:/run/larder.sock",
        "listening on a Unix socket is not supported",
        "give a host and a port, such as `127.0.0.1:6081` or `:6081`",
    ),
    ("6081", "`6081` is not an address", "did you mean `:6081`?"),
    (
        "http://127.0.0.1:6081",
        "`http://127.0.0.1:6081` is not an address",
        "give a host and a port alone, such as `127.0.0.1:6081` or `:6081`",
    ),
    (
        "127.0.0.1",
        "`127.0.0.1` is not an address",
        "the port is missing, such as `127.0.0.1:6081` or `:6081`",
    ),
    ("::1:6081", "`::1:6081` is not an address", "did you mean `[::1]:6081`?"),
    (":http", "`:http` is not an address", "such as `127.0.0.1:6081` or `:6081`"),
    ("127.0.0.1:65536", "`127.0.0.1:65536` is not an address", "the port is a number up to 65535"),
    ("two words:6081", "`two words:6081` is not an address", "such as `127.0.0.1:6081` or `:6081`"),
    ("larder..invalid:6081", "can't resolve the name `larder..invalid`", ""),
    ("", "`` is not an address", "the port is missing, such as `127.0.0.1:6081` or `:6081`"),
];

#[test]
fn bad_addresses_to_listen_on() {
    for (text, message, note) in BAD_LISTEN {
        let expected = against(1, "listen", text, message, note);
        assert_eq!(complaint(&format!("listen = \"{text}\"\n")), expected);
    }
}

const BAD_TARGETS: &[(&str, &str, &str)] = &[
    ("ftp://app", "ftp to the application is not supported", "use `http://` or `https://`"),
    (
        "http://app/api",
        "`http://app/api` has a path, but requests bring their own",
        "did you mean `http://app`?",
    ),
    (
        "app:8000/",
        "`app:8000/` has a path, but requests bring their own",
        "did you mean `app:8000`?",
    ),
    ("/run/app.sock", "`/run/app.sock` is not an address", "did you mean `unix:/run/app.sock`?"),
    ("unix:app.sock", "`app.sock` is not an absolute path", "such as `unix:/run/app.sock`"),
    (
        "app",
        "`app` is not an address",
        "the port is missing, such as `127.0.0.1:8000` or `unix:/run/app.sock`",
    ),
    ("::1:8000", "`::1:8000` is not an address", "did you mean `[::1]:8000`?"),
    (
        "[::1]",
        "`[::1]` is not an address",
        "the port is missing, such as `127.0.0.1:8000` or `unix:/run/app.sock`",
    ),
    (
        "[::g]:8000",
        "`[::g]:8000` is not an address",
        "such as `127.0.0.1:8000` or `unix:/run/app.sock`",
    ),
    (
        "app:0",
        "nobody can be reached at port 0",
        "such as `127.0.0.1:8000` or `unix:/run/app.sock`",
    ),
    ("app:+1", "`app:+1` is not an address", "the port is a number up to 65535"),
    (
        "http://user@app",
        "`user@app:80` is not an address",
        "such as `127.0.0.1:8000` or `unix:/run/app.sock`",
    ),
    ("http://", "`:80` is not an address", "such as `127.0.0.1:8000` or `unix:/run/app.sock`"),
    (
        "",
        "`` is not an address",
        "the port is missing, such as `127.0.0.1:8000` or `unix:/run/app.sock`",
    ),
];

#[test]
fn bad_addresses_of_the_application() {
    for (text, message, note) in BAD_TARGETS {
        let expected = against(2, "to", text, message, note);
        assert_eq!(complaint(&format!("[origin]\nto = \"{text}\"\n")), expected);
    }
}

#[test]
fn good_addresses_of_the_application() {
    for (text, host, port, shown) in [
        ("127.0.0.1:8000", "127.0.0.1", 8000, "127.0.0.1:8000"),
        ("app_1.internal:8000", "app_1.internal", 8000, "app_1.internal:8000"),
        ("[::1]:8000", "::1", 8000, "[::1]:8000"),
        ("http://app", "app", 80, "app:80"),
        ("http://[::1]", "::1", 80, "[::1]:80"),
        ("http://app:8000/", "app", 8000, "app:8000"),
    ] {
        let to = load_file(&format!("origin.to = '{text}'")).unwrap().origin.to;
        let host = host.to_owned();
        assert_eq!(to, [Target::Tcp { host, port }]);
        assert_eq!(to[0].to_string(), shown);
    }
    let to = load_file("origin.to = 'unix:/run/app.sock'").unwrap().origin.to;
    assert_eq!(to[0].to_string(), "unix:/run/app.sock");
    assert_eq!(to, [Target::Unix("/run/app.sock".into())]);
    for several in ["'a:1, b:2'", "['a:1', 'b:2']"] {
        let origin = load_file(&format!("origin.to = {several}")).unwrap().origin;
        assert_eq!(origin.shown(), "a:1, b:2");
    }
    let many = vec!["'a:1'"; 65].join(", ");
    assert!(complaint(&format!("origin.to = [{many}]")).contains("at most 64"));
    assert!(complaint("origin.to = []").contains("at least 1"));
}

#[test]
fn good_addresses_to_listen_on() {
    for (text, expected) in [
        ("127.0.0.1:80", ([127, 0, 0, 1], 80).into()),
        (":80", ([0, 0, 0, 0], 80).into()),
        ("localhost:80", ([127, 0, 0, 1], 80).into()),
        ("[::1]:80", SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 80))),
    ] {
        let settings = load_file(&format!("listen = '{text}'\norigin.to = 'app:8000'")).unwrap();
        assert_eq!(settings.listen[0].text, text);
        assert_eq!(settings.listen[0].addresses[0], expected, "{text}");
    }
}

#[test]
fn the_application_can_be_near_without_being_larder() {
    for (listen, to, itself) in [
        ("127.0.0.1:80", "127.0.0.1:80", true),
        ("127.0.0.1:80", "localhost:80", true),
        ("127.0.0.1:80", "0.0.0.0:80", true),
        ("127.0.0.1:80", "[::ffff:127.0.0.1]:80", true),
        (":80", "127.0.0.2:80", true),
        ("[::]:80", "127.0.0.1:80", true),
        ("[::1]:80", "LOCALHOST:80", true),
        ("127.0.0.1:80", "127.0.0.1:81", false),
        ("127.0.0.1:80", "127.0.0.2:80", false),
        ("127.0.0.1:80", "app:80", false),
        (":80", "10.0.0.1:80", false),
        (":80", "unix:/run/app.sock", false),
    ] {
        let loaded = load_file(&format!("listen = '{listen}'\norigin.to = '{to}'"));
        assert_eq!(loaded.is_err(), itself, "{listen} {to}");
    }
}
