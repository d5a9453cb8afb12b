//! The clients: each asks once, and shows what came of it.

use super::random::Random;
use super::site::Who;
use super::wire::{self, Head};
use super::world::{Shared, When, World};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// A request.
#[derive(Clone)]
pub struct Ask {
    pub number: u64,
    pub page: usize,
    pub path: String,
    pub method: &'static str,
    pub language: &'static str,
    pub who: Who,
    pub range: Option<String>,
    pub if_none_match: Option<String>,
    pub only_if_cached: bool,
    pub query: String,
    /// Reads only after this many milliseconds.
    pub dawdles: u64,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ask { method, path, language, who, query, dawdles, .. } = self;
        write!(f, "{method} {path} {who} {language} {query}")?;
        for (name, value) in [("range", &self.range), ("knows", &self.if_none_match)] {
            if let Some(value) = value {
                write!(f, ", {name} {value}")?;
            }
        }
        if self.only_if_cached {
            f.write_str(", only if cached")?;
        }
        if *dawdles > 0 {
            write!(f, ", dawdles {dawdles} ms")?;
        }
        Ok(())
    }
}

/// What came.
#[derive(Clone)]
pub struct Outcome {
    pub ask: Ask,
    pub asked: When,
    /// When the head was read.
    pub came: When,
    /// Nothing, if the connection ended before.
    pub head: Option<Head>,
    pub body: Vec<u8>,
    pub complete: bool,
}

impl Outcome {
    pub fn status(&self) -> u16 {
        self.head.as_ref().and_then(|head| head.word(1).parse().ok()).unwrap_or(0)
    }

    pub fn field(&self, name: &str) -> &str {
        self.head.as_ref().and_then(|head| head.field(name)).unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> Option<usize> {
        self.field(name).parse().ok()
    }
}

/// Connections that can be used again.
pub type Kept = Arc<Mutex<Vec<BufReader<TcpStream>>>>;

impl Ask {
    /// A page as plain as can be.
    pub fn plain(world: &World, number: u64, page: usize) -> Ask {
        Ask {
            number,
            page,
            path: world.pages[page].path.clone(),
            method: "GET",
            language: "de",
            who: Who::default(),
            range: None,
            if_none_match: None,
            only_if_cached: false,
            query: String::new(),
            dawdles: 0,
        }
    }

    /// One of the many kinds of requests.
    pub fn draw(world: &World, number: u64, page: usize, random: &mut Random) -> Ask {
        let mut ask = Ask::plain(world, number, page);
        ask.language = random.pick(&["de", "en"]);
        ask.who = Who::draw(random);
        ask.dawdles = if random.percent(10) { random.below(800) } else { 0 };
        match random.below(100) {
            0..70 => {}
            70..77 => ask.method = "HEAD",
            77..84 => {
                ask.method = "QUERY";
                ask.query = random.pick(&["q1", "q2"]).into();
            }
            84..94 => {
                let first = random.pick(&[0, 0, 100, 1_000]);
                let last = random.pick(&["".to_string(), (first + 499).to_string()]);
                ask.range = Some(format!("bytes={first}-{last}"));
            }
            94..97 => ask.only_if_cached = true,
            _ => {
                let edition = world.pages[page].edition(page, ask.language, &ask.who, "");
                ask.if_none_match = Some(edition.etag());
            }
        }
        ask
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: site.test\r\nAccept-Language: {}\r\n",
            self.method, self.path, self.language
        );
        let mut line = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                text += &format!("{name}: {value}\r\n");
            }
        };
        line("Cookie", self.who.cookie.as_ref().map(|name| format!("session={name}")));
        line("Authorization", self.who.credentials.as_ref().map(|name| format!("Bearer {name}")));
        line("Range", self.range.clone());
        line("If-None-Match", self.if_none_match.clone());
        line("Cache-Control", self.only_if_cached.then(|| "only-if-cached".into()));
        line("X-Post", (self.method == "POST").then(|| self.number.to_string()));
        if matches!(self.method, "QUERY" | "POST") {
            line("Content-Type", Some("text/plain".into()));
            line("Content-Length", Some(self.query.len().to_string()));
        }
        (text + "\r\n" + &self.query).into_bytes()
    }

    /// Asks, and has what comes judged.
    pub async fn run(self, world: Shared, to: SocketAddr, kept: Kept) {
        let asked = {
            let mut world = world.lock();
            world.waiting.insert(self.number);
            world.note(&format!("client {}: {self}", self.number))
        };
        let waits = Waits(world.clone(), self.number);
        let old = kept.lock().expect("no panic").pop().filter(|_| self.method != "POST");
        let mut outcome = None;
        if let Some(mut stream) = old {
            outcome =
                self.ask_on(&mut stream, asked, &world).await.map(|outcome| (outcome, stream));
        }
        if outcome.is_none() {
            let mut stream = BufReader::new(connect(to).await);
            let came = self.ask_on(&mut stream, asked, &world).await;
            let nothing = Outcome {
                ask: self,
                asked,
                came: asked,
                head: None,
                body: Vec::new(),
                complete: false,
            };
            outcome = Some((came.unwrap_or(nothing), stream));
        }
        drop(waits);
        let Some((outcome, stream)) = outcome else { return };
        if outcome.complete && outcome.field("connection") != "close" {
            kept.lock().expect("no panic").push(stream);
        }
        world.lock().judge(&outcome);
    }

    /// `None` if the connection was over already.
    async fn ask_on(
        &self,
        stream: &mut BufReader<TcpStream>,
        asked: When,
        world: &Shared,
    ) -> Option<Outcome> {
        stream.get_mut().write_all(&self.bytes()).await.ok()?;
        sleep(Duration::from_millis(self.dawdles)).await;
        let head = wire::head(stream).await?;
        let came = world.lock().now();
        let mut outcome = Outcome {
            ask: self.clone(),
            asked,
            came,
            head: None,
            body: Vec::new(),
            complete: true,
        };
        let status = head.word(1);
        if self.method != "HEAD" && status != "204" && status != "304" {
            outcome.complete = wire::body(stream, &head, &mut outcome.body).await;
        }
        outcome.head = Some(head);
        Some(outcome)
    }
}

/// A client that waits, until it has its answer or leaves.
struct Waits(Shared, u64);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.lock().waiting.remove(&self.1);
    }
}

/// A connection to the proxy.
pub async fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).await.expect("the proxy accepts");
    // Who leaves is gone at once, and leaves no port behind.
    let lingering = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    lingering.expect("no lingering");
    stream
}
