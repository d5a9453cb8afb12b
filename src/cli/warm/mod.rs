//! `larder warm`: asks for pages before visitors do, and says what could not be
//! stored.

mod progress;
mod send;
mod sitemap;
mod tally;
mod urls;

use super::asking::{self, Field};
use super::{failed, say};
use crate::key::Target;
use clap::{ArgGroup, Args};
use std::path::PathBuf;
use std::process::ExitCode;
use tally::Tally;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("pages").required(true).multiple(true).args([
    "urls", "files", "sitemaps", "logs",
]))]
pub(super) struct WarmArgs {
    /// URLs, with scheme and host as visitors write them
    #[arg(value_name = "URL", value_parser = Target::from_url)]
    urls: Vec<Target>,
    /// A file with a URL in each line, or - for standard input; may be given again
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A sitemap or an index of them: a URL or a file; may be given again
    #[arg(long = "sitemap", value_name = "URL|FILE")]
    sitemaps: Vec<String>,
    /// An access log: what was asked for most comes first; may be given again
    #[arg(long = "log", value_name = "FILE")]
    logs: Vec<PathBuf>,
    /// Scheme and host of the pages of a log that doesn't say them
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    /// Where larder listens [default: each URL's own host and port]
    #[arg(long, value_name = "HOST:PORT", env = "LARDER_PROXY")]
    via: Option<String>,
    /// A field of every request, as with curl; may be given again
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = asking::field)]
    headers: Vec<Field>,
    /// Ask for every URL with this field too, " | " between several; given again, once for each
    #[arg(long = "variant", value_name = "NAME: VALUE", value_parser = variant)]
    variants: Vec<Fields>,
    /// At most so many URLs
    #[arg(long, value_name = "N", default_value_t = urls::MOST)]
    most: usize,
    /// Requests a second; 0 for as many as the answers allow
    #[arg(long, value_name = "N", default_value_t = 20.0, value_parser = rate)]
    rate: f64,
    /// Requests at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.0..=100_000.0).contains(rate));
    rate.ok_or_else(|| "a number from 0 to 100000".to_string())
}

/// The fields of one request for a URL.
type Fields = Vec<Field>;

pub(super) fn run(args: &WarmArgs) -> ExitCode {
    match warm(args) {
        Ok(tally) => {
            match args.json {
                true => say(&tally.document().to_string()),
                false => say(tally.summary().trim_end()),
            }
            if tally.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failed(&format!("error: {error}")),
    }
}

fn warm(args: &WarmArgs) -> Result<Tally, String> {
    let always = &args.headers;
    let mut variants: Vec<Fields> =
        args.variants.iter().map(|own| [&always[..], &own[..]].concat()).collect();
    if variants.is_empty() {
        variants.push(always.clone());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let wanted = runtime.block_on(urls::gather(args))?;
    for target in &wanted.urls {
        asking::address(target, args.via.as_deref())
            .map_err(|error| format!("{target}: {error}"))?;
    }
    let plan = send::Plan {
        urls: wanted.urls,
        variants,
        via: args.via.clone(),
        rate: args.rate,
        concurrency: args.concurrency.into(),
    };
    let progress = progress::Progress::of(plan.requests(), args.json);
    let mut tally = runtime.block_on(send::send(plan, progress));
    tally.notes.splice(0..0, wanted.notes);
    Ok(tally)
}

/// `Accept-Language: de | Accept-Encoding: gzip`
fn variant(text: &str) -> Result<Fields, String> {
    text.split(" | ").map(asking::field).collect()
}
