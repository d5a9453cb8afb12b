//! `larder replay`: what an access log's requests would have met with another
//! configuration, as far as a log can tell.

mod judge;
mod report;
mod run;

use super::{failed, say};
use crate::config::{self, Overrides, Source};
use crate::key::{Host, Scheme, Target};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Access logs, the older first: combined or larder's JSON, by gzip too; - for standard input
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
    /// The configuration to try; else $LARDER_CONFIG, ./larder.toml or /etc/larder/larder.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How long pages are fresh, e.g. 60s [default: cache.default_ttl; where that is 0, for ever]
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    ttl: Option<Duration>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ReplayArgs) -> ExitCode {
    match replay(args) {
        Ok(report) => {
            match args.json {
                true => say(&report.document().to_string()),
                false => say(report.text().trim_end()),
            }
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn replay(args: &ReplayArgs) -> Result<report::Report, String> {
    let source = args.config.as_deref().map_or(Source::Search, Source::File);
    // The app's address is none of our business here, and may be missing.
    let overrides = Overrides { to: Some("unix:/".into()), ..Overrides::default() };
    let settings = config::load(source, config::environment(), &overrides);
    let settings = settings.map_err(|error| error.to_string())?;
    let by_default = Some(settings.cache.default_ttl).filter(|ttl| !ttl.is_zero());
    let lifetime = args.ttl.or(by_default);
    let judge = judge::Judge::of(&settings);
    let mut run = run::Run::new(&settings, judge, lifetime);
    for path in &args.logs {
        run.log(path).map_err(|error| format!("error: {error}"))?;
    }
    Ok(run.end())
}

/// The target of a line; a line that names no host is one of the only site.
fn target(host: Option<&str>, path: &str) -> Option<Target> {
    let host = Host::parse(host.unwrap_or("log.invalid")).ok()?;
    Target::new(Scheme::Http, host, path).ok()
}
