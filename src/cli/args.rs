//! What can be written on the command line.

use super::asking::{self, Field};
use super::bench::BenchArgs;
use super::init::InitArgs;
use super::manual::ManArgs;
use super::replay::ReplayArgs;
use super::warm::WarmArgs;
use crate::config::Overrides;
use crate::key::Target;
use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// An HTTP caching reverse proxy for Flask, Django and anything else that speaks HTTP.
#[derive(Debug, Parser)]
#[command(name = "larder", version, max_term_width = 100)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run as a configuration file says
    Run {
        /// The file; else $LARDER_CONFIG, ./larder.toml or /etc/larder/larder.toml
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        over: Over,
    },
    /// Run in front of an app, without a configuration file
    Proxy {
        #[command(flatten)]
        over: Over,
    },
    /// Check a configuration, and say where it is wrong
    Check {
        /// Print every setting, and where it comes from
        #[arg(long)]
        explain: bool,
        /// Print that as JSON
        #[arg(long, requires = "explain")]
        json: bool,
        /// The file; else $LARDER_CONFIG, ./larder.toml or /etc/larder/larder.toml
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        over: Over,
    },
    /// Make a running larder forget
    Purge(PurgeArgs),
    /// Make a running larder read its configuration again
    Reload(Place),
    /// Ask for a page, and see what the cache decided
    Get(GetArgs),
    /// Follow the requests of a running larder as they are answered
    Log(LogArgs),
    /// See the numbers of a running larder
    Stats(StatsArgs),
    /// Watch the numbers of a running larder
    Top(TopArgs),
    /// End with 0 if a running larder is ready
    Healthcheck {
        /// The configuration that the admin address stands in
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The admin address [default: from the configuration, or 127.0.0.1:6082]
        #[arg(long, value_name = "HOST:PORT")]
        admin: Option<String>,
    },
    /// See it work: a slow origin, the proxy, and a tour with real figures
    Demo {
        /// End after the tour, with 0 if all was as it should be
        #[arg(long)]
        once: bool,
        /// Where to listen [default: 127.0.0.1:6081, or any free port]
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<String>,
    },
    /// Write a configuration for a Django, Flask or Wagtail project
    Init(InitArgs),
    /// Ask for pages, so that they are stored before visitors come
    Warm(WarmArgs),
    /// Measure the same pages from the app and through larder
    Bench(BenchArgs),
    /// Play an access log to a configuration: hit ratios, and what it decides otherwise
    Replay(ReplayArgs),
    /// Print what a shell reads to complete larder's commands
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print a manual page, or write all of them
    Man(ManArgs),
}

/// Settings that win over the file and the environment.
#[derive(Debug, Args)]
pub(super) struct Over {
    /// The settings that an app of this kind wants: django, flask or wagtail [default: none]
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// The app: host:port, https://host:port or unix:/path/to/socket; may be given again
    #[arg(long, value_name = "TARGET")]
    to: Vec<String>,
    /// Where to listen; may be given again [default: 127.0.0.1:6081]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Vec<String>,
    /// Where the operator connects, or "off" [default: 127.0.0.1:6082]
    #[arg(long, value_name = "HOST:PORT")]
    admin: Option<String>,
    /// Lifetime of successful responses that state none, e.g. 60s [default: 0s]
    #[arg(long, value_name = "TIME")]
    default_ttl: Option<String>,
    /// The cookies that identify a visitor, with commas between [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    cookies: Option<Vec<String>>,
    /// Memory for stored responses, e.g. 256MiB
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Longest time to connect to the app [default: 2s]
    #[arg(long, value_name = "TIME")]
    connect_timeout: Option<String>,
    /// Longest time until the app begins to answer [default: 30s]
    #[arg(long, value_name = "TIME")]
    first_byte_timeout: Option<String>,
    /// Longest pause in the app's answer [default: 30s]
    #[arg(long, value_name = "TIME")]
    between_bytes_timeout: Option<String>,
    /// One line a request: off, combined or json [default: combined]
    #[arg(long, value_name = "FORMAT")]
    access_log: Option<String>,
}

impl Over {
    pub fn overrides(&self) -> Overrides {
        Overrides {
            to: (!self.to.is_empty()).then(|| self.to.join(",")),
            listen: self.listen.clone(),
            admin: self.admin.clone(),
            default_ttl: self.default_ttl.clone(),
            cookies: self.cookies.clone(),
            memory: self.memory.clone(),
            connect_timeout: self.connect_timeout.clone(),
            first_byte_timeout: self.first_byte_timeout.clone(),
            between_bytes_timeout: self.between_bytes_timeout.clone(),
            access_log: self.access_log.clone(),
            preset: self.preset.clone(),
        }
    }
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args([
    "urls", "paths", "tags", "prefixes", "hosts", "patterns", "all", "undo",
]))]
pub(super) struct PurgeArgs {
    /// URLs, with scheme and host as visitors write them
    #[arg(value_name = "URL")]
    pub urls: Vec<String>,
    /// A URL with all its queries; may be given again
    #[arg(long = "path", value_name = "URL")]
    pub paths: Vec<String>,
    /// A tag; may be given again
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// A URL and all that lies below it; may be given again
    #[arg(long = "prefix", value_name = "URL")]
    pub prefixes: Vec<String>,
    /// A host, with its port unless that is the scheme's own; may be given again
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// A regular expression, for path and query on all hosts; may be given again
    #[arg(long = "pattern", value_name = "REGEX")]
    pub patterns: Vec<String>,
    /// Everything
    #[arg(long)]
    pub all: bool,
    /// Make stale instead of forgetting: served while it is validated
    #[arg(long)]
    pub soft: bool,
    /// Change nothing, and say what would be met
    #[arg(long, conflicts_with = "watch")]
    pub dry_run: bool,
    /// Fetch again what is asked for, a few at a time
    #[arg(long)]
    pub refresh: bool,
    /// Wait until that is done, and say how far it has come
    #[arg(long, requires = "refresh")]
    pub watch: bool,
    /// Take back the soft purge with this number
    #[arg(
        long,
        value_name = "NUMBER",
        conflicts_with_all = [
            "urls", "paths", "tags", "prefixes", "hosts", "patterns", "all", "soft", "dry_run",
            "refresh",
        ]
    )]
    pub undo: Option<u64>,
    /// Print larder's answer as it is, in JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

/// Where a running larder is.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The configuration that the admin address and token stand in
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The admin address [default: from the configuration, or 127.0.0.1:6082]
    #[arg(long, value_name = "HOST:PORT", env = "LARDER_ADMIN")]
    pub admin: Option<String>,
    /// The admin token
    #[arg(long, value_name = "TOKEN", env = "LARDER_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Conditions that all have to hold, e.g. 'outcome=miss status>=500 path=/shop/*'
    #[arg(long, value_name = "CONDITIONS", default_value = "", hide_default_value = true)]
    pub filter: String,
    /// Print each request as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub(super) struct StatsArgs {
    /// Print larder's answer as it is, in JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub(super) struct TopArgs {
    /// Print the numbers of one second, and end
    #[arg(long)]
    pub once: bool,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Debug, Args)]
pub(super) struct GetArgs {
    /// The URL, with scheme and host as visitors write them
    #[arg(value_parser = Target::from_url)]
    pub url: Target,
    /// Where larder listens [default: the URL's own host and port]
    #[arg(long, value_name = "HOST:PORT", env = "LARDER_PROXY")]
    pub via: Option<String>,
    /// A field of the request, as with curl; may be given again
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = asking::field)]
    pub headers: Vec<Field>,
    /// A cookie of the request; may be given again
    #[arg(long = "cookie", value_name = "NAME=VALUE")]
    pub cookies: Vec<String>,
    /// Print the answer's body too
    #[arg(long, conflicts_with = "json")]
    pub body: bool,
    /// Print all of it in JSON
    #[arg(long)]
    pub json: bool,
    /// The configuration that the admin token stands in
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The admin token: who bears it is told why
    #[arg(long, value_name = "TOKEN", env = "LARDER_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}
