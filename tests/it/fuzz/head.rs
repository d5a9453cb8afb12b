//! Heads: whatever is let in, others read in the same way, in whatever pieces it
//! comes.

use super::reference::{self, Length};
use http::Uri;
use larder::message::{Framing, HeadLimits, HeadReader};

const LIMITS: HeadLimits = HeadLimits { bytes: 4096, fields: 40 };

pub fn check(data: &[u8]) {
    let whole = HeadReader::default().read(data, &LIMITS);
    let mut reader = HeadReader::default();
    let in_pieces = (0..=data.len()).map(|end| reader.read(&data[..end], &LIMITS));
    let in_pieces =
        in_pieces.into_iter().find(|read| !matches!(read, Ok(None))).unwrap_or(Ok(None));
    match (&whole, &in_pieces) {
        // Which of several things is wrong may depend on what has come.
        (Err(_), Err(_)) => {}
        _ => assert_eq!(whole, in_pieces),
    }
    let Ok(Some(read)) = whole else { return };
    assert!(read.length <= LIMITS.bytes);
    let (theirs, length) = reference::head(data).expect("httparse lets it in too");
    assert_eq!(read.length, length);
    // It is what it looks like, byte for byte.
    let text = data[..length].to_vec();
    let begun = text.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap();
    let mut lines = text[begun..length - 4].split(|b| *b == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(line.iter().all(|b| *b == b'\t' || (*b >= b' ' && *b != 0x7f)), "{line:?}");
        line
    });
    let first: Vec<&[u8]> = lines.next().unwrap().split(|b| *b == b' ').collect();
    let version = format!("HTTP/1.{}", theirs.minor);
    assert_eq!(first, [theirs.method.as_bytes(), theirs.target.as_bytes(), version.as_bytes()]);
    assert!(Uri::try_from(&*theirs.target).is_ok() && !theirs.target.contains('#'));
    assert!(theirs.fields.len() <= LIMITS.fields);
    for ((name, value), line) in theirs.fields.iter().zip(lines) {
        let (own, rest) = line.split_at(name.len());
        assert!(own.eq_ignore_ascii_case(name.as_bytes()) && rest.starts_with(b":"));
        assert_eq!(value.trim_ascii(), rest[1..].trim_ascii());
    }
    let expected = match read.framing {
        Framing::Chunked => Length::Chunks,
        Framing::Length(length) => Length::Bytes(length),
    };
    assert_eq!(reference::length(&theirs), expected);
    assert_eq!(read.upgrade, theirs.fields.iter().any(|(name, _)| name == "upgrade"));
}
