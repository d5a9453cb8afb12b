//! The command line.
//!
//! Ends with 0 when all went well, 1 when something failed, and 2 when the
//! command itself makes no sense.

mod args;
mod asking;
mod bench;
mod check;
mod client;
mod connection;
mod decision;
mod follow;
mod get;
mod init;
mod lines;
mod manual;
mod numbers;
mod purge;
mod reload;
mod replay;
mod stats;
mod top;
mod warm;

pub use client::{Answer, Client};

use crate::config::{self, Overrides, Source};
use crate::{app, demo};
use args::{Cli, Command};
use clap::Parser;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, reload as filtering};

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run { config, over } => serve(&source(config.as_deref()), &over.overrides()),
        Command::Proxy { over } => serve(&Source::None, &over.overrides()),
        Command::Check { explain, json, config, over } => {
            let (source, overrides) = (source(config.as_deref()), over.overrides());
            match explain {
                true => check::explain(&source, &overrides, json),
                false => check::check(&source, &overrides),
            }
        }
        Command::Purge(args) => purge::run(&args),
        Command::Reload(place) => reload::run(&place),
        Command::Get(args) => get::run(&args),
        Command::Log(args) => follow::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Healthcheck { config, admin } => healthcheck(config.as_deref(), admin.as_deref()),
        Command::Demo { once, listen } => {
            let _ = start_log("warn");
            demo::run(once, listen.as_deref())
        }
        Command::Completions { shell } => manual::completions(shell),
        Command::Init(args) => init::run(&args),
        Command::Warm(args) => warm::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Man(args) => manual::man(&args),
    }
}

fn source(file: Option<&Path>) -> Source<'_> {
    file.map_or(Source::Search, Source::File)
}

fn serve(source: &Source<'_>, overrides: &Overrides) -> ExitCode {
    let settings = match config::load(*source, config::environment(), overrides) {
        Ok(settings) => settings,
        Err(error) => return misconfigured(&error),
    };
    let set_level = start_log(&settings.log.level);
    let load = || config::load(*source, config::environment(), overrides);
    let again = match source {
        Source::None => None,
        Source::File(_) | Source::Search => Some(app::Again { load: &load, set_level: &set_level }),
    };
    match app::run(&settings, again) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("error: {error}")),
    }
}

fn healthcheck(file: Option<&Path>, admin: Option<&str>) -> ExitCode {
    let place = match client::Admin::find(file, admin, None) {
        Ok(place) => place,
        Err(error) => return failed(&error),
    };
    match place.client().get("/readyz") {
        Ok(answer) if answer.status.is_success() => ExitCode::SUCCESS,
        Ok(answer) => failed(&format!("error: {} answers {}", place.client(), answer.status)),
        Err(error) => failed(&format!("error: {}: {error}", place.client())),
    }
}

/// Events go to standard error; access-log lines to standard output. The result
/// sets another level.
fn start_log(level: &str) -> impl Fn(&str) + use<> {
    let filter = |level: &str| EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let (filtered, handle) = filtering::Layer::new(filter(level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let _ = tracing_subscriber::registry().with(filtered).with(lines).try_init();
    move |level| {
        // An error means that there is no log.
        let _ = handle.reload(filter(level));
    }
}

/// Says what went wrong, and that it did.
fn failed(message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::FAILURE
}

/// The same of a command that makes no sense.
fn senseless(message: &str) -> ExitCode {
    failed(message);
    ExitCode::from(2)
}

/// Says what is wrong with a configuration: an option of the command, or what it reads.
fn misconfigured(error: &config::ConfigError) -> ExitCode {
    match error.is_of_the_command() {
        true => senseless(&error.to_string()),
        false => failed(&error.to_string()),
    }
}

/// Says a line; that nobody reads it is no failure.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
