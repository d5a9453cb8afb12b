//! Replays a trace of requests through the memory tier, and says how many of them it
//! would have answered.
//!
//! ```sh
//! cargo run --release --example hit_ratio -- FILE --capacity 5%
//! xz -dc trace.xz | cargo run --release --example hit_ratio -- - --capacity 64000000
//! ```
//!
//! A trace has one of two forms: lines of `time id size`, the size in bytes; or
//! numbers of 32 bits, the highest byte first, one for each request: then all are of
//! one size. The capacity is in bytes, or a part of what all that is asked for takes in
//! the memory tier, with its book-keeping.

use clap::Parser;
use larder::key::{CacheKey, Target};
use larder::semantics::time::Moment;
use larder::storage::{Count, Limits, Trial};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bytes of every page where the trace doesn't say.
const SIZE: usize = 1024;

#[derive(Parser)]
#[command(about = "How many requests of a trace the memory tier answers")]
struct Arguments {
    /// The trace; `-` for standard input
    file: PathBuf,
    /// In bytes, or in percent of all that is asked for
    #[arg(long, value_parser = capacity)]
    capacity: Capacity,
}

#[derive(Clone, Copy, Debug)]
enum Capacity {
    Bytes(u64),
    Percent(f64),
}

struct Request {
    id: u64,
    size: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match read(&arguments.file).and_then(|bytes| requests(&bytes)) {
        Ok(requests) => {
            replay(&requests, arguments.capacity);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {}: {error}", arguments.file.display());
            ExitCode::FAILURE
        }
    }
}

fn capacity(text: &str) -> Result<Capacity, String> {
    let wrong = |_| "bytes are needed, or a part, such as 5%".to_string();
    match text.strip_suffix('%').map(str::parse) {
        Some(Ok(percent)) if percent > 0.0 && percent <= 100.0 => Ok(Capacity::Percent(percent)),
        Some(_) => Err("a part is more than 0% and at most 100%".into()),
        None => text.parse().map(Capacity::Bytes).map_err(wrong),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => io::stdin().read_to_end(&mut bytes),
        false => fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    read.map(|_| bytes).map_err(|error| error.to_string())
}

/// The requests of a trace of either form.
fn requests(bytes: &[u8]) -> Result<Vec<Request>, String> {
    let is_text = |byte: &u8| byte.is_ascii_digit() || b" .\t\r\n".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(is_text) => lines(text),
        _ => numbers(bytes),
    }
}

fn lines(text: &str) -> Result<Vec<Request>, String> {
    let request = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (id, size) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().is_none().then_some(Request { id, size })
    };
    let wrong = |number| format!("line {number}: it is not \"time id size\"");
    let all = text.lines().zip(1..).map(|(line, number)| request(line).ok_or(wrong(number)));
    all.collect()
}

fn numbers(bytes: &[u8]) -> Result<Vec<Request>, String> {
    let (whole, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(format!("offset {}: the last number is cut off", bytes.len() - rest.len()));
    }
    let request = |number| Request { id: u32::from_be_bytes(number).into(), size: SIZE };
    Ok(whole.iter().map(|number| request(*number)).collect())
}

fn replay(requests: &[Request], capacity: Capacity) {
    let largest = requests.iter().map(|request| request.size).max().unwrap_or_default();
    let mut everything = with_room(u64::MAX / 2, largest);
    for request in requests {
        play(&mut everything, request);
    }
    let footprint = everything.usage();
    drop(everything);
    let capacity = match capacity {
        Capacity::Bytes(bytes) => bytes,
        Capacity::Percent(percent) => (footprint.bytes as f64 * percent / 100.0) as u64,
    };
    let mut trial = with_room(capacity, largest);
    let mut all = Count::default();
    for request in requests {
        all.add(request.size as u64);
        play(&mut trial, request);
    }
    let hits = trial.answered();
    let percent = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
    println!("{} targets take {} bytes; capacity {capacity}", footprint.targets, footprint.bytes);
    println!("{:.1} % of {} requests", percent(hits.requests, all.requests), all.requests);
    println!("{:.1} % of {} bytes", percent(hits.bytes, all.bytes), all.bytes);
}

/// A memory tier in which there is room for so many bytes.
fn with_room(room: u64, largest: usize) -> Trial {
    // A sixteenth of the limit stays free.
    Trial::new(Limits { bytes: room + room.div_ceil(15), variants: 1 }, largest, None)
}

/// Plays a request; nothing of a trace is ever stale.
fn play(trial: &mut Trial, request: &Request) {
    let target = Target::from_url(&format!("http://trace.example/{:08x}", request.id));
    trial.play(&CacheKey::new(target.expect("a URL")), request.size, Moment(0));
}
