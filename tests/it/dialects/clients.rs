//! The clients themselves, unchanged: those of Wagtail, Plone, Fastly and
//! Cloudflare as their users have them from PyPI, and curl.

use super::site::{Page, Site, TOKEN};
use crate::harness::python;
use std::path::Path;
use std::process::Command;

/// Runs one of the clients of `tests/apps/purge_clients.py`.
fn run(site: &Site, client: &str, arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps/purge_clients.py");
    let mut command = python(&[]);
    command.arg(script).arg(client).arg(site.larder.proxy.to_string()).args(arguments);
    finish(command);
}

fn finish(mut command: Command) -> String {
    let output = command.output().expect("the client runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn states(site: &Site, pages: &[Page]) -> Vec<&'static str> {
    pages.iter().map(|page| site.state(page)).collect()
}

#[test]
fn wagtails_backend() {
    let pages: &[Page] = &[
        ("www.example.com", "/blog/?p=2", ""),
        ("www.example.com", "/blog/", ""),
        ("www.example.com:8080", "/a/", ""),
        ("www.example.com", "/a/", ""),
    ];
    let site = Site::with(&[]);
    site.store(pages);
    run(
        &site,
        "wagtail",
        &[
            "https://www.example.com/blog/?p=2#here",
            "http://www.example.com:8080/a/",
            "http://www.example.com/nothing/",
        ],
    );
    assert_eq!(states(&site, pages), ["gone", "fresh", "gone", "fresh"]);
    assert!(site.origin.seen().iter().all(|seen| seen.method == "GET"));
}

#[test]
fn plones_purger() {
    let site = Site::with(&[]);
    // It purges at the proxy's own address, or below a virtual host.
    let here = site.larder.proxy.to_string();
    let here: &'static str = here.leak();
    let pages: &[Page] =
        &[(here, "/front", ""), ("example.com", "/page", ""), ("example.com", "/other", "")];
    site.store(pages);
    let page = "/VirtualHostBase/http/example.com:80/Plone/VirtualHostRoot/page";
    run(&site, "plone", &["/front", page, "/nothing"]);
    assert_eq!(states(&site, pages), ["gone", "gone", "fresh"]);
    assert!(site.origin.seen().iter().all(|seen| seen.method == "GET"));
}

#[test]
fn fastlys_package() {
    let pages: &[Page] = &[
        ("www.example.com", "/blog/1", "Surrogate-Key: article-1 list"),
        ("www.example.com", "/blog/2", "Surrogate-Key: article-2 list"),
        ("www.example.com", "/about", ""),
    ];
    let site = Site::with(&[]);
    for (arguments, expected) in [
        (&["key", "article-1"][..], ["gone", "fresh", "fresh"]),
        (&["soft-key", "article-1"], ["stale", "fresh", "fresh"]),
        (&["keys", "article-2", "none"], ["fresh", "gone", "fresh"]),
        (&["keys-field", "list", "none"], ["gone", "gone", "fresh"]),
        (&["url", "www.example.com/about"], ["fresh", "fresh", "gone"]),
        (&["all"], ["gone", "gone", "gone"]),
    ] {
        site.store(pages);
        run(&site, "fastly", &[&[TOKEN], arguments].concat());
        assert_eq!(states(&site, pages), expected, "{arguments:?}");
    }
}

#[test]
fn cloudflares_package() {
    let pages: &[Page] = &[
        ("www.example.com", "/css/a.css", "Cache-Tag: css,all"),
        ("www.example.com", "/img/b.png", "Cache-Tag: img,all"),
        ("img.example.com", "/b.png", "Cache-Tag: img"),
    ];
    let site = Site::with(&[]);
    for (arguments, expected) in [
        (&["files", "https://www.example.com/css/a.css"][..], ["gone", "fresh", "fresh"]),
        (&["tags", "img"], ["fresh", "gone", "gone"]),
        (&["hosts", "www.example.com"], ["gone", "gone", "fresh"]),
        (&["prefixes", "www.example.com/css"], ["gone", "fresh", "fresh"]),
        (&["everything"], ["gone", "gone", "gone"]),
    ] {
        site.store(pages);
        run(&site, "cloudflare", &[&[TOKEN], arguments].concat());
        assert_eq!(states(&site, pages), expected, "{arguments:?}");
    }
}

/// FOSHttpCache sends what curl sends, but for the name of the agent.
#[test]
fn curl() {
    let pages: &[Page] =
        &[("a.test", "/1", "X-Cache-Tags: tag1,both"), ("a.test", "/2", "X-Cache-Tags: tag2,both")];
    let site = Site::with(&[]);
    let url = format!("http://{}/", site.larder.proxy);
    for (method, fields, expected) in [
        (
            "BAN",
            &["X-Host: .*", "X-Url: .*", "X-Content-Type: .*", "X-Cache-Tags: (^|,)(tag1)(,|$)"][..],
            ["gone", "fresh"],
        ),
        ("BAN", &["X-Host: ^a\\.test$", "X-Url: ^/2$", "X-Content-Type: .*"], ["fresh", "gone"]),
        ("PURGEKEYS", &["xkey-softpurge: tag2"], ["fresh", "stale"]),
    ] {
        site.store(pages);
        let mut command = Command::new("curl");
        command.args(["-sS", "-f", "-X", method, "-w", "%{http_code}", &url]);
        for field in [&["Host: a.test"], fields].concat() {
            command.args(["-H", field]);
        }
        assert!(finish(command).ends_with("200"), "{method}");
        assert_eq!(states(&site, pages), expected, "{method} {fields:?}");
    }
}
