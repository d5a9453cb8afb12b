//! A client that hides nothing: bytes out, bytes in.

use super::DEADLINE;
use socket2::{Domain, Socket, Type};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// An answer as it came.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The fields in order, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body, without chunk framing.
    pub body: Vec<u8>,
    /// Trailer fields.
    pub trailers: Vec<(String, String)>,
    /// The body came to its proper end.
    pub complete: bool,
}

impl Response {
    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    }

    /// The last `Cache-Status`, which is larder's.
    pub fn cache_status(&self) -> &str {
        self.all("cache-status").last().copied().unwrap_or_default()
    }

    /// Whether it was answered from the store.
    pub fn is_hit(&self) -> bool {
        self.cache_status().split("; ").any(|parameter| parameter == "hit")
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection on which several requests may be sent.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Connection {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        Connection { stream: BufReader::new(stream) }
    }

    /// A connection of a client that is far away: the sockets on the way hold tens of KiB and
    /// not, as between two programs of one machine, megabytes.
    pub fn from_afar(address: SocketAddr) -> Connection {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        socket.set_tcp_mss(1200).expect("small segments");
        socket.connect(&address.into()).expect("a connection");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        Connection { stream: BufReader::new(stream) }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("the bytes are sent");
    }

    /// What has come and not been read yet, and all that will come.
    pub fn reader(&mut self) -> &mut BufReader<TcpStream> {
        &mut self.stream
    }

    /// The stream itself.
    pub fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Sends a GET for a path of `site.test`, with more field lines.
    pub fn ask(&mut self, path: &str, lines: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: site.test\r\n{lines}\r\n").as_bytes());
    }

    /// Reads the head of an answer: status and fields.
    pub fn head(&mut self) -> Option<Response> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1)?.parse().ok()?;
        Some(Response { status, fields: self.fields()?, ..Response::default() })
    }

    /// Reads an answer to a request with this method; `None` if the connection
    /// ends before there is one. Interim answers are skipped.
    pub fn answer(&mut self, method: &str) -> Option<Response> {
        let mut response = self.head()?;
        while (100..200).contains(&response.status) && response.status != 101 {
            response = self.head()?;
        }
        self.with_body(method, response)
    }

    /// Reads the body that belongs to a final head.
    pub fn with_body(&mut self, method: &str, mut response: Response) -> Option<Response> {
        let bodiless = method == "HEAD" || matches!(response.status, 101 | 204 | 304);
        if bodiless {
            response.complete = true;
        } else if response.field("transfer-encoding") == Some("chunked") {
            response.complete = self.chunked(&mut response).is_some();
        } else if let Some(length) = response.field("content-length") {
            let length: usize = length.parse().expect("a length");
            let mut body = Vec::new();
            let _ = self.stream.by_ref().take(length as u64).read_to_end(&mut body);
            response.complete = body.len() == length;
            response.body = body;
        } else {
            response.complete = self.stream.read_to_end(&mut response.body).is_ok();
        }
        Some(response)
    }

    /// Reads one chunk of a chunked body; empty for the last.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = usize::from_str_radix(self.line()?.split(';').next()?.trim(), 16).ok()?;
        let mut chunk = vec![0; size];
        self.stream.read_exact(&mut chunk).ok()?;
        self.line()?;
        Some(chunk)
    }

    /// Whether the other side has closed the connection.
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.stream.read(&mut byte), Ok(0) | Err(_))
    }

    /// Reads exactly so many bytes.
    pub fn read_exact(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("the bytes come");
        bytes
    }

    fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).ok().filter(|count| *count > 0)?;
        Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_string())
    }

    fn fields(&mut self) -> Option<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Some(fields);
            }
            let (name, value) = line.split_once(':')?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_string()));
        }
    }

    fn chunked(&mut self, response: &mut Response) -> Option<()> {
        loop {
            let size = usize::from_str_radix(self.line()?.split(';').next()?.trim(), 16).ok()?;
            if size == 0 {
                response.trailers = self.fields()?;
                return Some(());
            }
            let mut chunk = vec![0; size];
            self.stream.read_exact(&mut chunk).ok()?;
            response.body.extend_from_slice(&chunk);
            self.line()?;
        }
    }
}

/// Sends one request on a connection of its own. `Host` is `site.test` unless it
/// is among the fields; a body gets a `Content-Length`.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str("Host: site.test\r\n");
    }
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let mut connection = Connection::open(address);
    connection.send(&[head.as_bytes(), b"Connection: close\r\n\r\n", body].concat());
    connection.answer(method).expect("an answer")
}

/// GET.
pub fn get(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> Response {
    request(address, "GET", path, fields, b"")
}

/// Sends bytes and reads all that comes until the connection ends.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut connection = Connection::open(address);
    connection.send(bytes);
    let mut all = Vec::new();
    let _ = connection.stream.read_to_end(&mut all);
    all
}

/// A date as HTTP writes it, so many seconds from now.
#[expect(clippy::disallowed_methods, reason = "dates of a test's responses are real")]
pub fn date(seconds: i64) -> String {
    let now = std::time::SystemTime::now();
    let span = Duration::from_secs(seconds.unsigned_abs());
    httpdate::fmt_http_date(if seconds < 0 { now - span } else { now + span })
}

/// Looks again and again until it is so; fails after the deadline.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = deadline();
    while !is_so() {
        assert!(remaining(end) > Duration::ZERO, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[expect(clippy::disallowed_methods, reason = "a deadline of a test is real time")]
fn deadline() -> Instant {
    Instant::now() + DEADLINE
}

#[expect(clippy::disallowed_methods, reason = "a deadline of a test is real time")]
fn remaining(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}
