//! From the settings to what each room needs to know of them.

use crate::access_log::{self, Format};
use crate::body;
use crate::config::{self, AccessLog, Origin, Secret, Settings, Target, TokenText};
use crate::dialects::{Dialect, Understood};
use crate::gate::Most;
use crate::key::Host;
use crate::listen;
use crate::message::{self, Hosts, NewTraces};
use crate::origin::{self, Address, Ejection, HealthCheck};
use crate::proxy;
use crate::purge::{Access, Scope, Token};
use crate::semantics::cookies::Cookies;
use crate::semantics::offer::Offer;
use crate::semantics::parameters::IgnoredParameters;
use crate::semantics::paths::Paths;
use crate::semantics::policy::{Percent, Policy};
use crate::semantics::time::DeltaSeconds;
use crate::storage;
use crate::telemetry;
use crate::tls;
use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use std::time::Duration;

pub(super) fn proxy(settings: &Settings) -> proxy::Options {
    let cache = &settings.cache;
    proxy::Options {
        policy: policy(settings),
        presented: presented(settings),
        tag_fields: field_names(&cache.tag_fields),
        bypass_cookies: boxed(&cache.bypass_cookies),
        bypass_paths: bypass_paths(settings),
        max_object: cache.max_object,
        max_ranges: settings.limits.ranges,
        host: settings.origin.host.as_deref().and_then(|host| HeaderValue::from_str(host).ok()),
        max_query: settings.limits.query,
        at_origin: Most {
            in_all: usize::MAX,
            of_one: settings.limits.origin_per_ip,
            exempt: settings.trust.proxies.clone(),
        },
        request_body: body::Limits {
            stall: settings.timeouts.body_stall,
            rate: settings.limits.body_rate,
            size: settings.limits.request_body,
        },
        request_ahead: settings.limits.request_ahead,
        stale_if_slow: Some(cache.stale_if_slow).filter(|span| !span.is_zero()),
        uncacheable_ttl: cache.uncacheable_ttl,
        access: purge_access(settings),
        dialects: match &settings.purge.dialects {
            None => Understood::All,
            Some(names) => {
                Understood::Only(names.iter().filter_map(|name| Dialect::named(name)).collect())
            }
        },
        debug: admin_access(settings),
        refresh: Access {
            networks: settings.refresh.networks.clone(),
            tokens: one(settings.refresh.token.as_ref(), "refresh.token").collect(),
        },
        rebound: Some(settings.purge.rebound).filter(|span| !span.is_zero()),
        refill: proxy::RefillOptions {
            most: settings.purge.refresh_most,
            at_once: settings.purge.refresh_at_once,
        },
        forms: Offer { csrf: settings.forms.csrf, nonce: settings.forms.nonce },
        store_post: settings.semantics.store_post,
        status_key: cache.status_key,
    }
}

/// What the settings say of HTTP caching.
pub fn policy(settings: &Settings) -> Policy {
    let (cache, semantics) = (&settings.cache, &settings.semantics);
    Policy {
        targeted: field_names(&cache.targeted_fields),
        identity_fields: field_names(&cache.identity_fields),
        store_set_cookie: semantics.store_set_cookie,
        authorized_must_revalidate: semantics.authorized_must_revalidate,
        ignore_language_order: semantics.ignore_language_order,
        s_maxage_forbids_stale: semantics.s_maxage_forbids_stale,
        lenient_partials: semantics.lenient_partials,
        default_lifetime: seconds(cache.default_ttl),
        negative_lifetime: seconds(cache.negative_ttl),
        heuristic_max: cache.heuristics.then(|| seconds(cache.heuristic_max)),
        stale_while_revalidate: seconds(cache.stale_while_revalidate),
        stale_if_error: seconds(cache.stale_if_error),
        stale_when_down: seconds(cache.stale_when_down),
        keep: seconds(cache.keep),
        early_refresh: Percent(cache.early_refresh),
        jitter: Percent(cache.jitter),
        soft_purge_window: seconds(cache.soft_purge_window),
        cookies: match &cache.cookies {
            None => Cookies::All,
            Some(names) => Cookies::Named(boxed(names)),
        },
    }
}

fn presented(settings: &Settings) -> message::Options {
    message::Options {
        hosts: Hosts::new(settings.hosts.iter().map(String::as_str)),
        trusted: settings.trust.proxies.clone(),
        max_target: settings.limits.target,
        max_field: settings.limits.field,
        max_body: settings.limits.request_body,
        default_host: Host::parse(&default_host(settings)).unwrap_or_else(|_| Host::localhost()),
        ignored_parameters: ignored_parameters(settings),
        static_paths: paths(&settings.cache.static_paths),
        new_traces: match (settings.log.make_traceparent, &settings.telemetry.endpoint) {
            (false, _) => NewTraces::None,
            (true, None) => NewTraces::Recorded,
            // What is sampled says so itself.
            (true, Some(_)) => NewTraces::Unrecorded,
        },
    }
}

/// The parameters that are taken off queries.
pub fn ignored_parameters(settings: &Settings) -> IgnoredParameters {
    IgnoredParameters::new(settings.cache.ignored_parameters.iter().map(String::as_str))
}

/// The paths that go past the cache.
pub fn bypass_paths(settings: &Settings) -> Paths {
    paths(&settings.cache.bypass_paths)
}

fn paths(paths: &[String]) -> Paths {
    Paths::new(paths.iter().map(String::as_str))
}

/// The host of a request that names none.
fn default_host(settings: &Settings) -> String {
    let target = settings.origin.to.first();
    match target.and_then(Target::host_and_port) {
        Some((host, port)) if host.contains(':') => format!("[{host}]:{port}"),
        Some((host, port)) => format!("{host}:{port}"),
        None => "localhost".to_string(),
    }
}

pub(super) fn pool(settings: &Settings) -> origin::Options {
    let origin = &settings.origin;
    origin::Options {
        upstreams: upstreams(origin),
        connect_timeout: origin.connect_timeout,
        first_byte_timeout: origin.first_byte_timeout,
        between_bytes_timeout: origin.between_bytes_timeout,
        total_timeout: origin.total_timeout,
        read_ahead: origin.read_ahead,
        idle_timeout: origin.idle_timeout,
        max_connections: origin.max_connections,
        queue: origin.queue,
        queue_timeout: origin.queue_timeout,
        ejection: Ejection {
            after: u32::try_from(origin.eject_after).unwrap_or(u32::MAX),
            span: origin.eject_for,
        },
        retry_budget: origin.retry_budget,
        hold: origin.hold,
        health_check: health_check(settings),
        resolve_every: origin.resolve_every,
        max_head: settings.limits.response_head,
        max_fields: settings.limits.response_fields,
    }
}

fn health_check(settings: &Settings) -> Option<HealthCheck> {
    let origin = &settings.origin;
    let host = origin.host.clone().unwrap_or_else(|| default_host(settings));
    Some(HealthCheck {
        path: origin.health_path.as_ref()?.parse().ok()?,
        host: HeaderValue::from_str(&host).ok()?,
        interval: origin.health_interval,
        timeout: origin.health_timeout,
    })
}

fn upstreams(origin: &Origin) -> Vec<Address> {
    let identity = origin.tls_cert.as_ref().zip(origin.tls_key.as_ref());
    let client = tls::Client::new(&origin.tls_ca, identity);
    origin.to.iter().map(|to| address(to, &client, origin.tls_name.as_ref())).collect()
}

/// Where this is. Over TLS it has to prove this name, or else its host's.
fn address(target: &Target, client: &tls::Client, name: Option<&tls::PeerName>) -> Address {
    match target {
        Target::Tcp { host, port } => Address::Tcp { host: host.clone(), port: *port },
        Target::Tls { host, port } => {
            let peer = client.to(name.unwrap_or(host).clone());
            Address::Tls { host: host.to_string(), port: *port, peer }
        }
        Target::Unix(path) => Address::Unix(path.clone()),
    }
}

/// Where spans are sent, if anywhere.
///
/// # Errors
/// The collector is asked over TLS, and the system has no authorities to believe it by.
pub(super) fn telemetry(settings: &Settings) -> Result<Option<telemetry::Options>, tls::Unusable> {
    let set = &settings.telemetry;
    let Some(endpoint) = &set.endpoint else { return Ok(None) };
    let authorities = match endpoint.target().is_tls() {
        true => tls::Authorities::of_the_system()?,
        false => tls::Authorities::default(),
    };
    let client = tls::Client::new(&authorities, None);
    Ok(Some(telemetry::Options {
        url: endpoint.traces(),
        collector: address(endpoint.target(), &client, None),
        service_name: set.service_name.clone(),
        in_a_million: set.sample.in_a_million,
        heeds_anybody: set.sampled_by_anybody,
    }))
}

pub(super) fn door(settings: &Settings) -> listen::Options {
    listen::Options {
        max_head: settings.limits.head,
        max_fields: settings.limits.fields,
        header_timeout: settings.timeouts.header,
        keep_alive: settings.timeouts.keep_alive,
        write_stall: settings.timeouts.write_stall,
        drain: settings.timeouts.drain,
    }
}

/// How many connections, where the process may have so many descriptors.
pub(super) fn most_inside(settings: &Settings, descriptors: Option<usize>) -> Most {
    Most {
        in_all: super::descriptors::for_clients(settings, descriptors),
        of_one: settings.limits.connections_per_ip,
        exempt: settings.trust.proxies.clone(),
    }
}

pub(super) fn memory(settings: &Settings) -> storage::Limits {
    storage::Limits { bytes: settings.cache.memory, variants: settings.cache.max_variants }
}

/// Bytes for what is stored and what is under way together.
pub(super) fn all_memory(settings: &Settings) -> usize {
    let bytes = settings.cache.memory.saturating_add(settings.limits.in_flight);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// With a token, only who bears one is let in at the operator's door, and only
/// from the networks that are allowed; without, whoever connects from this
/// machine.
pub(super) fn admin_access(settings: &Settings) -> Access {
    let admin = &settings.admin;
    let loopback: Vec<IpNet> =
        ["127.0.0.0/8", "::1/128"].iter().filter_map(|net| net.parse().ok()).collect();
    let allowed = || loopback.iter().chain(&admin.networks).copied().collect();
    let all = one(admin.token.as_ref(), "admin.token").map(|token| token.only_from(allowed()));
    let named = admin
        .tokens
        .iter()
        .map(|token| named(token).only_from(token.networks.clone().unwrap_or_else(allowed)));
    let tokens: Vec<Token> = all.chain(named).collect();
    let networks = if tokens.is_empty() { loopback.clone() } else { Vec::new() };
    Access { networks, tokens }
}

/// At the proxy's port the networks may without a token, and tokens come from
/// anywhere: most clients that purge can't send one.
fn purge_access(settings: &Settings) -> Access {
    let purge = &settings.purge;
    let named = purge.tokens.iter().map(|token| match &token.networks {
        Some(networks) => named(token).only_from(networks.clone()),
        None => named(token),
    });
    let tokens = one(purge.token.as_ref(), "purge.token").chain(named).collect();
    Access { networks: purge.networks.clone(), tokens }
}

/// A token that is good for everything, by the name of its key.
fn one(secret: Option<&Secret>, name: &str) -> impl Iterator<Item = Token> {
    secret.map(|secret| Token::plain(name, secret.expose(), Scope::All)).into_iter()
}

fn named(token: &config::Token) -> Token {
    let scope = match &token.scope {
        config::Scope::All => Scope::All,
        config::Scope::Read => Scope::Read,
        config::Scope::Tags => Scope::Tags,
        config::Scope::Hosts(hosts) => Scope::Hosts(boxed(hosts).into()),
    };
    match &token.token {
        TokenText::Plain(secret) => Token::plain(&token.name, secret.expose(), scope),
        TokenText::Digest(digest) => Token::digested(&token.name, *digest, scope),
    }
}

pub(super) fn log(settings: &Settings) -> access_log::Options {
    let format = match settings.log.access {
        AccessLog::Off => None,
        AccessLog::Combined => Some(Format::Combined),
        AccessLog::Json => Some(Format::Json),
    };
    access_log::Options { format, file: settings.log.access_file.clone() }
}

fn field_names(names: &[String]) -> Vec<HeaderName> {
    // Each is a token: the configuration has been checked.
    names.iter().filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect()
}

fn boxed(names: &[String]) -> Vec<Box<str>> {
    names.iter().map(|name| name.as_str().into()).collect()
}

fn seconds(span: Duration) -> DeltaSeconds {
    // Anything above zero is at least a second: none of it is lost.
    DeltaSeconds::new(span.as_secs() + u64::from(span.subsec_nanos() > 0))
}
