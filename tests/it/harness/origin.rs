//! An origin that answers as the test says, byte for byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A request as the origin saw it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The request target.
    pub target: String,
    /// The fields in order, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body, without chunk framing.
    pub body: Vec<u8>,
    /// Trailer fields.
    pub trailers: Vec<(String, String)>,
    /// The body came to its proper end.
    pub complete: bool,
    /// The number of the connection that it came on, from zero.
    pub connection: usize,
}

impl Seen {
    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// A running origin.
pub struct Origin {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Origin {
    /// Starts one. `answer` is called for each request, writes what it likes to
    /// the stream, and tells whether the connection is to be kept open.
    pub fn scripted(
        answer: impl Fn(&Seen, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Origin {
        Origin::listening(TcpListener::bind("127.0.0.1:0").expect("a port"), answer)
    }

    /// The same, where the test has chosen.
    pub fn listening(
        listener: TcpListener,
        answer: impl Fn(&Seen, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Origin {
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (answer, noted) = (Arc::new(answer), Arc::clone(&seen));
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                std::thread::spawn(move || serve(stream, number, &*answer, &noted));
            }
        });
        Origin { address, seen }
    }

    /// One that gives each request a whole answer, made of text by [`reply`].
    pub fn answering(answer: impl Fn(&Seen) -> String + Send + Sync + 'static) -> Origin {
        Origin::scripted(move |seen, stream| stream.write_all(answer(seen).as_bytes()).is_ok())
    }

    /// One that is no concern of this harness: only where it is.
    pub fn somewhere(address: SocketAddr) -> Origin {
        Origin { address, seen: Arc::default() }
    }

    /// One whose connections the test serves by itself: their number, and the
    /// stream. Requests are noted only by [`read_request`].
    pub fn raw(serve: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(number, stream));
            }
        });
        Origin { address, seen: Arc::default() }
    }

    /// The same origin behind a unix socket, as gunicorn has one.
    pub fn behind_unix_socket(&self, path: &Path) {
        let listener = UnixListener::bind(path).expect("a unix socket");
        let address = self.address;
        std::thread::spawn(move || {
            for outside in listener.incoming().map_while(Result::ok) {
                let inside = TcpStream::connect(address).expect("the origin");
                let (mut from, mut to) = (
                    outside.try_clone().expect("the other half"),
                    inside.try_clone().expect("the other half"),
                );
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
                let (mut from, mut to) = (inside, outside);
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        });
    }

    /// How many requests for a target have come.
    pub fn asked_for(&self, target: &str) -> usize {
        self.seen().iter().filter(|seen| seen.target == target).count()
    }

    /// The last request that has come.
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("a request")
    }

    /// The requests that have come, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("the requests").clone()
    }

    /// How many requests have come.
    pub fn count(&self) -> usize {
        self.seen.lock().expect("the requests").len()
    }
}

/// An answer with a length: status, field lines such as `"ETag: \"a\""`, body.
pub fn reply(status: u16, fields: &[&str], body: &str) -> String {
    let mut text = format!("HTTP/1.1 {status} Whatever\r\n");
    for field in fields {
        text.push_str(field);
        text.push_str("\r\n");
    }
    if status != 304 && status != 204 {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text
}

fn serve(
    stream: TcpStream,
    connection: usize,
    answer: &(dyn Fn(&Seen, &mut TcpStream) -> bool + Send + Sync),
    noted: &Mutex<Vec<Seen>>,
) {
    let mut writer = stream.try_clone().expect("the other half");
    let mut reader = BufReader::new(stream);
    while let Some(mut seen) = read_request(&mut reader) {
        seen.connection = connection;
        noted.lock().expect("the requests").push(seen.clone());
        if !answer(&seen, &mut writer) {
            let _ = writer.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

/// Reads the head of a request; `None` at the end of the connection.
pub fn read_head(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let line = read_line(reader)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
    Some(Seen { method, target, fields: read_fields(reader)?, ..Seen::default() })
}

/// Reads a request with its body.
pub fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut seen = read_head(reader)?;
    if seen.field("transfer-encoding") == Some("chunked") {
        seen.complete = read_chunks(reader, &mut seen).is_some();
    } else {
        let length: u64 = seen.field("content-length").map_or(0, |l| l.parse().expect("a length"));
        let mut body = Vec::new();
        let _ = reader.take(length).read_to_end(&mut body);
        seen.complete = body.len() as u64 == length;
        seen.body = body;
    }
    Some(seen)
}

fn read_line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    Some(line.trim_end_matches(['\r', '\n']).to_string())
}

fn read_fields(reader: &mut BufReader<TcpStream>) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Some(fields);
        }
        let (name, value) = line.split_once(':')?;
        fields.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
}

fn read_chunks(reader: &mut BufReader<TcpStream>, seen: &mut Seen) -> Option<()> {
    loop {
        let size = usize::from_str_radix(read_line(reader)?.split(';').next()?, 16).ok()?;
        if size == 0 {
            seen.trailers = read_fields(reader)?;
            return Some(());
        }
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk).ok()?;
        seen.body.extend_from_slice(&chunk);
        read_line(reader)?;
    }
}
