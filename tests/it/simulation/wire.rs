//! Heads and bodies, read off a stream.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The head of a message.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The request line or the status line.
    pub line: String,
    /// The fields, names in lower case.
    pub fields: Vec<(String, String)>,
}

impl Head {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A word of the first line.
    pub fn word(&self, at: usize) -> &str {
        self.line.split(' ').nth(at).unwrap_or_default()
    }
}

/// Reads a head; `None` if the stream ends before it does.
pub async fn head(from: &mut (impl AsyncBufRead + Unpin)) -> Option<Head> {
    let mut head = Head { line: line(from).await?, ..Head::default() };
    loop {
        let line = line(from).await?;
        if line.is_empty() {
            return Some(head);
        }
        let (name, value) = line.split_once(':')?;
        head.fields.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
}

async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = String::new();
    from.read_line(&mut line).await.ok()?;
    Some(line.strip_suffix("\r\n")?.to_string())
}

/// Reads the body that belongs to a head, as far as it comes. Returns whether
/// it came to its proper end.
pub async fn body(from: &mut (impl AsyncBufRead + Unpin), head: &Head, into: &mut Vec<u8>) -> bool {
    if head.field("transfer-encoding") == Some("chunked") {
        return chunks(from, into).await.is_some();
    }
    let length: u64 = head.field("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let read = from.take(length).read_to_end(into).await;
    read.is_ok_and(|read| read as u64 == length)
}

async fn chunks(from: &mut (impl AsyncBufRead + Unpin), into: &mut Vec<u8>) -> Option<()> {
    loop {
        let size = u64::from_str_radix(&line(from).await?, 16).ok()?;
        if size == 0 {
            while !line(from).await?.is_empty() {}
            return Some(());
        }
        let read = from.take(size).read_to_end(into).await.ok()?;
        if read as u64 != size {
            return None;
        }
        line(from).await?;
    }
}
