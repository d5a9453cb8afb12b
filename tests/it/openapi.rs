//! The description of the admin port, held against the port by schemathesis: what
//! it allows is accepted, what it forbids is refused, and each answer is as it
//! says.

use crate::harness::{Connection, Larder, Origin, reply, request};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Paths whose answers have no end.
const STREAMS: [&str; 2] = ["/v1/log", "/v1/events"];

/// A larder that has been started by a file, with one page stored.
fn filled() -> (Larder, Origin, tempfile::TempDir) {
    let origin =
        Origin::answering(|_| reply(200, &["Cache-Control: max-age=60", "Cache-Tag: all"], "page"));
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("larder.toml");
    let text = format!(
        "listen = '127.0.0.1:0'\norigin.to = '{}'\nadmin.listen = '127.0.0.1:0'\n",
        origin.address
    );
    std::fs::write(&config, text).expect("a file");
    let larder = Larder::spawn(&["run", "--config", &config.display().to_string()], &[]);
    larder.get("/");
    (larder, origin, dir)
}

#[test]
fn each_path_of_the_description_answers() {
    let (larder, _origin, _dir) = filled();
    let ask = |method: &str, path: &str, body: &str| {
        request(larder.admin, method, path, &[("Host", "localhost")], body.as_bytes())
    };
    let begins = |path: &str| {
        let mut connection = Connection::open(larder.admin);
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        connection.head().expect("a head")
    };
    let described = ask("GET", "/openapi.json", "");
    let described: Value = serde_json::from_slice(&described.body).expect("JSON");
    assert_eq!(described["info"]["version"], env!("CARGO_PKG_VERSION"));
    // The first purge, which can be undone.
    larder.purge(r#"{"all":true,"soft":true}"#);
    for (path, item) in described["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            let body = if path == "/v1/purge" { r#"{"tags":["none"]}"# } else { "" };
            let name = if path.starts_with("/dashboard") { "main.js" } else { "internal" };
            let path = path.replace("{number}", "1").replace("{name}", name);
            let query = match &*path {
                "/v1/explain" => "?url=http://a.example/",
                "/v1/stored/one" => "?url=http://site.test/",
                _ => "",
            };
            let path = path + query;
            let answer = match STREAMS.contains(&path.as_str()) {
                true => begins(&path),
                false => ask(&method.to_ascii_uppercase(), &path, body),
            };
            assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
        }
    }
}

#[test]
fn the_admin_port_is_what_its_description_says() {
    let (larder, _origin, dir) = filled();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = root.join(".venv/bin/python");
    let python = std::env::var_os("LARDER_TEST_PYTHON").map_or(installed, PathBuf::from);
    let checked = Command::new(&python)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(root.join("tests/api/schemathesis.toml"))
        .arg("run")
        .arg(format!("http://{}/openapi.json", larder.admin))
        .args(["--checks", "all", "--max-examples", "20", "--no-color"])
        .args(STREAMS.iter().flat_map(|path| ["--exclude-path", path]))
        .current_dir(dir.path())
        .output()
        .unwrap_or_else(|why| panic!("{}: {why}: run scripts/setup-tests", python.display()));
    let said = String::from_utf8_lossy(&checked.stdout);
    let errors = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}\n{errors}");
    assert!(said.contains("Operations:       17 selected / 19 total"), "{said}");
}
