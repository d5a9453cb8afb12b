//! What each step of a hit costs: parse, key, lookup, decide, respond, record; and all
//! of them as the short way takes them, without the sockets.
//!
//! `cargo bench --bench steps`. 1,000 pages of 1 KiB are stored and asked for in turn,
//! as a browser asks.

use bytes::Buf;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use http::Version;
use larder::access_log::{AccessLog, Entry, Format, Options};
use larder::app::{Here, start_here};
use larder::clock::SystemClock;
use larder::config::{Listen, Settings, Target};
use larder::key::{CacheKey, Scheme, Sought};
use larder::message::{HeadLimits, HeadReader, Peer, Plain};
use larder::metrics::Metrics;
use larder::semantics::cache_status::{CacheStatus, Outcome};
use larder::semantics::request_directives::RequestDirectives;
use larder::semantics::reuse::{self, Reuse};
use std::fs::File;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

const PAGES: usize = 1000;
const HOST: &str = "shop.example";

fn path(number: usize) -> String {
    format!("/products/{number}?page=1")
}

fn head(number: usize) -> Vec<u8> {
    format!(
        "GET {} HTTP/1.1\r\nHost: {HOST}\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
         Accept-Language: de,en-US;q=0.7,en;q=0.3\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n",
        path(number)
    )
    .into_bytes()
}

/// Answers every request of a connection with 1 KiB that may be kept for an hour.
async fn answer(mut stream: TcpStream) {
    let body = "x".repeat(1024);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1024\r\n\
         Cache-Control: max-age=3600\r\nETag: \"1a2b\"\r\n\r\n{body}"
    );
    let mut heard = [0; 4096];
    // Each request comes by itself, and is small.
    while stream.read(&mut heard).await.is_ok_and(|count| count > 0) {
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Asks for each page, so that it is stored.
async fn fill(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    for number in 0..PAGES {
        stream.write_all(&head(number)).await.expect("it is sent");
        let (mut heard, mut some) = (Vec::new(), [0; 4096]);
        while !heard.ends_with(&[b'x'; 1024]) {
            let count = stream.read(&mut some).await.expect("an answer");
            assert!(count > 0, "larder has closed");
            heard.extend_from_slice(&some[..count]);
        }
    }
}

/// larder with all pages stored. The runtime has to be kept.
fn house() -> (Runtime, Here) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let here = runtime.block_on(async {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let origin = TcpListener::bind(any).await.expect("an origin");
        let port = origin.local_addr().expect("its address").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = origin.accept().await {
                tokio::spawn(answer(stream));
            }
        });
        let mut settings = Settings::new(Target::Tcp { host: "127.0.0.1".into(), port });
        settings.listen = vec![Listen { text: "any".into(), addresses: vec![any] }];
        settings.admin.listen = None;
        let here = start_here(&settings, Arc::new(SystemClock::start())).expect("it starts");
        fill(here.addresses()[0]).await;
        here
    });
    (runtime, here)
}

/// A log to nowhere.
fn log() -> AccessLog {
    let shown = rustix::io::dup(rustix::stdio::stdout()).expect("standard output");
    let nowhere = File::options().write(true).open("/dev/null").expect("/dev/null");
    rustix::stdio::dup2_stdout(&nowhere).expect("it is put in place");
    let (log, _) =
        AccessLog::start(Options { format: Some(Format::Combined), file: None }).expect("a log");
    rustix::stdio::dup2_stdout(&shown).expect("it is put back");
    log
}

fn parse(criterion: &mut Criterion, here: &Here, heads: &[Vec<u8>], peer: &Peer) {
    let limits = HeadLimits { bytes: 32 << 10, fields: 100 };
    let (_, shared) = here.inside();
    let mut turn = heads.iter().cycle();
    criterion.bench_function("parse: a head, strictly", |bencher| {
        bencher.iter(|| {
            let head = turn.next().expect("a head");
            HeadReader::default().read(black_box(head), &limits)
        });
    });
    criterion.bench_function("parse: a GET in plain words, with its key", |bencher| {
        bencher.iter(|| {
            let head = turn.next().expect("a head");
            Plain::read(black_box(head), peer, &shared.options.presented).is_some()
        });
    });
}

fn keys(criterion: &mut Criterion, here: &Here, paths: &[String]) {
    let (_, shared) = here.inside();
    let mut turn = paths.iter().cycle();
    criterion.bench_function("key: borrowed", |bencher| {
        bencher.iter(|| Sought::new(Scheme::Http, HOST, turn.next().expect("a path")));
    });
    let sought = paths.iter().filter_map(|path| Sought::new(Scheme::Http, HOST, path));
    let sought: Vec<Sought<'_>> = sought.collect();
    let mut turn = sought.iter().cycle();
    criterion.bench_function("lookup", |bencher| {
        bencher.iter(|| shared.memory.get(turn.next().expect("a key")).is_some());
    });
}

/// Its steps are those of `proxy/glance.rs`, for a response without `Vary`.
fn decide(criterion: &mut Criterion, here: &Here) {
    let (_, shared) = here.inside();
    let target = larder::key::Target::from_url(&format!("http://{HOST}{}", path(0)));
    let key = CacheKey::new(target.expect("a URL"));
    let slot = shared.memory.get(&key).expect("it is stored");
    let stored = &slot.variants()[0];
    let (nothing, now) = (RequestDirectives::default(), shared.clock.now());
    criterion.bench_function("decide: purged? fresh?", |bencher| {
        bencher.iter(|| {
            let freshness = &black_box(stored).content().freshness;
            shared.purger.plainly_stands(stored)
                && reuse::decide(freshness, None, black_box(false), &nothing, now) == Reuse::Fresh
        });
    });
}

fn respond(criterion: &mut Criterion, here: &Here, heads: &[Vec<u8>], peer: &Peer) {
    let (proxy, _) = here.inside();
    let mut turn = heads.iter().cycle();
    let mut next = || proxy.glance(turn.next().expect("a head"), peer).expect("a hit");
    criterion.bench_function("all but the strict reading: a head to an answer", |bencher| {
        bencher.iter(&mut next);
    });
    let mut wire = Vec::with_capacity(4096);
    criterion.bench_function("respond: the answer's pieces into a buffer", |bencher| {
        bencher.iter_batched(
            &mut next,
            |mut answer| {
                wire.clear();
                while answer.has_remaining() {
                    let piece = answer.chunk();
                    wire.extend_from_slice(piece);
                    let count = piece.len();
                    answer.advance(count);
                }
                wire.len()
            },
            BatchSize::SmallInput,
        );
    });
}

fn record(criterion: &mut Criterion) {
    let (metrics, log) = (Metrics::new(SystemTime::UNIX_EPOCH), log());
    let mut status = CacheStatus::new(Outcome::Hit);
    status.ttl = Some(3600);
    criterion.bench_function("record: counted", |bencher| {
        bencher.iter(|| metrics.count(black_box(&status)));
    });
    criterion.bench_function("record: Cache-Status written", |bencher| {
        bencher.iter(|| black_box(&status).to_string());
    });
    let path = path(7);
    criterion.bench_function("record: a line for the log", |bencher| {
        bencher.iter(|| {
            log.write(&Entry {
                at: SystemTime::UNIX_EPOCH,
                took: Duration::from_micros(20),
                client: Ipv4Addr::LOCALHOST.into(),
                method: "GET",
                target: path.as_ref(),
                version: Version::HTTP_11,
                host: None,
                referer: None,
                agent: None,
                status: 200,
                bytes: 1024,
                broken: false,
                cache: black_box(&status),
                age: Some(7),
                origin: None,
                id: None,
                trace: None,
                purged: &[],
            });
        });
    });
}

fn steps(criterion: &mut Criterion) {
    let (_runtime, here) = house();
    let heads: Vec<Vec<u8>> = (0..PAGES).map(head).collect();
    let paths: Vec<String> = (0..PAGES).map(path).collect();
    let peer = Peer::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000)));
    parse(criterion, &here, &heads, &peer);
    keys(criterion, &here, &paths);
    decide(criterion, &here);
    respond(criterion, &here, &heads, &peer);
    record(criterion);
}

criterion_group!(benches, steps);
criterion_main!(benches);
