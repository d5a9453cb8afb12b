//! `larder bench`: the same pages from the app and through larder, by the same
//! loop.

mod histogram;
mod load;
mod report;

use super::asking::{self, Field};
use super::connection::{Asked, Place};
use super::{failed, say};
use crate::config::{self, Overrides, Settings, Source};
use crate::key::Target;
use clap::Args;
use load::{Load, Until};
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// URLs, with scheme and host as visitors write them
    #[arg(value_name = "URL", required = true, value_parser = Target::from_url)]
    urls: Vec<Target>,
    /// Where larder listens [default: from the configuration]
    #[arg(long, value_name = "HOST:PORT", env = "LARDER_PROXY")]
    via: Option<String>,
    /// Where the app listens: host:port or unix:/path [default: from the configuration]
    #[arg(long, value_name = "TARGET")]
    origin: Option<String>,
    /// The configuration that says where both are
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A field of every request, as with curl; may be given again
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = asking::field)]
    headers: Vec<Field>,
    /// How long each of the two is asked
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Ask each of the two for so many pages instead
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    requests: Option<u64>,
    /// Connections at a time, which are kept alive
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BenchArgs) -> ExitCode {
    match bench(args) {
        Ok(report) => {
            match args.json {
                true => say(&report.document().to_string()),
                false => say(report.table().trim_end()),
            }
            if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failed(&format!("error: {error}")),
    }
}

fn bench(args: &BenchArgs) -> Result<Report, String> {
    let (app, larder) = places(args)?;
    let until = match args.requests {
        Some(requests) => Until::Requests(requests),
        None => Until::Passed(Duration::from_secs(args.seconds)),
    };
    let load = Load {
        asked: args.urls.iter().map(|url| Asked::of(url, args.headers.clone())).collect(),
        until,
        connections: args.connections.into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        // Both have answered each page once before anything is counted.
        load.warm_up(&app).await.map_err(|error| format!("the app, at {app}: {error}"))?;
        let failed = |error| format!("larder, at {larder}: {error}");
        load.warm_up(&larder).await.map_err(failed)?;
        let decided = load.warm_up(&larder).await.map_err(failed)?;
        let app = (app.to_string(), load.run(&app).await);
        let larder = (larder.to_string(), load.run(&larder).await);
        Ok(Report {
            app,
            larder,
            decided,
            urls: args.urls.iter().map(Target::to_string).collect(),
            load,
        })
    })
}

/// Where the app and larder listen.
fn places(args: &BenchArgs) -> Result<(Place, Place), String> {
    let needs_file = args.via.is_none() || args.origin.is_none();
    let source = match &args.config {
        Some(file) => Source::File(file),
        None if needs_file => Source::Search,
        None => Source::None,
    };
    let overrides = Overrides { to: args.origin.clone(), ..Overrides::default() };
    let settings = config::load(source, config::environment(), &overrides).map_err(|error| {
        format!("{error}\n(--via HOST:PORT and --origin TARGET say both without a configuration)")
    })?;
    let app = settings.origin.to.first().ok_or("the app's address is missing")?;
    let larder = match &args.via {
        Some(via) => via.strip_prefix("http://").unwrap_or(via).trim_end_matches('/').to_string(),
        None => listens(&settings).ok_or("larder's address is missing")?,
    };
    Ok((Place::of(app)?, Place::Tcp(larder)))
}

fn listens(settings: &Settings) -> Option<String> {
    let address = settings.listen.first()?.addresses.first()?;
    Some(super::client::reachable(*address))
}
