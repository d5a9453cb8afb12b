//! `larder warm`.

use crate::harness::{Gate, Larder, Origin, nobody, reply, wait_until};
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

/// A site with pages that may be stored, and some that may not.
fn site() -> Origin {
    Origin::answering(|seen| match seen.target.as_str() {
        "/private" => reply(200, &["Cache-Control: private"], "yours"),
        "/cookie" | "/cookie2" => {
            reply(200, &["Set-Cookie: a=b", "Cache-Control: max-age=60"], "x")
        }
        "/broken" => reply(500, &[], "no"),
        _ => reply(200, &["Cache-Control: max-age=60", "Vary: Accept-Language"], "page"),
    })
}

fn warm(larder: &Larder, args: &[&str]) -> (Option<i32>, String, String) {
    let via = larder.proxy.to_string();
    Larder::run(&[&["warm", "--via", &via, "--rate", "0"], args].concat(), &[])
}

fn document(larder: &Larder, args: &[&str]) -> (Option<i32>, Value) {
    let (status, output, errors) = warm(larder, &[args, &["--json"]].concat());
    (status, serde_json::from_str(&output).unwrap_or_else(|_| panic!("{output}{errors}")))
}

fn write(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("the file is written");
    path.to_str().expect("text").to_string()
}

#[test]
fn every_variant_is_stored_before_a_visitor_comes() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let urls = ["http://site.test/a", "http://site.test/b", "http://site.test/a#twice"];
    let variants = [
        "--variant",
        "Accept-Language: de",
        "--variant",
        "Accept-Language: fr | X-A: 1",
        "-H",
        "X-B: 2",
    ];
    let (status, output, errors) = warm(&larder, &[&urls[..], &variants].concat());
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    assert!(output.starts_with("4 requests for 2 URLs in "), "{output}");
    assert!(
        output.contains("       4  stored now\n") || output.ends_with("       4  stored now"),
        "{output}"
    );
    let last = origin.last();
    assert_eq!((last.field("x-b"), last.field("host")), (Some("2"), Some("site.test")));
    assert_eq!(origin.seen().iter().filter(|seen| seen.field("x-a") == Some("1")).count(), 2);
    for (path, language, is_hit) in
        [("/a", "de", true), ("/b", "fr", true), ("/b", "de", true), ("/a", "it", false)]
    {
        let fields = [("Host", "site.test"), ("Accept-Language", language)];
        assert_eq!(larder.get_with(path, &fields).is_hit(), is_hit, "{path} {language}");
    }
    let (_, said) = document(&larder, &[&urls[..], &variants].concat());
    assert_eq!((&said["fresh"], &said["stored"]), (&json!(4), &json!(0)));
    assert_eq!(said["notes"], json!([]));
    // Without variants it is said that there are some.
    let (_, said) = document(&larder, &urls);
    let notes = said["notes"].to_string();
    assert!(notes.contains("answers differ by accept-language (Vary)"), "{notes}");
}

#[test]
fn what_could_not_be_stored_is_counted_with_its_reason() {
    let larder = Larder::in_front_of(site().address, &[]);
    let url = |path: &str| format!("http://site.test{path}");
    let urls = ["/private", "/cookie", "/cookie2", "/a"].map(url);
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let args = [&urls[..], &["--concurrency", "1"]].concat();
    let (status, output, _) = warm(&larder, &args);
    assert_eq!(status, Some(0), "{output}");
    for words in [
        "       1  stored now",
        "       3  not stored",
        "       2  set-cookie: the response sets a cookie, which is for one visitor\n          \
         such as http://site.test/cookie\n",
        "       1  private: the response says private",
    ] {
        assert!(output.contains(words), "{words:?} is not in\n{output}");
    }
    let broken = url("/broken");
    let (status, said) = document(&larder, &[&args[..], &[&broken]].concat());
    assert_eq!(status, Some(1));
    assert_eq!(said["not_stored"][1]["code"], "set-cookie");
    assert_eq!(said["not_stored"][1]["count"], 2);
    assert_eq!(said["failed"][0]["example"], broken);
    assert_eq!(said["failed"][0]["why"], "500 Internal Server Error: the app failed");
    let (_held, nobody) = nobody();
    let (status, output, _) = Larder::run(&["warm", &format!("http://{nobody}/")], &[]);
    assert_eq!(status, Some(1));
    assert!(output.contains("Failed:") && output.contains(&nobody.to_string()), "{output}");
}

#[test]
fn an_app_that_is_asked_without_larder_is_noticed_and_asked_over_one_connection() {
    let origin = site();
    let url = |path: &str| format!("http://{}{path}", origin.address);
    let (a, b) = (url("/a"), url("/b"));
    let args = ["warm", &a, &b, "--concurrency", "1", "--rate", "20"];
    let (status, output, _) = Larder::run(&[&args[..], &["--json"]].concat(), &[]);
    let said: Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!((status, &said["stored"]), (Some(0), &json!(0)));
    assert!(said["not_stored"][0]["why"].as_str().expect("text").contains("did not come through"));
    // The second has to wait for a twentieth of a second.
    assert!(said["seconds"].as_f64().expect("a number") >= 0.045, "{said}");
    assert!(origin.seen().iter().all(|seen| seen.connection == 0));
}

#[test]
fn urls_come_from_files_and_from_standard_input() {
    let larder = Larder::in_front_of(site().address, &[]);
    let dir = tempfile::tempdir().expect("a folder");
    let list = b"# the shop\n\n http://site.test/a \r\nhttp://site.test/b\nhttp://site.test/a\n";
    let list = write(&dir, "urls.txt", list);
    let (status, said) = document(&larder, &["--file", &list]);
    assert_eq!((status, &said["stored"]), (Some(0), &json!(2)));
    let (_, said) = document(&larder, &["--file", &list, "--most", "1"]);
    assert_eq!(said["requests"], 1);
    assert!(said["notes"][0].as_str().expect("text").starts_with("1 more were left out"), "{said}");

    let via = larder.proxy.to_string();
    let mut command = Larder::command(&["warm", "--via", &via, "--file", "-", "--json"], &[]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(b"http://site.test/c\n").expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends").stdout;
    let said: Value = serde_json::from_slice(&output).expect("JSON");
    assert_eq!(said["stored"], 1);
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).expect("memory");
    gzip.finish().expect("memory")
}

#[test]
fn a_sitemap_may_be_an_index_and_compressed() {
    let page = |url: &str| format!("<url><loc>{url}</loc></url>");
    let pages: String =
        ["http://site.test/a", "http://site.test/?b=1&amp;c=2", "http://other.test/"]
            .map(page)
            .concat();
    let packed = gzipped(&format!("<urlset>{pages}</urlset>"));
    let index = "<sitemapindex><sitemap><loc>http://site.test/pages.xml.gz</loc></sitemap>\
        <sitemap><loc>http://site.test/index.xml</loc></sitemap></sitemapindex>";
    let answers = packed.clone();
    let origin = Origin::scripted(move |seen, stream| {
        let (length, body) = match seen.target.as_str() {
            "/index.xml" => (index.len(), index.as_bytes()),
            "/pages.xml.gz" => (answers.len(), &answers[..]),
            _ => (4, &b"page"[..]),
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).is_ok()
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let (status, said) = document(&larder, &["--sitemap", "http://site.test/index.xml"]);
    assert_eq!((status, &said["requests"]), (Some(0), &json!(2)), "{said}");
    assert_eq!(said["notes"][0], "1 URLs of other hosts than the sitemap's were left out");
    assert_eq!(origin.asked_for("/?b=1&c=2"), 1);

    let dir = tempfile::tempdir().expect("a folder");
    let file = write(&dir, "pages.xml.gz", &packed);
    // Whoever gives a file means what stands in it.
    assert_eq!(document(&larder, &["--sitemap", &file]).1["requests"], 3);
    for (text, words) in [
        ("<html></html>", ":1: this is no sitemap"),
        ("<urlset>\n<url><loc>a.html</loc></url></urlset>", ":2: \"a.html\": an absolute URL"),
        ("<urlset>\n<url>\n<loc>", ":3: the document is cut off"),
    ] {
        let wrong = write(&dir, "wrong.xml", text.as_bytes());
        let (status, output, errors) = warm(&larder, &["--sitemap", &wrong]);
        assert_eq!((status, output.as_str()), (Some(1), ""));
        assert!(errors.contains(&format!("{wrong}{words}")), "{errors}");
    }
    let truncated = write(&dir, "short.gz", &packed[..packed.len() / 2]);
    assert_eq!(warm(&larder, &["--sitemap", &truncated]).0, Some(1));
}

#[test]
fn an_access_log_says_what_is_wanted_most() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &["--access-log", "combined"]);
    let mut log = String::new();
    for path in ["/a", "/b", "/b", "/broken", "/private"] {
        larder.get(path);
        log.push_str(&larder.next_line());
        log.push('\n');
    }
    log.push_str("what is this\n192.0.2.1 - - [t] \"POST /post HTTP/1.1\" 200 1 \"-\" \"-\"\n");
    let dir = tempfile::tempdir().expect("a folder");
    let log = write(&dir, "access.log", log.as_bytes());
    let args = ["--log", &log, "--concurrency", "1"];
    let (status, _, errors) = warm(&larder, &args);
    assert!(status == Some(1) && errors.contains("--base"), "{errors}");
    let (cold, before) = (Larder::in_front_of(origin.address, &[]), origin.count());
    let (status, said) = document(&cold, &[&args[..], &["--base", "http://site.test"]].concat());
    assert_eq!((status, &said["requests"]), (Some(0), &json!(3)), "{said}");
    let notes = said["notes"].to_string();
    assert!(
        notes.contains(&format!("1 lines of the log were not understood; the first is {log}:6")),
        "{notes}"
    );
    assert!(notes.contains("a log does not say the requests' fields"), "{notes}");
    let asked: Vec<String> =
        origin.seen().split_off(before).into_iter().map(|seen| seen.target).collect();
    assert_eq!(asked, ["/b", "/a", "/private"]);

    // A line of JSON has the host.
    let json = Larder::in_front_of(origin.address, &["--access-log", "json"]);
    json.get_with("/c", &[("Host", "json.test")]);
    let line = write(&dir, "json.log", &gzipped(&json.next_line()));
    assert_eq!(document(&larder, &["--log", &line]).1["stored"], 1);
    assert!(larder.get_with("/c", &[("Host", "json.test")]).is_hit());
}

#[test]
fn what_is_wrong_is_said_before_anything_is_asked_for() {
    let origin = site();
    let larder = Larder::in_front_of(origin.address, &[]);
    let dir = tempfile::tempdir().expect("a folder");
    let list = write(&dir, "urls.txt", b"http://site.test/a\n/no-host\n");
    let text = write(&dir, "text.log", b"nothing\nto see\n");
    let empty = write(&dir, "empty", b"");
    for (args, words) in [
        (&["--file", list.as_str()][..], format!("{list}:2: \"/no-host\": ")),
        (&["--log", &text], format!("{text}:1: this is no line of an access log")),
        (&["--log", &empty], format!("{empty}: there is no line in it")),
        (&["--file", &empty], "there is no URL to ask for".to_string()),
        (&["--file", "/no/such"], "/no/such: ".to_string()),
        (&["--sitemap", "/no/such"], "/no/such: ".to_string()),
        (
            &["--sitemap", "http://site.test/a"],
            "http://site.test/a:1: this is no sitemap".to_string(),
        ),
    ] {
        let (status, output, errors) = warm(&larder, args);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{args:?}");
        assert!(errors.contains(&words), "{words:?} is not in {errors}");
    }
    assert!(Path::new(&list).exists() && origin.count() <= 1, "only the sitemap was asked for");
    for (args, words) in [
        (&["--rate=-1", "http://a/"][..], "a number from 0 to 100000"),
        (&["http://a/", "-H", "x"], "\"x\" is not a field"),
        (&["http://a/", "--variant", "A: 1 | x"], "\"x\" is not a field"),
        // What is asked for has to be said, and how fast is none of that.
        (&[], "<URL|--file <FILE>|--sitemap <URL|FILE>|--log <FILE>>"),
        (&["--rate", "5", "--json"], "<URL|--file <FILE>|--sitemap <URL|FILE>|--log <FILE>>"),
    ] {
        let (status, output, errors) = Larder::run(&[&["warm"], args].concat(), &[]);
        assert_eq!((status, output.as_str()), (Some(2), ""), "{args:?}: {errors}");
        assert!(errors.contains(words), "{args:?}: {errors}");
    }
    let (status, _, errors) = Larder::run(&["warm", "https://site.test/"], &[]);
    assert!(status == Some(1) && errors.contains("--via HOST:PORT"), "{errors}");
}

#[test]
fn an_interrupt_gives_the_summary_so_far() {
    let gate = Gate::closed();
    let waits = gate.clone();
    let origin = Origin::answering(move |seen| {
        if seen.target == "/slow" {
            waits.pass();
        }
        reply(200, &["Cache-Control: max-age=60"], "page")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let via = larder.proxy.to_string();
    let args =
        ["warm", "--via", &via, "--concurrency", "1", "http://a.test/1", "http://a.test/slow"];
    let mut command = Larder::command(&args, &[]);
    let child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    wait_until("the slow page is asked for", || origin.asked_for("/slow") == 1);
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.expect("kill runs").success());
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("Interrupted: 1 of 2 requests were answered.\n"), "{text}");
    assert!(text.contains("       1  stored now"), "{text}");
    gate.open();
}
