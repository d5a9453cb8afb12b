//! The origin: tells the truth, though not always well.

use super::random::Random;
use super::site::{Edition, Keeping, Page, Who};
use super::wire::{self, Head};
use super::world::{Exchange, Met, PLACES, Purge, Shared, World};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// What the origin does for an answer, in order; then it waits for the next
/// request.
#[derive(Debug)]
enum Act {
    Wait(u64),
    /// The head, and what follows at once.
    Head(Vec<u8>),
    Bytes(Vec<u8>),
    Close,
    /// Nothing, until the other side has enough.
    Hang,
}

/// What goes wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Error(u16),
    Dropped,
    Silent,
    CutInHead,
    CutInBody,
    SilentInBody,
    BrokenChunk,
    /// 304, though nothing was asked about.
    NotModified,
    /// A second answer behind the first.
    Twice,
}

const FAULTS: &[Fault] = &[
    Fault::Error(500),
    Fault::Error(503),
    Fault::Error(503),
    Fault::Dropped,
    Fault::Silent,
    Fault::CutInHead,
    Fault::CutInBody,
    Fault::CutInBody,
    Fault::SilentInBody,
    Fault::BrokenChunk,
    Fault::NotModified,
    Fault::Twice,
];

/// A running origin; dropped, it is gone with all its connections.
pub struct Origin(JoinHandle<()>);

impl Origin {
    pub fn start(world: &Shared, at: &PathBuf) -> Origin {
        // There is none, or it is the one before.
        let _ = std::fs::remove_file(at);
        let listener = UnixListener::bind(at).expect("a unix socket");
        let world = world.clone();
        Origin(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(world.clone(), stream));
            }
        }))
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends an exchange, however it ends.
struct Ends(Shared, usize);

impl Drop for Ends {
    fn drop(&mut self) {
        let mut world = self.0.lock();
        let now = world.now();
        world.exchanges[self.1].ended.get_or_insert(now);
    }
}

async fn converse(world: Shared, stream: UnixStream) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(asked) = wire::head(&mut reader).await {
        let mut content = Vec::new();
        let whole = wire::body(&mut reader, &asked, &mut content).await;
        if !whole {
            return;
        }
        let (serial, acts) = world.lock().receive(&asked, &content);
        let _ends = Ends(world.clone(), serial);
        let playing = async {
            for act in acts {
                match act {
                    Act::Wait(millis) => sleep(Duration::from_millis(millis)).await,
                    Act::Head(bytes) => {
                        world.lock().head_goes(serial);
                        writer.write_all(&bytes).await.ok()?;
                    }
                    Act::Bytes(bytes) => writer.write_all(&bytes).await.ok()?,
                    Act::Close => return None,
                    Act::Hang => std::future::pending().await,
                }
            }
            Some(())
        };
        tokio::select! {
            played = playing => if played.is_none() { return },
            // Nobody sends a second request before the answer: it is the end.
            _ = reader.fill_buf() => return,
        }
    }
}

impl World {
    /// A request has come: decides what is answered, and how well.
    fn receive(&mut self, asked: &Head, content: &[u8]) -> (usize, Vec<Act>) {
        let (method, target) = (asked.word(0).to_string(), asked.word(1));
        let number = self.pages.iter().position(|page| page.path == target).unwrap_or_else(|| {
            panic!("no client asks for {target}");
        });
        let serial = self.exchanges.len();
        let mut random = Random::new(self.random.below(u64::MAX));
        let fault = (!self.healthy && random.percent(20)).then(|| random.pick(FAULTS));
        if method == "POST" {
            self.change(number, asked);
        }
        let page = self.pages[number].clone();
        let who = who(asked);
        let language = asked.field("accept-language").unwrap_or("-");
        let query = String::from_utf8_lossy(content).into_owned();
        let edition = page.edition(number, language, &who, &query);
        let answer = Answer { page: &page, edition: &edition, serial, method: &method };
        let (status, acts) = answer.acts(asked, fault, &mut random);
        let well = fault.map_or("well".to_string(), |fault| format!("{fault:?}"));
        let version = page.version;
        let began = self.note(&format!(
            "origin {serial}: {method} {target} {who} {language} {query}: {status}, v{version}, {well}"
        ));
        if let Some(fault) = fault {
            self.count(&format!("fault {fault:?}"));
        }
        let plain = method == "GET" && who.is_anybody() && asked.field("range").is_none();
        self.exchanges.push(Exchange {
            edition,
            rules: page.rules.clone(),
            tags: page.tags.clone(),
            method,
            plain,
            status,
            began,
            head: None,
            ended: None,
            faulty: fault.is_some(),
            given: 0,
        });
        let in_flight = self.in_flight().count();
        if in_flight >= PLACES {
            self.full = Some(began);
        }
        self.one_at_a_time(serial);
        (serial, acts)
    }

    /// A POST changes the page, once.
    fn change(&mut self, number: usize, asked: &Head) {
        self.pages[number].version += 1;
        let post = asked.field("x-post").and_then(|n| n.parse().ok()).expect("the client's number");
        if !self.posted.insert(post) {
            self.blame(format!("POST {post} was sent twice"));
        }
    }

    fn head_goes(&mut self, serial: usize) {
        let now = self.note(&format!("origin {serial}: head"));
        let exchange = &mut self.exchanges[serial];
        exchange.head = Some(now);
        // What a good answer to an unsafe request makes invalid is invalid for
        // whoever asks after it has come.
        if exchange.method == "POST" && exchange.status == 204 {
            let page = exchange.edition.page;
            let group = self.pages[page].group.clone();
            let group = group.map(Met::Group);
            for met in std::iter::once(Met::Page(page)).chain(group) {
                self.purges.push(Purge { met, soft: false, sent: now, answered: None });
            }
        }
    }
}

/// The last chunk.
const END: &[u8] = b"0\r\n\r\n";

/// Everything an answer is made of.
struct Answer<'a> {
    page: &'a Page,
    edition: &'a Edition,
    serial: usize,
    method: &'a str,
}

impl Answer<'_> {
    fn acts(&self, asked: &Head, fault: Option<Fault>, random: &mut Random) -> (u16, Vec<Act>) {
        let wait = Act::Wait(random.pick(&[0, 0, 5, 40, 150, 400]));
        let head_only = self.method == "HEAD";
        let (status, body, place) = self.content(asked, fault);
        let bodiless = head_only || body.is_empty() || matches!(status, 204 | 304);
        let chunked = fault == Some(Fault::BrokenChunk) || random.percent(30);
        let head = self.head(status, body.len(), place, chunked);
        let mut acts = vec![wait];
        match fault {
            Some(Fault::Dropped) => return (0, vec![Act::Wait(random.below(50)), Act::Close]),
            Some(Fault::Silent) => return (0, vec![Act::Hang]),
            Some(Fault::CutInHead) => {
                acts.extend([Act::Bytes(head[..head.len() / 2].to_vec()), Act::Close]);
                return (0, acts);
            }
            _ => acts.push(Act::Head(head.clone())),
        }
        if bodiless {
            acts.extend(
                (chunked && !head_only && matches!(status, 200 | 404 | 416))
                    .then(|| Act::Bytes(END.to_vec())),
            );
            return (status, acts);
        }
        let at = random.below(body.len() as u64);
        let (first, second) = body.split_at(usize::try_from(at).expect("a length"));
        let framed = |bytes: &[u8]| match chunked {
            true if bytes.is_empty() => Vec::new(),
            true => [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat(),
            false => bytes.to_vec(),
        };
        acts.push(Act::Bytes(framed(first)));
        acts.push(Act::Wait(random.pick(&[0, 0, 0, 20, 300])));
        match fault {
            Some(Fault::CutInBody) => acts.push(Act::Close),
            Some(Fault::SilentInBody) => acts.push(Act::Hang),
            Some(Fault::BrokenChunk) => acts.push(Act::Bytes(b"oops\r\n\r\n".to_vec())),
            _ => acts.push(Act::Bytes(framed(second))),
        }
        if chunked {
            acts.push(Act::Bytes(END.to_vec()));
        }
        if fault == Some(Fault::Twice) {
            acts.push(Act::Bytes([head, framed(&body), framed(&[])].concat()));
        }
        (status, acts)
    }

    /// Status, content, and its place in the whole if it is a part.
    fn content(&self, asked: &Head, fault: Option<Fault>) -> (u16, Vec<u8>, Option<String>) {
        match fault {
            Some(Fault::Error(status)) => return (status, b"something is wrong".to_vec(), None),
            Some(Fault::NotModified) => return (304, Vec::new(), None),
            _ if self.method == "POST" => return (204, Vec::new(), None),
            _ => {}
        }
        let body = self.edition.body();
        let etag = self.edition.etag();
        let knows = |name| asked.field(name).is_some_and(|tags| tags.contains(&etag));
        if self.edition.gone {
            return (404, body, None);
        }
        if self.page.has_etag && knows("if-none-match") {
            return (304, Vec::new(), None);
        }
        let whole =
            self.method != "GET" || (asked.field("if-range").is_some() && !knows("if-range"));
        match asked.field("range").filter(|_| !whole) {
            Some(range) => match place(range, body.len()) {
                Some((first, last)) => {
                    let place = format!("bytes {first}-{last}/{}", body.len());
                    (206, body[first..=last].to_vec(), Some(place))
                }
                None => (416, Vec::new(), Some(format!("bytes */{}", body.len()))),
            },
            None => (200, body, None),
        }
    }

    fn head(&self, status: u16, length: usize, place: Option<String>, chunked: bool) -> Vec<u8> {
        let Answer { page, edition, serial, method } = self;
        let mut lines = vec![format!("HTTP/1.1 {status} So"), format!("X-Serial: {serial}")];
        if status >= 500 || *method == "POST" {
            lines.extend(
                page.group
                    .iter()
                    .filter(|_| status == 204)
                    .map(|group| format!("Cache-Group-Invalidation: \"{group}\"")),
            );
        } else {
            lines.push(format!("Cache-Control: {}", page.rules.cache_control()));
            lines.extend(page.has_etag.then(|| format!("ETag: {}", edition.etag())));
            lines.extend(
                (!page.tags.is_empty()).then(|| format!("Cache-Tag: {}", page.tags.join(", "))),
            );
            lines.extend(page.group.iter().map(|group| format!("Cache-Groups: \"{group}\"")));
            let by_cookie = page.rules.keeping == Keeping::ByCookie;
            lines.extend(by_cookie.then(|| "Vary: Cookie".to_string()));
            lines.extend(page.by_language.then(|| "Vary: Accept-Language".to_string()));
            let sets = page.rules.keeping == Keeping::SetCookie;
            lines.extend(sets.then(|| format!("Set-Cookie: session={}", edition.who)));
        }
        if status != 304 && *method != "POST" {
            // A 304 brings nothing new, and doesn't say so.
            lines.push(format!("X-Born: {serial}"));
        }
        lines.extend(place.map(|place| format!("Content-Range: {place}")));
        match status {
            204 | 304 => {}
            _ if chunked => lines.push("Transfer-Encoding: chunked".into()),
            _ => lines.push(format!("Content-Length: {length}")),
        }
        (lines.join("\r\n") + "\r\n\r\n").into_bytes()
    }
}

fn who(asked: &Head) -> Who {
    let after = |name, before: &str| {
        asked.field(name).and_then(|value| value.strip_prefix(before)).map(String::from)
    };
    Who { cookie: after("cookie", "session="), credentials: after("authorization", "Bearer ") }
}

/// `bytes=first-last`, as far as there are bytes.
fn place(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let last: usize = if last.is_empty() { usize::MAX } else { last.parse().ok()? };
    (first < length).then(|| (first, last.min(length - 1)))
}
