//! `larder replay`: logs of the real larder, and of others.

use crate::harness::{Larder, Origin, reply};
use serde_json::{Value, json};

fn write(dir: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, text).expect("the file is written");
    path.to_str().expect("text").to_string()
}

fn replay(args: &[&str]) -> Value {
    let (status, output, errors) = Larder::run(&[&["replay", "--json"], args].concat(), &[]);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{args:?}");
    serde_json::from_str(&output).expect("JSON")
}

fn text(args: &[&str]) -> String {
    let (status, output, errors) = Larder::run(&[&["replay"], args].concat(), &[]);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{args:?}");
    output
}

/// A line as nginx writes it, at this second of a day.
fn line(second: u32, request: &str, status: u16, bytes: u32) -> String {
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    format!(
        "192.0.2.1 - - [15/Jan/2027:{time} +0000] \"{request} HTTP/1.1\" {status} {bytes} \"-\" \"x\"\n"
    )
}

/// What a real larder wrote of these requests.
fn logged(format: &str, paths: &[&str]) -> String {
    let large = "x".repeat(5000);
    let origin = Origin::answering(move |seen| match seen.target.as_str() {
        "/private" => reply(200, &["Cache-Control: private"], "yours"),
        "/silent" => reply(200, &[], "page"),
        "/gone" => reply(404, &[], "gone"),
        "/large" => reply(200, &["Cache-Control: max-age=3600"], &large),
        _ => reply(200, &["Cache-Control: max-age=3600"], "page"),
    });
    let larder = Larder::in_front_of(origin.address, &["--access-log", format]);
    let ask = |path: &&str| {
        larder.get(path);
        larder.next_line() + "\n"
    };
    paths.iter().map(ask).collect()
}

const PATHS: [&str; 12] = [
    "/a", "/a", "/b", "/private", "/private", "/silent", "/silent", "/gone", "/large", "/large",
    "/a", "/b",
];

/// What the configuration leaves out of requests is left out of what is keyed, and what goes
/// past the cache is counted as that.
#[test]
fn one_page_for_a_campaign_and_none_for_the_admin() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = write(&dir, "preset.toml", "preset = \"django\"\n");
    let lines: String = ["/a?utm_source=x", "/a?gclid=1", "/a", "/%61dmin/", "/admin/x", "/a?b"]
        .iter()
        .zip(0..)
        .map(|(path, second)| line(second, &format!("GET {path}"), 200, 10))
        .collect();
    let log = write(&dir, "access.log", &lines);
    let said = replay(&[&log, "--config", &config]);
    assert_eq!((&said["requests"], &said["cacheable"]), (&json!(6), &json!(4)), "{said}");
    assert_eq!((&said["sizes"][0]["hits"], &said["sizes"][0]["pages"]), (&json!(2), &json!(2)));
    assert!(said.to_string().contains("bypass-path"), "{said}");
}

#[test]
fn what_larder_did_is_what_is_replayed() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = write(&dir, "same.toml", "[cache]\nmemory = \"64MiB\"\n");
    for format in ["json", "combined"] {
        let log = write(&dir, "access.log", &logged(format, &PATHS));
        let said = replay(&[&log, "--config", &config]);
        assert_eq!((&said["requests"], &said["cacheable"]), (&json!(12), &json!(7)), "{said}");
        // /a twice, /b once, /large once: as many as in the log, whatever the size.
        assert_eq!(said["hits_in_log"], 4);
        let sizes = said["sizes"].as_array().expect("sizes");
        let memory: Vec<u64> = sizes.iter().filter_map(|size| size["memory"].as_u64()).collect();
        assert_eq!(memory, [16 << 20, 32 << 20, 64 << 20, 128 << 20, 256 << 20]);
        for size in sizes {
            assert_eq!((&size["hits"], &size["hit_bytes"]), (&json!(4), &json!(5012)), "{said}");
        }
        let passed = said["passed"].as_array().expect("kinds");
        let counts: Vec<(&str, u64)> = passed
            .iter()
            .map(|kind| {
                (kind["code"].as_str().expect("a code"), kind["count"].as_u64().expect("a count"))
            })
            .collect();
        assert_eq!(counts, [("no-lifetime", 3), ("private", 2)]);
        assert_eq!(said["changes"], json!([]));
        let shown = text(&[&log, "--config", &config]);
        assert!(
            shown.contains("Nothing that the log tells of would be decided otherwise."),
            "{shown}"
        );
        assert!(shown.contains("  in the log        33.3 %\n"), "{shown}");
    }
}

#[test]
fn what_another_configuration_decides_otherwise_is_counted() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = write(&dir, "access.log", &logged("json", &PATHS));
    let config = write(
        &dir,
        "new.toml",
        "[cache]\ndefault_ttl = \"1h\"\nnegative_ttl = \"10s\"\nmax_object = \"4KiB\"\n",
    );
    let said = replay(&[&log, "--config", &config]);
    let changes: Vec<(String, Value, Value)> = said["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| {
            let words = change["change"].as_str().expect("text");
            let begins = words.split(": ").next().expect("text").to_string();
            (begins, change["count"].clone(), change["example"].clone())
        })
        .collect();
    let expected = [
        ("stored, and was not (no-lifetime", 3, "GET site.test/silent"),
        ("not stored any more (too-large", 2, "GET site.test/large"),
    ];
    let expected =
        expected.map(|(words, count, example)| (words.to_string(), json!(count), json!(example)));
    assert_eq!(changes, expected, "{said}");
    // The second /silent is one more, that of /large one less.
    assert_eq!(said["sizes"][2]["hits"], 4);
    let shown = text(&[&log, "--config", &config]);
    for words in [
        "Pages are taken to be fresh for 3600 s.",
        "         3  stored, and was not (no-lifetime: ",
        "            such as GET site.test/silent\n",
        "         2  too-large: the body is larger than max_object\n",
        "A log can't tell:\n",
    ] {
        assert!(shown.contains(words), "{words:?} is not in\n{shown}");
    }
}

#[test]
fn more_memory_gives_more_hits_until_everything_has_room() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = write(&dir, "new.toml", "[cache]\nmemory = \"4MiB\"\nmax_object = \"1MiB\"\n");
    // The first pages are asked for most: page n in every (n + 1)th round.
    let mut log = String::new();
    let (mut requests, mut pages) = (0, 0);
    for round in 0..120_u32 {
        for page in (0..120).filter(|page| round % (page + 1) == 0) {
            log.push_str(&line(round, &format!("GET /{page}?q=1"), 200, 100_000));
            requests += 1;
            pages += u32::from(round == 0);
        }
    }
    let log = write(&dir, "access.log", &log);
    let said = replay(&[&log, "--config", &config]);
    assert_eq!((&said["requests"], &said["cacheable"]), (&json!(requests), &json!(requests)));
    let hits: Vec<u64> =
        (0..5).map(|at| said["sizes"][at]["hits"].as_u64().expect("a count")).collect();
    assert!(hits[0] < hits[2] && hits[2] < hits[4], "{hits:?}");
    // 120 pages of 100 kB have room in 16 MiB.
    assert_eq!(hits[4], u64::from(requests - pages));
    assert_eq!(said["hits_in_log"], Value::Null);
    let shown = text(&[&log, "--config", &config]);
    assert!(shown.contains("the log doesn't say what was decided"), "{shown}");
}

#[test]
fn pages_are_fresh_for_as_long_as_is_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = [
        line(0, "GET /a", 200, 10),
        line(90, "GET /a", 304, 0),
        line(100, "HEAD /a", 200, 0),
        line(100, "POST /a", 200, 10),
        line(100, "GET /b", 503, 10),
        "\nnonsense\n".to_string(),
    ];
    let log = write(&dir, "access.log", &log.concat());
    let minute = write(&dir, "minute.toml", "[cache]\ndefault_ttl = \"60s\"\n");
    let none = write(&dir, "none.toml", "");
    for (args, hits) in [
        (&[log.as_str(), "--config", &minute][..], 1),
        (&[&log, "--config", &minute, "--ttl", "2m"], 2),
        (&[&log, "--config", &none], 2),
    ] {
        let said = replay(args);
        assert_eq!(said["sizes"][2]["hits"], hits, "{args:?} {said}");
        assert_eq!((&said["requests"], &said["seconds"]), (&json!(5), &json!(100)));
        let notes = said["notes"].to_string();
        assert!(
            notes.contains(&format!("1 lines were not understood; the first is {log}:7")),
            "{notes}"
        );
    }
    // A 304 has no bytes, and leaves what is stored as large as it was.
    assert_eq!(replay(&[&log, &log, "--config", &none])["sizes"][2]["hit_bytes"], 10);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let dir = tempfile::tempdir().expect("a folder");
    let good = write(&dir, "good.toml", "");
    let log = write(&dir, "access.log", &line(0, "GET /a", 200, 10));
    let wrong = write(&dir, "wrong.toml", "[cache]\nmemory = \"lots\"\n");
    let other = write(&dir, "other.log", "\nINFO started\n");
    for (args, words) in [
        (&[log.as_str(), "--config", &wrong][..], format!("{wrong}:2:10")),
        (&[&log, "--config", "/no/such.toml"], "/no/such.toml".to_string()),
        (&[&other, "--config", &good], format!("{other}:2: this is no line of an access log")),
        (&["/no/such.log", "--config", &good], "/no/such.log: ".to_string()),
        (&[dir.path().to_str().expect("text"), "--config", &good], "is a folder".to_string()),
    ] {
        let (status, output, errors) = Larder::run(&[&["replay"], args].concat(), &[]);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{args:?}");
        assert!(errors.contains(&words), "{words:?} is not in {errors}");
    }
    for args in [&["replay"][..], &["replay", &log, "--ttl", "soon"]] {
        assert_eq!(Larder::run(args, &[]).0, Some(2), "{args:?}");
    }
}
