//! Where a body ends: `Content-Length`, `Transfer-Encoding`, both (RFC 9112
//! sections 6.1 to 6.3).

use super::case::{Case, refused, taken};

const BOTH: &[(&str, &str)] = &[
    ("Content-Length: 5", "Transfer-Encoding: chunked"),
    ("Content-Length: 0", "Transfer-Encoding: chunked"),
    ("content-length:5", "transfer-encoding:chunked"),
    ("Content-Length: 5", "Transfer-Encoding: Chunked"),
    ("Content-Length: 5", "Transfer-Encoding:\tchunked"),
    ("Content-Length: 5", "Transfer-Encoding: chunked "),
    ("Content-Length: 5", "Transfer-Encoding: chunked\t"),
    ("Content-Length: 5", "Transfer-Encoding: chunked, identity"),
    ("Content-Length: 5", "Transfer-Encoding: identity"),
    ("Content-Length: 5", "Transfer-Encoding: xchunked"),
    ("Content-Length: 5", "Transfer-Encoding: gzip, chunked"),
    ("Content-Length: 5", "Transfer-Encoding:"),
    ("Content-Length: 5", "Transfer-Encoding: ,chunked"),
    ("Content-Length: 5", "Transfer-Encoding: \"chunked\""),
    ("Content-Length: 5\r\nContent-Length: 5", "Transfer-Encoding: chunked"),
    ("Content-Length: x", "Transfer-Encoding: chunked"),
    ("Content-Length: -1", "Transfer-Encoding: chunked"),
    ("Content-Length: 5", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    ("Content-Length: 5", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    ("Content-Length: 5\r\nX: y", "Transfer-Encoding: chunked"),
];

/// Codings alone, all of them 400 but where it says otherwise.
const CODINGS: &[&str] = &[
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding:",
    "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked,chunked",
    "Transfer-Encoding: chunked,",
    "Transfer-Encoding: ,chunked",
    "Transfer-Encoding: , chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity, chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: gzip",
    "Transfer-Encoding: identity",
    "Transfer-Encoding:",
    "Transfer-Encoding: ",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunkedx",
    "Transfer-Encoding: chunke",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding: 'chunked'",
    "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding: chunked; x",
    "Transfer-Encoding: ;chunked",
    "Transfer-Encoding: chunked\x0b",
    "Transfer-Encoding: \x0bchunked",
    "Transfer-Encoding: chunked\x0c",
    "Transfer-Encoding: \x00chunked",
    "Transfer-Encoding: chun\x00ked",
    "Transfer-Encoding: \x7fchunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding\t: chunked",
    "Transfer-Encoding\x0b: chunked",
    " Transfer-Encoding: chunked",
    "\tTransfer-Encoding: chunked",
    "Transfer-Encoding\r\n: chunked",
    "Transfer-Encoding:\r\n chunked",
    "Transfer-Encoding: chun\r\n ked",
    "Transfer-Encoding:\n chunked",
    "X: y\nTransfer-Encoding: chunked",
    "X: y\rTransfer-Encoding: chunked",
    "X: y\r\rTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\r",
    "Transfer-Encoding chunked",
    "Transfer-Encoding=chunked",
    "Transfer-Encoding;: chunked",
    "Transfer Encoding: chunked",
    "[Transfer-Encoding]: chunked",
];

/// Lengths alone, all of them 400.
const LENGTHS: &[&str] = &[
    "Content-Length:",
    "Content-Length: ",
    "Content-Length: +5",
    "Content-Length: -5",
    "Content-Length: -0",
    "Content-Length: 5.0",
    "Content-Length: 5e0",
    "Content-Length: 0x5",
    "Content-Length: 5 5",
    "Content-Length: 5,5",
    "Content-Length: 5, 5",
    "Content-Length: 5, 6",
    "Content-Length: ,5",
    "Content-Length: 5,",
    "Content-Length: 5;",
    "Content-Length: \"5\"",
    "Content-Length: five",
    "Content-Length: 5_0",
    "Content-Length: 5\x0b",
    "Content-Length: \x0c5",
    "Content-Length: 5\x00",
    "Content-Length: \u{665}",
    "Content-Length: 5\r\nContent-Length: 5",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: 0\r\nContent-Length: 5",
    "Content-Length: 5\r\nContent-Length: 0",
    "Content-Length: 5\r\ncontent-length: 5",
    "Content-Length: 5\r\nContent-Length:",
    "Content-Length: 5\r\nX: y\r\nContent-Length: 5",
    "Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5",
    "Content-Length: 9223372036854775808",
    "Content-Length: 18446744073709551615",
    "Content-Length: 18446744073709551616",
    "Content-Length: 18446744073709551621",
    "Content-Length: 99999999999999999999999999999999",
    "Content-Length : 5",
    "Content-Length\t: 5",
    " Content-Length: 5",
    "Content-Length:\r\n 5",
    "Content-Length: 5\r\n 0",
    "Content-Length 5",
    "Content-Length\x00: 5",
    "X: y\nContent-Length: 5",
];

pub fn cases() -> Vec<Case> {
    let post = |lines: &str, body: &str| {
        format!("POST /up HTTP/1.1\r\nHost: site.test\r\n{lines}\r\n\r\n{body}")
    };
    let hidden = "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: site.test\r\n\r\n";
    let mut cases = Vec::new();
    for (length, coding) in BOTH {
        cases.push(refused(400, post(&format!("{length}\r\n{coding}"), hidden)));
        cases.push(refused(400, post(&format!("{coding}\r\n{length}"), hidden)));
    }
    cases.extend(CODINGS.iter().map(|lines| refused(400, post(lines, hidden))));
    for coding in ["gzip, chunked", "deflate,chunked", "GZIP , Chunked", "x-gzip, gzip, chunked"] {
        cases.push(refused(501, post(&format!("Transfer-Encoding: {coding}"), hidden)));
    }
    cases.extend(LENGTHS.iter().map(|lines| refused(400, post(lines, "hello"))));
    cases.push(refused(413, post("Content-Length: 9223372036854775807", "hello")));
    cases.push(refused(413, post("Content-Length: 104857601", "hello")));
    for (length, canonical) in [("5", 5), ("005", 5), (" 5", 5), ("\t5 \t", 5)] {
        let sees = format!("POST /up | content-length: {canonical} | hello");
        cases.push(taken(post(&format!("Content-Length:{length}"), "hello"), &sees));
    }
    let nothing = "POST /up | content-length: 0";
    cases.push(taken(post("Content-Length: 0", ""), nothing));
    cases.push(taken(post("Content-Length: 000", ""), nothing));
    let chunked = "POST /up | content-length: 5 | hello";
    for coding in ["chunked", "Chunked", "CHUNKED", "chunked \t", "\tchunked"] {
        let line = format!("Transfer-Encoding:{coding}");
        cases.push(taken(post(&line, "5\r\nhello\r\n0\r\n\r\n"), chunked));
    }
    // Names that only look like them are other fields, or none.
    for (line, sees) in [
        ("X-Content-Length: 5", "POST /up | x-content-length: 5"),
        ("Content-Lengths: 5", "POST /up | content-lengths: 5"),
        ("Content_Length: 5", "POST /up"),
        ("Transfer_Encoding: chunked", "POST /up"),
        ("Transfer-Encodings: chunked", "POST /up | transfer-encodings: chunked"),
    ] {
        cases.push(taken(post(line, ""), sees));
    }
    cases
}
