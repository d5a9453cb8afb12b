//! What an origin can do wrong in saying how long a body is.

use super::table::Does::{Ends, Hangs, Keeps, Resets};
use super::table::Then::{BreaksOff, Stored};
use super::table::{BROKEN, CHUNKED, CODED, Does, Fault, fault, ok};

fn length(value: &str) -> Does {
    Keeps(ok(&format!("Content-Length: {value}\r\n\r\npage")))
}

pub fn lengths() -> Vec<Fault> {
    vec![
        fault("length-text", "`Content-Length` is no number.", length("four"), BROKEN),
        fault("length-tail", "`Content-Length: 4x`.", length("4x"), BROKEN),
        fault("length-minus", "`Content-Length: -4`.", length("-4"), BROKEN),
        fault("length-plus", "`Content-Length: +4`.", length("+4"), BROKEN),
        fault("length-hex", "`Content-Length: 0x4`.", length("0x4"), BROKEN),
        fault("length-empty", "`Content-Length` is empty.", length(""), BROKEN),
        fault("length-beyond", "`Content-Length` is 2^64.", length("18446744073709551616"), BROKEN),
        fault("length-two", "Two lengths.", length("4\r\nContent-Length: 5"), BROKEN),
        fault("length-list", "Two lengths in a list.", length("4, 5"), BROKEN),
        fault("length-open", "A list of lengths with an empty place.", length("4,"), BROKEN),
        fault("length-half", "A length, and an empty one.", length("4\r\nContent-Length:"), BROKEN),
        fault("length-apart", "`Content-Length: 4 4`.", length("4 4"), BROKEN),
        fault("length-point", "`Content-Length: 4.0`.", length("4.0"), BROKEN),
        fault(
            "length-folded",
            "A length that goes on in the next line.",
            length("4\r\n 4"),
            BROKEN,
        ),
        fault("length-signed", "`Content-Length` is 2^63.", length("9223372036854775808"), BROKEN),
        fault(
            "length-most",
            "`Content-Length` is 2^64 - 4.",
            length("18446744073709551612"),
            BROKEN,
        ),
    ]
}

pub fn lengths_alike() -> Vec<Fault> {
    vec![
        fault("length-zeros", "`Content-Length: 004`.", length("004"), Stored),
        fault("length-same", "The same length twice.", length("4\r\nContent-Length: 4"), Stored),
        fault("length-same-list", "The same length in a list.", length("4, 4,4"), Stored),
        fault(
            "length-same-both",
            "The same length in lists and lines, written in two ways.",
            length("4,\t04\r\nContent-Length: 4"),
            Stored,
        ),
    ]
}

pub fn shorter_and_longer() -> Vec<Fault> {
    vec![
        fault(
            "short-close",
            "A body shorter than its length.",
            Ends(ok("Content-Length: 9\r\n\r\npage")),
            BreaksOff,
        ),
        fault(
            "short-reset",
            "A reset within the body.",
            Resets(ok("Content-Length: 9\r\n\r\npage")),
            BreaksOff,
        ),
        fault(
            "short-silent",
            "Silence within the body.",
            Hangs(ok("Content-Length: 9\r\n\r\npage")),
            BreaksOff,
        ),
        fault(
            "long",
            "A body longer than its length.",
            Keeps(ok("Content-Length: 4\r\n\r\npagepoison")),
            Stored,
        ),
    ]
}

pub fn lengths_beside() -> Vec<Fault> {
    let both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n\r\n";
    let other = "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n4\r\npage\r\n0\r\n\r\n";
    vec![
        fault(
            "coding-length",
            "`Content-Length` before `Transfer-Encoding`.",
            Keeps(ok(both)),
            Stored,
        ),
        fault(
            "length-coding",
            "`Content-Length` after `Transfer-Encoding`.",
            Keeps(ok(other)),
            Stored,
        ),
        fault(
            "coding-lengths",
            "Lengths that are none beside `Transfer-Encoding`.",
            Keeps(ok(&both.replace("3\r\n", "3x\r\nContent-Length:\r\n"))),
            Stored,
        ),
    ]
}

pub fn codings() -> Vec<Fault> {
    let coded = |value: &str| {
        Ends(ok(&format!("Transfer-Encoding: {value}\r\n\r\n4\r\npage\r\n0\r\n\r\n")))
    };
    let old = format!(
        "HTTP/1.0 200 OK\r\nCache-Control: max-age=60\r\n{CHUNKED}\r\n4\r\npage\r\n0\r\n\r\n"
    );
    vec![
        fault("coding-gzip", "`Transfer-Encoding: gzip`.", coded("gzip"), CODED),
        fault(
            "coding-gzip-chunked",
            "`Transfer-Encoding: gzip, chunked`.",
            coded("gzip, chunked"),
            CODED,
        ),
        fault(
            "coding-chunked-gzip",
            "`Transfer-Encoding: chunked, gzip`.",
            coded("chunked, gzip"),
            CODED,
        ),
        fault(
            "coding-twice",
            "`Transfer-Encoding: chunked, chunked`.",
            coded("chunked, chunked"),
            CODED,
        ),
        fault(
            "coding-two",
            "`Transfer-Encoding: chunked` twice.",
            coded("chunked\r\nTransfer-Encoding: chunked"),
            CODED,
        ),
        fault(
            "coding-gzip-two",
            "`Transfer-Encoding: gzip`, and `chunked` in a line of its own.",
            coded("gzip\r\nTransfer-Encoding: chunked"),
            CODED,
        ),
        fault("coding-parameter", "`Transfer-Encoding: chunked;q=1`.", coded("chunked;q=1"), CODED),
        fault("coding-open", "`Transfer-Encoding: chunked,`.", coded("chunked,"), CODED),
        fault("coding-misspelt", "`Transfer-Encoding: xchunked`.", coded("xchunked"), CODED),
        fault(
            "coding-unknown",
            "`Transfer-Encoding` with a name that stands for no coding, up to the end of the connection.",
            Ends(ok("Transfer-Encoding: gibberish\r\n\r\npage")),
            Stored,
        ),
        fault("coding-empty", "`Transfer-Encoding` is empty.", coded(""), CODED),
        fault("coding-old", "`Transfer-Encoding` in HTTP/1.0.", Ends(old), BROKEN),
    ]
}
