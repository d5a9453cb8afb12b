//! Another reader of the bytes that larder writes: a program that is told them on its
//! standard input, or a server before a recorder.

use super::recorder::Recorder;
use crate::fuzz::reference::Message;
use crate::harness::{DEADLINE, python};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// Behind what is read, so that nobody waits for more.
pub const LAST: &[u8] = b"GET /the-last HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n";

/// How the bytes of a connection end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The last request says that it is.
    Closes,
    /// It is answered once, and may stay open.
    Answered,
    /// In the middle of a request.
    Breaks,
}

/// What a reader has made of some bytes: requests that it has read whole, and why not of
/// those that it has refused. Behind one of these there may be nothing more.
pub type Reading = Vec<Result<Message, String>>;

pub struct Reader {
    pub name: &'static str,
    pub habits: Habits,
    way: Way,
}

/// What a reader tells in its own words, and means what was written.
#[derive(Clone, Copy, Default)]
pub struct Habits {
    /// What it puts between the values of a field that is repeated.
    pub joins_by: Option<&'static str>,
    /// It tells the length of what came in chunks.
    pub measures: bool,
    /// An empty query is none to it.
    pub drops_empty_queries: bool,
    pub at_once: AtOnce,
}

/// What a reader may be sent at once, if it is to read all of it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum AtOnce {
    #[default]
    All,
    /// With a request it refuses those before it that came at the same time.
    NoneRefused,
    /// It reads nothing that comes with the first, and closes when it likes.
    One,
}

enum Way {
    Told(Program),
    Serves(Box<Server>),
}

impl Reader {
    /// All of them.
    pub fn all() -> Vec<Reader> {
        let told = |name, habits, command| {
            let way = Way::Told(Program::start(command));
            Reader { name, habits, way }
        };
        let serves = |name, habits, server| {
            let way = Way::Serves(Box::new(server));
            Reader { name, habits, way }
        };
        let server = |name, habits| {
            let mut command = with_python("with_server.py");
            command.arg(name);
            told(name, habits, command)
        };
        let mut node = Command::new("node");
        node.arg(script("with_node.js"));
        let lists = Habits::default();
        let joins = |by| Habits { joins_by: Some(by), ..lists };
        let asgi = Habits { drops_empty_queries: true, ..lists };
        vec![
            told("h11", lists, with_python("with_h11.py")),
            told("gunicorn", joins(","), with_python("with_gunicorn.py")),
            told("Node", lists, node),
            server("waitress", Habits { measures: true, ..joins(", ") }),
            server("uvicorn-h11", asgi),
            server("uvicorn-httptools", Habits { at_once: AtOnce::NoneRefused, ..asgi }),
            server("hypercorn", asgi),
            server("uwsgi", Habits { at_once: AtOnce::One, ..joins(", ") }),
            serves("nginx", lists, super::servers::nginx()),
            serves("Apache", joins(", "), super::servers::apache()),
        ]
    }

    /// Reads what comes on a connection.
    pub fn read(&mut self, bytes: &[u8], end: End) -> Reading {
        match &mut self.way {
            Way::Told(program) => program.read(bytes, end),
            Way::Serves(server) => server.read(bytes, end),
        }
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/readers").join(name)
}

pub fn with_python(name: &str) -> Command {
    let mut command = python(&[]);
    command.arg(script(name));
    command
}

/// A line in, a line of JSON out.
pub struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    /// Starts it.
    pub fn start(mut command: Command) -> Program {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let started = command.spawn();
        let mut child = started.unwrap_or_else(|error| {
            panic!("{command:?} can't be started ({error}): run scripts/setup-tests")
        });
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Program { child, lines }
    }

    /// What it says to a line.
    pub fn ask(&mut self, line: &str) -> Value {
        let stdin = self.child.stdin.as_mut().expect("its input");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("it takes a line");
        let answer = self.lines.recv_timeout(DEADLINE).expect("it answers");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// What it reads on a connection, which it is told in hexadecimal digits.
    fn read(&mut self, bytes: &[u8], end: End) -> Reading {
        let mut line = String::new();
        for byte in bytes {
            let _ = write!(line, "{byte:02x}");
        }
        line.push_str(match end {
            End::Closes => " closes",
            End::Answered => " answered",
            End::Breaks => " breaks",
        });
        reading(&self.ask(&line))
    }
}

impl Drop for Program {
    /// Without more to read it ends, and leaves nothing behind.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if std::thread::panicking() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn reading(said: &Value) -> Reading {
    let text = |value: &Value| value.as_str().expect("text").to_string();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    // Each byte is a character.
    let bytes = |value: &Value| -> Vec<u8> {
        text(value).chars().map(|c| u8::try_from(c).expect("a byte")).collect()
    };
    let digits = |value: &Value| -> Vec<u8> {
        let digits = text(value).into_bytes();
        let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).expect("digits"), 16);
        digits.chunks(2).map(|two| byte(two).expect("a number")).collect()
    };
    let message = |request: &Value| Message {
        method: text(&request["method"]),
        target: String::from_utf8(bytes(&request["target"])).unwrap_or_default(),
        minor: 1,
        fields: list(&request["fields"]).iter().map(|f| (text(&f[0]), bytes(&f[1]))).collect(),
        body: digits(&request["body"]),
        complete: true,
    };
    let refused = said["refused"].as_str().map(|why| Err(why.to_string()));
    list(&said["requests"]).iter().map(|request| Ok(message(request))).chain(refused).collect()
}

/// A server that hands on what it has read to a recorder.
pub struct Server {
    pub address: SocketAddr,
    pub behind: Recorder,
    /// Killed when dropped.
    pub child: Child,
    /// Where its configuration is.
    pub folder: tempfile::TempDir,
}

/// Fields that a server writes anew for the recorder. As it has read them they are
/// handed on as `Read-...`; its first line may be, too.
pub const WRITTEN_ANEW: [&str; 5] =
    ["Connection", "Content-Length", "TE", "Transfer-Encoding", "Upgrade"];

impl Server {
    fn read(&mut self, bytes: &[u8], end: End) -> Reading {
        let before = self.behind.count();
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        // Who is refused early may find the connection closed while still sending.
        let _ = stream.write_all(bytes);
        if end != End::Closes {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut answers = Vec::new();
        // Who doesn't want to read on may well reset the connection.
        let _ = stream.read_to_end(&mut answers);
        let answers = String::from_utf8_lossy(&answers).into_owned();
        let mut noted = self.behind.since(before).into_iter();
        let outcome = |answer: &str| match answer.contains("X-Read: ") {
            true => Ok(as_read(noted.next().expect("what is answered has come").1)),
            false => Err(answer.lines().next().unwrap_or_default().to_string()),
        };
        let mut reading: Reading = answers.split("HTTP/1.1 ").skip(1).map(outcome).collect();
        // And whatever has come without having been asked for.
        reading.extend(noted.map(|(_, message)| Ok(as_read(message))));
        reading
    }
}

fn as_read(mut message: Message) -> Message {
    message.fields.retain(|(name, _)| !WRITTEN_ANEW.iter().any(|n| n.eq_ignore_ascii_case(name)));
    for (name, _) in &mut message.fields {
        if let Some(read) = name.strip_prefix("read-") {
            *name = read.to_string();
        }
    }
    if let Some(at) = message.fields.iter().position(|(name, _)| name == "line") {
        let (_, line) = message.fields.remove(at);
        let line = String::from_utf8(line).expect("text");
        let mut words = line.split(' ').map(String::from);
        message.method = words.next().expect("a method");
        message.target = words.next().expect("a target");
    }
    message
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
