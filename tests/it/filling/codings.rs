//! A page in gzip is stored and filled as what it was; in anything else it is not shown.

use super::{FILL, assert_filled_for, cookie, filling, minted, page};
use crate::harness::{Origin, request};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

/// An origin that answers with these bytes in a coding, in chunks.
fn coded(coding: &'static str, body: Vec<u8>, fields: &'static str) -> Origin {
    Origin::scripted(move |seen, stream| {
        let mut out = format!(
            "HTTP/1.1 200 OK\r\n{FILL}\r\n{fields}Content-Encoding: {coding}\r\n\
             ETag: \"packed\"\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        .into_bytes();
        if seen.method != "HEAD" {
            for piece in body.chunks(10) {
                out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                out.extend_from_slice(piece);
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(b"0\r\n\r\n");
        }
        stream.write_all(&out).is_ok()
    })
}

const STORED: &str = "Cache-Control: max-age=60\r\nVary: Accept-Encoding\r\n";
const GZIP: [(&str, &str); 1] = [("Accept-Encoding", "gzip, br")];

#[test]
fn gzip_is_undone_whether_the_page_is_stored_or_not() {
    for (fields, is_stored) in [(STORED, true), ("Cache-Control: no-store\r\n", false)] {
        for coding in ["gzip", "x-gzip"] {
            let origin = coded(coding, packed(page().as_bytes()), fields);
            let larder = filling(&origin, &[]);
            for number in 0..3 {
                let page = larder.get_with("/", &GZIP);
                assert!(page.complete);
                assert_eq!(page.field("content-encoding"), None);
                assert_eq!(page.is_hit(), is_stored && number > 0, "{}", page.cache_status());
                assert_filled_for(&page, &minted(&page));
                if page.is_hit() {
                    let length = page.body.len().to_string();
                    assert_eq!(page.field("content-length"), Some(&*length));
                }
                let head = request(larder.proxy, "HEAD", "/", &GZIP, b"");
                assert_eq!(head.field("content-encoding"), None);
                // How long it is becomes known when it has been undone.
                if page.is_hit() || !is_stored {
                    assert_eq!(head.field("content-length"), page.field("content-length"));
                }
            }
            assert_eq!(origin.last().field("accept-encoding"), Some("gzip"));
        }
    }
}

#[test]
fn a_large_page_is_filled_while_it_is_unpacked() {
    let text = page() + &"<p>and so on</p>".repeat(40_000) + &page();
    let origin = coded("gzip", packed(text.as_bytes()), STORED);
    let larder = filling(&origin, &[("LARDER_CACHE__MAX_OBJECT", "100KiB")]);
    let answer = larder.get_with("/", &[GZIP[0], ("Cookie", &cookie('a'))]);
    assert!(answer.complete && answer.body.len() == text.len());
    let mut first = answer.clone();
    first.body.truncate(page().len());
    let mut last = answer;
    last.body.drain(..text.len() - page().len());
    assert_eq!(assert_filled_for(&first, &cookie('a')), assert_filled_for(&last, &cookie('a')));
    assert_eq!(larder.stat("/memory/responses"), 0);
}

#[test]
fn gzip_that_is_broken_breaks_the_answer_and_is_not_stored() {
    let mut wrong = packed(page().as_bytes());
    let at = wrong.len() - 6;
    wrong[at] ^= 1;
    let short = packed(page().as_bytes())[..40].to_vec();
    for body in [wrong, short, b"no gzip".to_vec()] {
        for fields in [STORED, "Cache-Control: no-store\r\n"] {
            let origin = coded("gzip", body.clone(), fields);
            let larder = filling(&origin, &[]);
            for count in 1..=2 {
                let answer = larder.get_with("/", &GZIP);
                assert!(!answer.complete && !answer.is_hit(), "{:?}", answer.text());
                assert!(!answer.text().contains(super::TOKEN));
                assert_eq!(larder.stat("/troubles/broken_answer"), count);
            }
            larder.says("its content coding can't be undone");
        }
    }
}

#[test]
fn any_other_coding_is_not_shown() {
    for coding in ["br", "zstd", "deflate", "gzip, gzip"] {
        let origin = coded(coding, page().into_bytes(), STORED);
        let larder = filling(&origin, &[]);
        for _ in 0..2 {
            let answer = larder.get_with("/", &GZIP);
            assert_eq!((answer.status, answer.is_hit()), (502, false), "{coding}");
            assert_eq!(answer.cache_status(), "larder; fwd=uri-miss; detail=unfillable");
            assert!(!answer.text().contains(super::TOKEN));
        }
        larder.says("in a content coding other than gzip");
    }
}
