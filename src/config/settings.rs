//! The settings, as the rest of the program reads them.

use super::address::{Listen, Target};
use super::preset::Preset;
use super::telemetry::{Endpoint, Share};
use crate::tls::{Authorities, Chain, Key, PeerName};
use ipnet::IpNet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that can be set. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The settings that a kind of application wants, below those of the file.
    pub preset: Option<Preset>,
    /// Where clients connect; never empty.
    pub listen: Vec<Listen>,
    /// Worker threads; 0 is one a core.
    pub threads: usize,
    /// The hosts that are served; none is any.
    pub hosts: Vec<String>,
    /// The application.
    pub origin: Origin,
    /// What is kept, and for how long.
    pub cache: Cache,
    /// Where the RFCs leave a choice.
    pub semantics: Semantics,
    /// What is filled for each visitor in pages that many share.
    pub forms: Forms,
    /// Who may purge.
    pub purge: Purge,
    /// Who may make larder ask the application again.
    pub refresh: Refresh,
    /// Who may speak for a client.
    pub trust: Trust,
    /// The administrator's door.
    pub admin: Admin,
    /// What is logged.
    pub log: Log,
    /// What is told to OpenTelemetry.
    pub telemetry: Telemetry,
    /// How much a client or the application may send or ask.
    pub limits: Limits,
    /// How long a client may take.
    pub timeouts: Timeouts,
}

/// The application and the connections to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where it listens: one address or more.
    pub to: Vec<Target>,
    /// The `Host` to send; without, the client's.
    pub host: Option<String>,
    /// Who may vouch for one that is asked over TLS. The system's are read only if there is one.
    pub tls_ca: Authorities,
    /// The name that it has to prove; without, the host of its address.
    pub tls_name: Option<PeerName>,
    /// The certificate to show to it. There is a key if there is one, and they fit.
    pub tls_cert: Option<Chain>,
    /// The key of that certificate.
    pub tls_key: Option<Key>,
    /// For opening a connection, over TLS with its handshake.
    pub connect_timeout: Duration,
    /// From the end of the request to the first byte of the response.
    pub first_byte_timeout: Duration,
    /// Between two pieces of a response.
    pub between_bytes_timeout: Duration,
    /// For a request altogether, waits and the response's body included; 0 for no bound.
    pub total_timeout: Duration,
    /// Bytes of a response that are read though the client takes none.
    pub read_ahead: usize,
    /// How long an idle connection may be used again; shorter than the application's own
    /// keep-alive, which is 2 s in gunicorn.
    pub idle_timeout: Duration,
    /// Requests at a time, to each address.
    pub max_connections: usize,
    /// Requests that wait when all of these are in use.
    pub queue: usize,
    /// How long such a request waits.
    pub queue_timeout: Duration,
    /// Failures in a row after which an address is left out; 0 for never.
    pub eject_after: usize,
    /// How long it is left out at first.
    pub eject_for: Duration,
    /// Requests in a hundred that may be sent a second time.
    pub retry_budget: usize,
    /// How long a request waits while every address refuses connections.
    pub hold: Duration,
    /// What is asked for to see how an address is; none for nothing.
    pub health_path: Option<String>,
    /// The time between two such checks.
    pub health_interval: Duration,
    /// How long a check may take.
    pub health_timeout: Duration,
    /// After what time a name is resolved again.
    pub resolve_every: Duration,
}

impl Origin {
    /// Where it listens, for people to read.
    pub fn shown(&self) -> String {
        self.to.iter().map(Target::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Whether any address is asked over TLS.
    pub fn is_tls(&self) -> bool {
        self.to.iter().any(Target::is_tls)
    }
}

/// What is kept, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// For all stored responses together.
    pub memory: u64,
    /// The largest response that is stored; never more than `memory`.
    pub max_object: u64,
    /// Stored responses of one URL that differ by `Vary`.
    pub max_variants: usize,
    /// Freshness of a response that states none.
    pub default_ttl: Duration,
    /// The same for a page that isn't there (404, 410).
    pub negative_ttl: Duration,
    /// Whether a response that states no freshness but a `Last-Modified` gets some from that.
    pub heuristics: bool,
    /// The most freshness that `heuristics` gives.
    pub heuristic_max: Duration,
    /// How long past its freshness a response is served while a new one is fetched, if it
    /// doesn't say itself.
    pub stale_while_revalidate: Duration,
    /// How long past its freshness a response is served when the application answers with an
    /// error, if it doesn't say itself.
    pub stale_if_error: Duration,
    /// How long past its freshness a response is kept for when the application can't be reached.
    pub stale_when_down: Duration,
    /// How long the application may take to begin its response before a stale one is served, as
    /// far as `stale_when_down` allows it; 0 is as long as it takes.
    pub stale_if_slow: Duration,
    /// How long past its freshness a response is kept for its validator, if it isn't kept longer
    /// to be served.
    pub keep: Duration,
    /// The most that is taken off a lifetime by chance, in hundredths.
    pub jitter: u8,
    /// In which last part of its freshness, in hundredths, a response that is asked for often is
    /// fetched anew behind; 0 is never.
    pub early_refresh: u8,
    /// How long a softly purged response may be served while a new one is fetched.
    pub soft_purge_window: Duration,
    /// How long it is remembered that the response of a URL can't be stored.
    pub uncacheable_ttl: Duration,
    /// The cookies that identify a visitor under `Vary: Cookie`; without, every cookie does.
    pub cookies: Option<Vec<String>>,
    /// Request fields that identify a visitor too, besides those that are known for it.
    pub identity_fields: Vec<String>,
    /// Requests with one of these cookies go to the application.
    pub bypass_cookies: Vec<String>,
    /// Requests for these paths, or below them, go to the application.
    pub bypass_paths: Vec<String>,
    /// Below these paths are files that are the same for everybody: cookies are left out of
    /// requests for them.
    pub static_paths: Vec<String>,
    /// Parameters that are taken off queries; with a `*` at the end, all that begin so.
    pub ignored_parameters: Vec<String>,
    /// The response fields that hold tags.
    pub tag_fields: Vec<String>,
    /// The response fields that speak to larder, strongest first, before `Cache-Control`.
    pub targeted_fields: Vec<String>,
    /// Whether `Cache-Status` tells the key.
    pub status_key: bool,
}

/// Where the RFCs leave a choice, or where the public conformance suite wants what is unwise in
/// front of a web application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semantics {
    /// Whether the response to a POST is stored for later GETs if it says so itself.
    pub store_post: bool,
    /// Whether a response with `Set-Cookie` is stored, cookie and all.
    pub store_set_cookie: bool,
    /// Whether `must-revalidate` allows storing the response to a request with credentials.
    pub authorized_must_revalidate: bool,
    /// Whether the order of languages in `Accept-Language` means nothing.
    pub ignore_language_order: bool,
    /// Whether `s-maxage` forbids the staleness that the same response allows.
    pub s_maxage_forbids_stale: bool,
    /// Whether a 206 that is shorter than it says is stored as far as it goes.
    pub lenient_partials: bool,
}

/// What is filled for each visitor in pages that many share, where the application has left it
/// out and says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forms {
    /// Whether the tokens of forms are.
    pub csrf: bool,
    /// Whether the nonces of content security policies are.
    pub nonce: bool,
}

/// Who may purge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// The addresses purges may come from.
    pub networks: Vec<IpNet>,
    /// The token of purges.
    pub token: Option<Secret>,
    /// More of them, each good for less.
    pub tokens: Vec<Token>,
    /// After how long a purge is made again; zero is never.
    pub rebound: Duration,
    /// Responses of one purge that are fetched again if the purge asks for it.
    pub refresh_most: usize,
    /// Such fetches at a time.
    pub refresh_at_once: usize,
    /// The dialects in which purges are understood; none is all of them.
    pub dialects: Option<Vec<String>>,
}

/// A token with a name and a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is called in the log and the record of purges.
    pub name: String,
    /// What is sent.
    pub token: TokenText,
    /// What it is good for.
    pub scope: Scope,
    /// Where it is good, if not wherever such tokens are.
    pub networks: Option<Vec<IpNet>>,
}

/// A token, or what can be known of it without knowing it.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenText {
    /// As it is sent.
    Plain(Secret),
    /// Its SHA-256.
    Digest([u8; 32]),
}

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// Looking.
    Read,
    /// Purging by tags.
    Tags,
    /// Purging what names one of these hosts; never none.
    Hosts(Vec<String>),
}

/// Who may make larder ask the application again, by what a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The addresses whose `Cache-Control` and `Pragma` are heeded.
    pub networks: Vec<IpNet>,
    /// The token with which a request is heeded from anywhere.
    pub token: Option<Secret>,
}

/// Who may speak for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The proxies in front whose `X-Forwarded-*` are believed.
    pub proxies: Vec<IpNet>,
}

/// The administrator's door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where it is; none is no door. If it isn't a loopback address, there are a token and a
    /// network.
    pub listen: Option<SocketAddr>,
    /// The token that opens it.
    pub token: Option<Secret>,
    /// More of them, each good for less.
    pub tokens: Vec<Token>,
    /// Where these are good. This machine is always.
    pub networks: Vec<IpNet>,
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The line a request.
    pub access: AccessLog,
    /// The file that it is written to; without, it is standard output.
    pub access_file: Option<PathBuf>,
    /// Whether a request that belongs to no trace begins one.
    pub make_traceparent: bool,
    /// The level of all else: `info`, or by module, `warn,larder::origin=debug`.
    pub level: String,
}

/// The form of the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// None.
    Off,
    /// Apache's combined format.
    Combined,
    /// One JSON object a line.
    Json,
}

/// What is told to OpenTelemetry; all at its default if larder was built without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// The collector; without, nothing is told.
    pub endpoint: Option<Endpoint>,
    /// What this larder is called there; without, as OpenTelemetry's variables say, or `larder`.
    pub service_name: Option<String>,
    /// The share of requests that is sampled, of those that nobody has decided about.
    pub sample: Share,
    /// Whether anybody may have a request sampled; else `trust.proxies` may.
    pub sampled_by_anybody: bool,
}

/// How much a client or the application may send or ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The head of a request.
    pub head: usize,
    /// One field line of a request.
    pub field: usize,
    /// Field lines of a request.
    pub fields: usize,
    /// The target of a request.
    pub target: usize,
    /// The head of the application's response.
    pub response_head: usize,
    /// Field lines of the application's response.
    pub response_fields: usize,
    /// The body of a request.
    pub request_body: u64,
    /// Bytes of a request's body that are read before the application is asked.
    pub request_ahead: usize,
    /// Bytes a second with which a request's body has to come, pauses aside; 0 is no bound.
    pub body_rate: u64,
    /// Memory for what is under way, besides `cache.memory`.
    pub in_flight: u64,
    /// Connections of clients at a time.
    pub connections: usize,
    /// Those of one address; 0 is no limit.
    pub connections_per_ip: usize,
    /// Requests of one client address at the origin, or waiting for it; 0 is no limit.
    pub origin_per_ip: usize,
    /// Ranges of one request.
    pub ranges: usize,
    /// Bytes of the content of a QUERY that the cache answers.
    pub query: usize,
}

/// How long a client may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the whole head of a request.
    pub header: Duration,
    /// Between two requests of a connection.
    pub keep_alive: Duration,
    /// Between two pieces of a request's body.
    pub body_stall: Duration,
    /// For taking a piece of the response.
    pub write_stall: Duration,
    /// For requests under way when larder is told to stop.
    pub drain: Duration,
}

/// A text that is not shown by accident. Compare it with a client's in constant time.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
