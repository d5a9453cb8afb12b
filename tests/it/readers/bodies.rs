//! Bodies of requests, and the ways in which they are sent.

use crate::simulation::random::Random;
use std::fmt::Write as _;

pub enum Sending {
    /// There is none.
    None,
    Counted(Vec<u8>),
    Chunked {
        content: Vec<u8>,
        chunks: Vec<u8>,
    },
}

/// Lengths around what larder reads before it asks the application.
const LONG: &[u64] = &[4096, 65_535, 65_536, 65_537, 70_000, 200_000];
/// What would be something else if a reader looked for the end in the wrong place.
const PARTS: &[&[u8]] = &[
    b"GET /inside HTTP/1.1\r\nHost: inside.test\r\n\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"\n",
    b"\r",
    b"5\r\nhello\r\n",
    b"\x00",
    b"\xff\xfe",
    b"a",
    b"POST /inside HTTP/1.0\r\nContent-Length: 5\r\n\r\n",
];
const EXTENSIONS: &[&str] = &["", "", "", ";", ";a", ";a=b", " ; a=\"b;c\"", "\t;x;y=z", ";\u{e9}"];
const TRAILERS: &[&str] = &[
    "X-Trailer: a\r\n",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Host: evil.test\r\n",
    "X_A:\r\n",
];

/// One that goes with this method, or none; HTTP/1.0 has no chunks.
pub fn body(random: &mut Random, method: &str, old: bool) -> Sending {
    let often = if matches!(method, "POST" | "PUT" | "PATCH") { 90 } else { 15 };
    if !random.percent(often) {
        return Sending::None;
    }
    let mut content = Vec::new();
    let length = match random.below(10) {
        0 => 0,
        1 => random.pick(LONG),
        _ => random.below(300),
    };
    while (content.len() as u64) < length {
        content.extend(random.pick(PARTS));
    }
    content.truncate(length as usize);
    if old || random.percent(50) {
        return Sending::Counted(content);
    }
    let chunks = chunked(random, &content);
    Sending::Chunked { content, chunks }
}

fn chunked(random: &mut Random, content: &[u8]) -> Vec<u8> {
    let (mut chunks, mut rest) = (Vec::new(), content);
    let most = if rest.len() > 1000 { 50_000 } else { 80 };
    while !rest.is_empty() {
        let length = (1 + random.below(most)).min(rest.len() as u64) as usize;
        let (chunk, others) = rest.split_at(length);
        chunks.extend(size(random, length).into_bytes());
        chunks.extend([chunk, b"\r\n"].concat());
        rest = others;
    }
    chunks.extend(size(random, 0).into_bytes());
    if random.percent(30) {
        for _ in 0..1 + random.below(3) {
            chunks.extend(random.pick(TRAILERS).as_bytes());
        }
    }
    chunks.extend(b"\r\n");
    chunks
}

fn size(random: &mut Random, length: usize) -> String {
    let mut line = random.pick(&["", "", "0", "0000"]).to_string();
    let _ = match random.percent(50) {
        true => write!(line, "{length:x}"),
        false => write!(line, "{length:X}"),
    };
    line + random.pick(EXTENSIONS) + "\r\n"
}

impl Sending {
    pub fn is_some(&self) -> bool {
        !matches!(self, Sending::None)
    }

    /// The line of the head that says how it is sent.
    pub fn line(&self, random: &mut Random) -> Option<Vec<u8>> {
        match self {
            Sending::None => None,
            Sending::Counted(content) => {
                let zeros = random.pick(&["", "", "0", "000"]);
                Some(format!("Content-Length: {zeros}{}", content.len()).into_bytes())
            }
            Sending::Chunked { .. } => {
                let coding = random.pick(&["chunked", "Chunked", "CHUNKED \t"]);
                Some(format!("transfer-encoding:{coding}").into_bytes())
            }
        }
    }

    pub fn content(&self) -> &[u8] {
        match self {
            Sending::None => b"",
            Sending::Counted(content) | Sending::Chunked { content, .. } => content,
        }
    }

    /// What is sent behind the head.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Sending::Chunked { chunks, .. } => chunks,
            _ => self.content(),
        }
    }
}
