//! However a body comes, and whatever becomes of it, it is filled.

use super::{FILL, TOKEN, answer, assert_filled_for, cookie, filling, minted, of_a_page, page};
use crate::harness::{Origin, get, reply, request, wait_until};
use std::io::Write;

/// An origin that sends the page in pieces of so many bytes, each a chunk of its own, with
/// `filler` before it.
fn torn(size: usize, filler: usize, fields: &'static str) -> Origin {
    Origin::scripted(move |_, stream| {
        let text = "x".repeat(filler) + &page();
        let head =
            format!("HTTP/1.1 200 OK\r\n{FILL}\r\n{fields}Transfer-Encoding: chunked\r\n\r\n");
        let mut out = head.into_bytes();
        for piece in text.as_bytes().chunks(size) {
            out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            out.extend_from_slice(piece);
            out.extend_from_slice(b"\r\n");
        }
        stream.write_all(&[&out[..], b"0\r\n\r\n"].concat()).is_ok()
    })
}

#[test]
fn a_placeholder_across_pieces_is_found_whatever_their_size() {
    for size in [1, 7, 40, 63, 64, 65, 1000] {
        let origin = torn(size, 0, "Cache-Control: max-age=60\r\n");
        let larder = filling(&origin, &[]);
        let miss = larder.get_with("/", &[("Cookie", &cookie('a'))]);
        assert!(miss.complete);
        assert_filled_for(&miss, &cookie('a'));
        let hit = larder.get_with("/", &[("Cookie", &cookie('b'))]);
        assert!(hit.is_hit(), "{}", hit.cache_status());
        assert_filled_for(&hit, &cookie('b'));
    }
}

#[test]
fn a_body_that_is_too_large_to_be_stored_is_filled_as_it_goes_by() {
    let origin = torn(5000, 100_000, "Cache-Control: max-age=60\r\n");
    let larder = filling(&origin, &[("LARDER_CACHE__MAX_OBJECT", "64KiB")]);
    for _ in 0..2 {
        let page = larder.get_with("/", &[("Cookie", &cookie('a'))]);
        assert!(page.complete && !page.is_hit());
        let text = page.text();
        assert!(text.len() > 100_000 && !text.contains(TOKEN));
        let mut rest = page.clone();
        rest.body.drain(..100_000);
        assert_filled_for(&rest, &cookie('a'));
    }
    assert_eq!(larder.stat("/memory/responses"), 0);
}

#[test]
fn what_is_not_stored_is_filled_too() {
    for (fields, reason) in [
        (&["Cache-Control: no-store", "ETag: \"a\""][..], "no-store"),
        (&["Cache-Control: private, max-age=9"], "private"),
        (&["Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT", "Vary: *"], "vary-any"),
        (&[], "no-lifetime"),
    ] {
        let origin = of_a_page(fields);
        let larder = filling(&origin, &[]);
        for _ in 0..2 {
            let page = larder.get("/");
            assert_filled_for(&page, &minted(&page));
            let expected = format!("larder; fwd=uri-miss; filled; detail={reason}");
            assert_eq!(page.cache_status(), expected);
            let strict = page.field("cache-control").expect("a field").contains("no-store");
            assert_eq!(strict, reason == "no-store");
        }
    }
}

#[test]
fn an_error_page_with_a_form_is_filled() {
    let origin = Origin::answering(|seen| {
        let status = seen.target[1..].parse().expect("a status");
        reply(status, &[FILL, "Cache-Control: max-age=60"], &page())
    });
    let larder = filling(&origin, &[]);
    for status in [400, 403, 404, 500, 503] {
        for _ in 0..2 {
            let page = larder.get(&format!("/{status}"));
            assert_eq!(page.status, status);
            assert_filled_for(&page, &minted(&page));
        }
    }
}

#[test]
fn the_answer_to_a_post_is_filled() {
    let origin = of_a_page(&["Content-Location: /", "Cache-Control: max-age=60"]);
    let larder = filling(&origin, &[]);
    for method in ["POST", "PUT", "PATCH"] {
        let page = request(larder.proxy, method, "/other", &[("Cookie", &cookie('a'))], b"a=");
        assert_filled_for(&page, &cookie('a'));
        assert_eq!(page.cache_status(), "larder; fwd=method; filled");
    }
    // One that may be stored for those who come later.
    let page = request(larder.proxy, "POST", "/", &[("Cookie", &cookie('a'))], b"a=");
    assert_eq!(page.cache_status(), "larder; fwd=method; stored; filled");
    assert_filled_for(&page, &cookie('a'));
    wait_until("it is stored", || larder.stat("/stored") == 1);
    let hit = get(larder.proxy, "/", &[("Cookie", &cookie('b'))]);
    assert!(hit.is_hit());
    assert_filled_for(&hit, &cookie('b'));
}

#[test]
fn requests_that_go_past_the_cache_are_filled() {
    let origin = of_a_page(&["Cache-Control: max-age=60", "ETag: \"a\""]);
    let larder = filling(&origin, &[("LARDER_CACHE__BYPASS_COOKIES", "messages")]);
    for (name, value) in [("Cookie", "messages=1"), ("If-Match", "\"a\"")] {
        let page = larder.get_with("/", &[(name, value)]);
        assert!(page.cache_status().starts_with("larder; fwd=bypass; filled; detail="));
        assert_filled_for(&page, &minted(&page));
    }
}

#[test]
fn what_the_page_does_not_have_is_no_fault() {
    let origin = Origin::answering(|seen| match seen.target.as_str() {
        "/without" => reply(200, &[FILL, "Cache-Control: max-age=60"], "no form today"),
        "/empty" => reply(200, &[FILL, "Cache-Control: max-age=60"], ""),
        "/204" => reply(204, &[FILL], ""),
        _ => answer(&["Cache-Control: max-age=60"]),
    });
    let larder = filling(&origin, &[]);
    for (path, body) in [("/without", "no form today"), ("/empty", ""), ("/204", "")] {
        for _ in 0..2 {
            let page = larder.get(path);
            assert!(page.complete && page.text() == body, "{path} {}", page.text());
            assert_eq!(page.field("cache-control"), Some("private, no-cache"));
        }
    }
}
