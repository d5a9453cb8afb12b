//! The real program, in front of an origin of a few lines: what it takes for a page, and
//! what stays resident while ten times its memory goes through it.

use crate::{BODY, FIELDS, MIB, PAGES, Random, resident};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

const CLIENTS: usize = 8;

/// A running larder, that ends with this.
struct Larder {
    child: Child,
    address: String,
}

impl Larder {
    fn start(memory: usize) -> Larder {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let settings = format!(
            "listen = [\"127.0.0.1:0\"]\nadmin.listen = \"127.0.0.1:0\"\norigin.to = \"{}\"\n\
             cache.memory = \"{}MiB\"\ncache.max_object = \"9MiB\"\n",
            origin(),
            memory / MIB
        );
        file.write_all(settings.as_bytes()).expect("it is written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_larder"))
            .args(["run", "--config"])
            .arg(file.path())
            // It takes every variable that begins so for a key.
            .env_remove(crate::PART)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("larder starts");
        let mut events = BufReader::new(child.stderr.take().expect("its standard error")).lines();
        let address = events.find_map(|line| {
            let line = line.expect("a line");
            let (_, rest) = line.split_once("listening on http://127.0.0.1:")?;
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Some(format!("127.0.0.1:{port}"))
        });
        // It goes on telling; nobody has to listen, but the pipe has to be emptied.
        std::thread::spawn(move || events.for_each(drop));
        Larder { child, address: address.expect("it says where it listens") }
    }

    fn resident(&self) -> usize {
        resident(&format!("/proc/{}/status", self.child.id()))
    }

    /// Asks for these pages over a few connections; `after` is called for each answer.
    fn ask(
        &self,
        pages: usize,
        size: impl Fn(usize) -> usize + Sync,
        after: impl Fn(usize) + Sync,
    ) {
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (size, after) = (&size, &after);
                scope.spawn(move || {
                    let mut socket = BufReader::new(TcpStream::connect(&self.address).expect("it"));
                    for page in (client..pages).step_by(CLIENTS) {
                        let path = format!("/page/{page:07}/{}", size(page));
                        let head = format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n\r\n");
                        socket.get_mut().write_all(head.as_bytes()).expect("it is sent");
                        after(answer(&mut socket));
                    }
                });
            }
        });
    }
}

impl Drop for Larder {
    fn drop(&mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ends");
    }
}

/// Reads a head; gives back its first line, and the length that it states.
fn head(socket: &mut impl BufRead) -> Option<(String, usize)> {
    let (mut first, mut length, mut line) = (None, 0, String::new());
    loop {
        line.clear();
        if socket.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let text = line.trim_end();
        if text.is_empty() {
            return Some((first?, length));
        }
        if let Some(value) = text.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
        first.get_or_insert_with(|| text.to_string());
    }
}

/// Reads an answer, which has to be a good one, and tells the length of its body.
fn answer(socket: &mut BufReader<TcpStream>) -> usize {
    let (status, length) = head(socket).expect("an answer");
    assert!(status.contains(" 200 "), "{status}");
    let body = std::io::copy(&mut socket.take(length as u64), &mut std::io::sink());
    assert_eq!(body.expect("a body"), length as u64);
    length
}

/// Answers with as many bytes as the last segment of the path says. Returns its address.
fn origin() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut socket = BufReader::new(socket);
                while let Some((request, _)) = head(&mut socket) {
                    let path = request.split(' ').nth(1).unwrap_or_default();
                    let size = path.rsplit('/').next().and_then(|size| size.parse().ok());
                    let size: usize = size.unwrap_or_default();
                    let mut answer = b"HTTP/1.1 200 OK\r\n".to_vec();
                    for (name, value) in FIELDS.iter().filter(|(name, _)| *name != "content-length")
                    {
                        answer.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
                    }
                    answer.extend_from_slice(format!("content-length: {size}\r\n\r\n").as_bytes());
                    answer.resize(answer.len() + size, b'x');
                    if socket.get_mut().write_all(&answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

pub fn pages() {
    let larder = Larder::start(4 << 30);
    // What the first pages take is there for all.
    larder.ask(1_000, |_| BODY + 1, drop);
    let before = larder.resident();
    larder.ask(PAGES, |_| BODY, drop);
    let taken = (larder.resident() - before) / PAGES;
    let fields = FIELDS.iter().map(|(name, value)| name.len() + value.len() + 4);
    let page = BODY + "HTTP/1.1 200 OK\r\n\r\n".len() + fields.sum::<usize>();
    println!(
        "the real program, {PAGES} pages: {taken} bytes each, {} beyond head and body",
        taken - page
    );
}

pub fn churn() {
    const BUDGET: usize = 256 * MIB;
    let larder = Larder::start(BUDGET);
    let size = |page: usize| Random(page as u64 * 7_919).size();
    let mut pages = 0;
    let mut bytes = 0;
    while bytes < 10 * BUDGET {
        bytes += size(pages);
        pages += 1;
    }
    let (most, count) = (AtomicUsize::new(0), AtomicUsize::new(0));
    larder.ask(pages, size, |_| {
        if count.fetch_add(1, Ordering::Relaxed) % 16 == 0 {
            most.fetch_max(larder.resident(), Ordering::Relaxed);
        }
    });
    println!(
        "the real program, budget of {} MiB, {} MiB put through: resident at most {:.3} of the budget, {:.3} at the end",
        BUDGET / MIB,
        bytes / MIB,
        most.into_inner() as f64 / BUDGET as f64,
        larder.resident() as f64 / BUDGET as f64
    );
}
