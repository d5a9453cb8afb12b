//! Readings of our own that share no code with larder's: slow, plain, and strict.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Fields of a message in order, names in lower case.
pub type Fields = Vec<(String, Vec<u8>)>;

/// A message as `httparse` and a plain reading of lengths have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub method: String,
    pub target: String,
    pub minor: u8,
    pub fields: Fields,
    /// As far as it came.
    pub body: Vec<u8>,
    /// The body came to its end.
    pub complete: bool,
}

/// Which lengths a head gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Bytes(u64),
    Chunks,
    /// None, several, or one that is none.
    Unclear,
}

/// A head by `httparse`, and how many bytes it has.
pub fn head(bytes: &[u8]) -> Option<(Message, usize)> {
    let mut lines = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut lines);
    let httparse::Status::Complete(length) = request.parse(bytes).ok()? else { return None };
    let field = |line: &httparse::Header<'_>| (line.name.to_ascii_lowercase(), line.value.into());
    let message = Message {
        method: request.method?.into(),
        target: request.path?.into(),
        minor: request.version?,
        fields: request.headers.iter().map(field).collect(),
        body: Vec::new(),
        complete: false,
    };
    Some((message, length))
}

/// What a head says of its body's length, by the letter of RFC 9112 section 6.
pub fn length(message: &Message) -> Length {
    let values = |name: &str| -> Vec<String> {
        let lines = message.fields.iter().filter(|(field, _)| field == name);
        lines.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    };
    match (values("transfer-encoding").as_slice(), values("content-length").as_slice()) {
        ([], []) => Length::Bytes(0),
        ([coding], []) if coding.eq_ignore_ascii_case("chunked") && message.minor == 1 => {
            Length::Chunks
        }
        ([], [digits]) if digits.chars().all(|c| c.is_ascii_digit()) => match digits.parse() {
            Ok(length) if length < 1 << 63 => Length::Bytes(length),
            _ => Length::Unclear,
        },
        _ => Length::Unclear,
    }
}

/// A chunked body: its content as far as it came, and how many bytes it has if it came
/// to its end.
pub fn unchunked(bytes: &[u8]) -> (Vec<u8>, Option<usize>) {
    let mut content = Vec::new();
    let end = chunks(bytes, &mut content).and_then(|at| trailers(bytes, at));
    (content, end)
}

/// Where the chunks end.
fn chunks(bytes: &[u8], content: &mut Vec<u8>) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = bytes[at..].windows(2).position(|two| two == b"\r\n")?;
        let text = String::from_utf8_lossy(&bytes[at..at + line]).into_owned();
        let digits = text.split([';', ' ', '\t']).next()?;
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        // Zeros may lead, as many as there are.
        let digits = plain.then(|| format!("0{}", digits.trim_start_matches('0')))?;
        let size = u64::from_str_radix(&digits, 16).ok()?;
        at += line + 2;
        if size == 0 {
            return Some(at);
        }
        let end = at.saturating_add(usize::try_from(size).ok()?);
        content.extend_from_slice(&bytes[at..end.min(bytes.len())]);
        (bytes.get(end..end.checked_add(2)?)? == b"\r\n").then_some(())?;
        at = end + 2;
    }
}

/// Where trailer fields and the empty line behind them end.
fn trailers(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let line = bytes[at..].windows(2).position(|two| two == b"\r\n")?;
        at += line + 2;
        if line == 0 {
            return Some(at);
        }
    }
}

/// The first message of a connection, its body as far as it came, and how many bytes it
/// has: all of them if it does not come to its end. `None` if there is no whole head, or one that is unclear.
pub fn message(bytes: &[u8]) -> Option<(Message, usize)> {
    let (mut message, count) = head(bytes)?;
    let rest = &bytes[count..];
    let (body, end) = match length(&message) {
        Length::Unclear => return None,
        Length::Bytes(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let end = (length <= rest.len()).then_some(length);
            (rest[..length.min(rest.len())].to_vec(), end)
        }
        Length::Chunks => unchunked(rest),
    };
    (message.body, message.complete) = (body, end.is_some());
    Some((message, end.map_or(bytes.len(), |length| count + length)))
}

/// All messages of a connection, until there is no more or one is unclear; and how
/// many bytes they have.
pub fn messages(bytes: &[u8]) -> (Vec<Message>, usize) {
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some((message, count)) = message(&bytes[at..]) {
        all.push(message);
        at += count;
    }
    (all, at)
}

/// A field value as it is after a message has been read: no white space around it.
pub fn value(bytes: &[u8]) -> Option<HeaderValue> {
    let end = |b: &u8| !matches!(b, b' ' | b'\t');
    let first = bytes.iter().position(end).unwrap_or(bytes.len());
    let last = bytes.iter().rposition(end).map_or(first, |at| at + 1);
    HeaderValue::from_bytes(&bytes[first..last]).ok()
}

/// Lines `name: value` as fields; others are left out.
pub fn fields<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        if let (Ok(name), Some(value)) = (name, value(&line[colon + 1..])) {
            fields.append(name, value);
        }
    }
    fields
}

/// The lines of an input.
pub fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|b| *b == b'\n')
}
