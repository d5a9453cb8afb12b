//! Requests that two readers could read differently: what is right, and the raw tests'
//! cases, changed in a few places.

use super::valid;
use crate::raw;
use crate::simulation::random::Random;

/// Lines that speak of the body's length, in ways that one server or other has taken.
const FRAMING: &[&[u8]] = &[
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 05\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: 5,5\r\n",
    b"Content-Length: 5 \r\n",
    b"Content-Length:\r\n",
    b"Content-Length: 1e1\r\n",
    b"Content-Length: 0x5\r\n",
    b"Content-Length : 5\r\n",
    b"Content_Length: 5\r\n",
    b"X: y\nContent-Length: 5\r\n",
    b"X: y\rContent-Length: 5\r\n",
    b"Content-Length: 18446744073709551621\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer_Encoding: chunked\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b" Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding:\r\n chunked\r\n",
    b"X: y\nTransfer-Encoding: chunked\r\n",
    b"transfer-encoding:chunked\t\r\n",
    b"Connection: content-length\r\n",
    b"Connection: transfer-encoding, host\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    b"Trailer: Content-Length\r\n",
    b"Host: other.test\r\n",
];
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\n\n",
    b" ",
    b"\t",
    b":",
    b": ",
    b"\0",
    b"\x0b",
    b"\x0c",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"_",
    b",",
    b";",
    b"\"",
    b"0\r\n\r\n",
    b"0\r\n",
    b"5\r\nhello\r\n",
    b"GET /inside HTTP/1.1\r\nHost: inside.test\r\n\r\n",
    b"X: y\r\n",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b" HTTP/1.1\r\n",
    b"http://other.test",
    b"%",
    b"#",
    b"?",
    b"/",
    b"..",
];

/// Bytes for a connection.
pub fn bytes(random: &mut Random, number: u64) -> Vec<u8> {
    let mut bytes = base(random, number);
    if random.percent(20) {
        let at = random.below(bytes.len() as u64) as usize;
        bytes.truncate(at);
        bytes.extend(base(random, number));
    }
    for _ in 0..1 + random.below(2) {
        change(random, &mut bytes);
    }
    bytes
}

fn base(random: &mut Random, number: u64) -> Vec<u8> {
    let bytes = match random.percent(50) {
        true => random.pick(raw::requests()),
        false => valid::sent(random, number, false).bytes,
    };
    // Changes would be lost in the long ones.
    if bytes.len() < 3000 { bytes } else { base(random, number) }
}

/// Somewhere; more often at the end of a line, or where a line begins.
fn place(random: &mut Random, bytes: &[u8]) -> usize {
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\r').collect();
    match random.below(4) {
        0 if !ends.is_empty() => random.pick(&ends),
        1 if !ends.is_empty() => (random.pick(&ends) + 2).min(bytes.len()),
        _ => random.below(bytes.len() as u64 + 1) as usize,
    }
}

fn change(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = place(random, bytes);
    let end = (at + 1 + random.below(3) as usize).min(bytes.len());
    match random.below(8) {
        0 | 1 => {
            // Behind the request line, or a field.
            let lines = (0..bytes.len()).filter(|at| bytes[..*at].ends_with(b"\r\n"));
            if let Some(line) = lines.take(1 + random.below(4) as usize).last() {
                bytes.splice(line..line, random.pick(FRAMING).to_vec());
            }
        }
        2 | 3 => drop(bytes.splice(at..at, random.pick(PIECES).to_vec())),
        4 => drop(bytes.splice(at..end, random.pick(PIECES).to_vec())),
        5 => drop(bytes.drain(at..end)),
        6 => {
            let line = bytes[at..].iter().position(|b| *b == b'\n').map_or(end, |n| at + n + 1);
            let again = bytes[at..line].to_vec();
            bytes.splice(at..at, again);
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = match *byte {
                    b'-' => b'_',
                    digit @ b'0'..=b'9' => b'0' + (digit - b'0' + 1) % 10,
                    letter if letter.is_ascii_alphabetic() => letter ^ 0x20,
                    _ => random.below(256) as u8,
                };
            }
        }
    }
}
