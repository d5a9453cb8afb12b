//! `larder bench`.

use crate::harness::{Larder, Origin, nobody, reply};
use serde_json::Value;

fn site() -> Origin {
    Origin::answering(|seen| match seen.target.as_str() {
        "/private" => reply(200, &["Cache-Control: private"], "yours"),
        "/missing" => reply(404, &["Cache-Control: max-age=60"], "no"),
        _ => reply(200, &["Cache-Control: max-age=60"], "page"),
    })
}

fn bench(origin: &Origin, larder: &Larder, args: &[&str]) -> (Option<i32>, String, String) {
    let (app, via) = (origin.address.to_string(), larder.proxy.to_string());
    Larder::run(&[&["bench", "--origin", &app, "--via", &via], args].concat(), &[])
}

#[test]
fn both_are_asked_for_the_same_by_the_same_connections() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let urls = ["http://site.test/a", "http://site.test/private"];
    let more = ["--requests", "100", "--connections", "4", "-H", "X-A: 1", "--json"];
    let (status, output, errors) = bench(&origin, &larder, &[&urls[..], &more].concat());
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    let said: Value = serde_json::from_str(&output).expect("JSON");
    for side in ["app", "larder"] {
        let side = &said[side];
        assert_eq!((&side["answers"], &side["errors"]), (&100.into(), &0.into()), "{said}");
        assert_eq!(side["connections"], 4);
        assert_eq!(side["bytes"], 50 * 4 + 50 * 5);
        assert!(side["requests_per_second"].as_f64() > Some(0.0));
        assert!(side["p50_ms"].as_f64() <= side["p99_ms"].as_f64());
    }
    assert_eq!(said["hits"], 1);
    // Both were warmed up; of larder's, only what it can't store reached the app.
    assert_eq!(origin.asked_for("/a"), 1 + 1 + 50);
    assert_eq!(origin.asked_for("/private"), 1 + 2 + 50 + 50);
    let last = origin.last();
    assert_eq!((last.field("host"), last.field("x-a")), (Some("site.test"), Some("1")));
}

#[test]
fn the_table_says_what_does_not_come_from_the_cache_and_where_both_are() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("larder.toml");
    let text = format!("listen = \"{}\"\n[origin]\nto = \"{}\"\n", larder.proxy, origin.address);
    std::fs::write(&file, text).expect("the file is written");
    let file = file.to_str().expect("text");
    let args =
        ["bench", "--config", file, "--requests", "20", "http://a.test/", "http://a.test/private"];
    let (status, output, errors) = Larder::run(&args, &[]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    for words in [
        "2 URLs, 8 connections kept alive, 20 requests for each after both were asked for every URL\n",
        "From the cache after that: 1 of 2\n",
        "  http://a.test/private: the response says private: it is for one visitor (private)\n",
        "                  requests/s       p50       p99    errors  connections\n",
        "\nthe app ",
        "\nthrough larder ",
        "\nratio ",
    ] {
        assert!(output.contains(words), "{words:?} is not in\n{output}");
    }
}

#[test]
fn errors_are_counted_and_are_a_failure() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let args = ["http://a.test/missing", "--requests", "10"];
    let (status, output, _) = bench(&origin, &larder, &args);
    assert_eq!(status, Some(1));
    assert!(
        output.contains("The first error, at ") && output.contains("404 Not Found"),
        "{output}"
    );
}

#[test]
fn whoever_is_not_there_is_named() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let (_held, nobody) = nobody();
    let (app, via, nobody) =
        (origin.address.to_string(), larder.proxy.to_string(), nobody.to_string());
    let url = "http://a.test/";
    for (args, words) in [
        (&["--origin", nobody.as_str(), "--via", &via, url][..], format!("the app, at {nobody}: ")),
        (&["--origin", &app, "--via", &nobody, url], format!("larder, at {nobody}: ")),
        (
            &["--origin", "https://app.test", "--via", &via, url],
            "is not asked directly".to_string(),
        ),
        (&["--config", "/no/such.toml", url], "--via HOST:PORT and --origin TARGET".to_string()),
    ] {
        let (status, output, errors) = Larder::run(&[&["bench"], args].concat(), &[]);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{args:?}");
        assert!(errors.contains(&words), "{words:?} is not in {errors}");
    }
    for args in [&["bench"][..], &["bench", url, "--requests", "0"]] {
        assert_eq!(Larder::run(args, &[]).0, Some(2), "{args:?}");
    }
}

#[test]
fn an_app_behind_a_unix_socket_is_asked_for_as_long_as_is_said() {
    let origin = site();
    let dir = tempfile::tempdir().expect("a folder");
    let socket = dir.path().join("app.sock");
    origin.behind_unix_socket(&socket);
    let larder = Larder::in_front_of(origin.address, &[]);
    let (app, via) = (format!("unix:{}", socket.display()), larder.proxy.to_string());
    let args =
        ["bench", "http://a.test/", "--origin", &app, "--via", &via, "--seconds", "1", "--json"];
    let (status, output, errors) = Larder::run(&args, &[]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    let said: Value = serde_json::from_str(&output).expect("JSON");
    for side in ["app", "larder"] {
        assert!(said[side]["seconds"].as_f64() >= Some(1.0), "{said}");
        assert!(said[side]["answers"].as_u64() > Some(0), "{said}");
    }
}
