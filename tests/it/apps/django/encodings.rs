//! GZipMiddleware: compressed and plain variants of one page. A body that is
//! compressed never reaches a client that did not ask for it.

use super::BY_SESSION;
use crate::apps::{Site, assert_forwarded, assert_hit, blog};
use crate::harness::Response;
use std::io::Write;
use std::process::{Command, Stdio};

const PATH: &str = "/articles/1/";

fn zipped(site: &Site) -> Response {
    site.get_with(PATH, &[("Accept-Encoding", "gzip")])
}

#[track_caller]
fn assert_plain(answer: &Response) {
    assert_eq!((answer.status, answer.field("content-encoding")), (200, None));
    assert!(answer.text().contains("<h1>On bread</h1>"), "{:?}", answer.fields);
}

#[track_caller]
fn assert_zipped(answer: &Response) {
    assert_eq!((answer.status, answer.field("content-encoding")), (200, Some("gzip")));
    assert!(unzipped(&answer.body).contains("<h1>On bread</h1>"));
}

#[test]
fn compressed_and_plain_pages_are_stored_beside_each_other() {
    let site = blog().with(&BY_SESSION).open();
    let first = zipped(&site);
    assert_forwarded(&first);
    assert_zipped(&first);
    let plain = site.get(PATH);
    assert_forwarded(&plain);
    assert_plain(&plain);
    for _ in 0..2 {
        let answer = zipped(&site);
        assert_hit(&answer);
        assert_zipped(&answer);
        let answer = site.get(PATH);
        assert_hit(&answer);
        assert_plain(&answer);
    }
    let browser = site.get_with(PATH, &[("Accept-Encoding", "gzip, deflate, br, zstd")]);
    assert_zipped(&browser);
}

/// Django's 304 has no body, so its compression adds no `Vary: Accept-Encoding`
/// to it: the stored page must not lose what it depended on.
#[test]
fn a_304_that_names_less_does_not_widen_who_gets_the_compressed_page() {
    // Without a default lifetime each request is a validation.
    let site = blog().with(&["--cookies", "sessionid"]).open();
    let first = zipped(&site);
    let tag = first.field("etag").expect("an entity tag");
    assert!(tag.starts_with("W/"), "{tag}");
    let direct = [("Host", "site.test"), ("Accept-Encoding", "gzip"), ("If-None-Match", tag)];
    let narrow = crate::harness::get(site.app.address, PATH, &direct);
    assert_eq!((narrow.status, narrow.field("vary")), (304, Some("Cookie")));

    let again = zipped(&site);
    assert!(again.cache_status().contains("fwd-status=304"), "{}", again.cache_status());
    assert_zipped(&again);
    assert_eq!(again.field("vary"), Some("Cookie, Accept-Encoding"));
    assert_plain(&site.get(PATH));
    for _ in 0..2 {
        let plain = site.get(PATH);
        assert!(plain.cache_status().contains("fwd-status=304"), "{}", plain.cache_status());
        assert_plain(&plain);
        let answer = zipped(&site);
        assert!(answer.cache_status().contains("fwd-status=304"), "{}", answer.cache_status());
        assert_zipped(&answer);
    }
}

#[test]
fn a_purge_removes_both_variants() {
    let site = blog().with(&BY_SESSION).open_purging();
    for _ in 0..2 {
        zipped(&site);
        site.get(PATH);
    }
    assert_hit(&zipped(&site));
    assert_hit(&site.get(PATH));
    let program = "from blog.models import Article\n\
        a = Article.objects.get(pk=1); a.text = 'Rye and patience.'; a.save()";
    site.app.shell(program);
    let answer = zipped(&site);
    assert_forwarded(&answer);
    assert!(unzipped(&answer.body).contains("Rye and patience."));
    let answer = site.get(PATH);
    assert_forwarded(&answer);
    assert!(answer.text().contains("Rye and patience."));
}

/// By the machine's own tool.
fn unzipped(bytes: &[u8]) -> String {
    let mut tool = Command::new("gzip")
        .args(["-d", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gzip starts");
    tool.stdin.take().expect("its input").write_all(bytes).expect("the bytes are sent");
    let output = tool.wait_with_output().expect("gzip ends");
    assert!(output.status.success(), "not compressed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
