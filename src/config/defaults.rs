//! The settings when nothing is set.

use super::address::{Listen, Target};
use super::settings::{
    AccessLog, Admin, Cache, Forms, Limits, Log, Origin, Purge, Refresh, Semantics, Settings,
    Telemetry, Timeouts, Trust,
};
use super::telemetry::Share;
use crate::tls::Authorities;
use ipnet::IpNet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

const KIB: usize = 1 << 10;
const MIB: u64 = 1 << 20;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Settings {
    /// The defaults, in front of the application at `to`.
    pub fn new(to: Target) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 6081));
        Self {
            preset: None,
            listen: vec![Listen { text: listen.to_string(), addresses: vec![listen] }],
            threads: 0,
            hosts: Vec::new(),
            origin: Origin {
                to: vec![to],
                host: None,
                tls_ca: Authorities::default(),
                tls_name: None,
                tls_cert: None,
                tls_key: None,
                connect_timeout: 2 * SECOND,
                first_byte_timeout: 30 * SECOND,
                between_bytes_timeout: 30 * SECOND,
                total_timeout: Duration::ZERO,
                read_ahead: 96 * 1024,
                idle_timeout: Duration::from_millis(1500),
                max_connections: 256,
                queue: 1024,
                queue_timeout: SECOND,
                eject_after: 5,
                eject_for: 10 * SECOND,
                retry_budget: 20,
                hold: 5 * SECOND,
                health_path: None,
                health_interval: 5 * SECOND,
                health_timeout: 2 * SECOND,
                resolve_every: 30 * SECOND,
            },
            cache: Cache::default(),
            semantics: Semantics::default(),
            forms: Forms::default(),
            purge: Purge::default(),
            refresh: Refresh { networks: Vec::new(), token: None },
            trust: Trust { proxies: Vec::new() },
            admin: Admin {
                listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 6082))),
                token: None,
                tokens: Vec::new(),
                networks: loopback(),
            },
            log: Log {
                access: AccessLog::Combined,
                access_file: None,
                make_traceparent: false,
                level: "info".into(),
            },
            telemetry: Telemetry::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }
}

impl Default for Cache {
    fn default() -> Self {
        let tag_fields = [
            "Cache-Tag",
            "Cache-Tags",
            "X-Cache-Tags",
            "Surrogate-Key",
            "xkey",
            "Edge-Cache-Tag",
            "Purge-Cache-Tags",
            "X-Drupal-Cache-Tags",
            "X-LiteSpeed-Tag",
            "X-Magento-Tags",
            "TYPO3-Sitename",
            "TYPO3-Pid",
            "Cache-Groups",
        ];
        Self {
            memory: 256 * MIB,
            max_object: 4 * MIB,
            max_variants: 64,
            default_ttl: Duration::ZERO,
            negative_ttl: Duration::ZERO,
            heuristics: true,
            heuristic_max: DAY,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            stale_when_down: DAY,
            stale_if_slow: Duration::ZERO,
            keep: 7 * DAY,
            jitter: 5,
            early_refresh: 10,
            soft_purge_window: 60 * SECOND,
            uncacheable_ttl: 120 * SECOND,
            cookies: None,
            identity_fields: Vec::new(),
            bypass_cookies: Vec::new(),
            bypass_paths: Vec::new(),
            static_paths: Vec::new(),
            ignored_parameters: Vec::new(),
            tag_fields: tag_fields.map(String::from).to_vec(),
            targeted_fields: ["Larder-Cache-Control", "CDN-Cache-Control"]
                .map(String::from)
                .to_vec(),
            status_key: false,
        }
    }
}

impl Default for Semantics {
    fn default() -> Self {
        Self {
            store_post: true,
            store_set_cookie: false,
            authorized_must_revalidate: false,
            ignore_language_order: false,
            s_maxage_forbids_stale: false,
            lenient_partials: false,
        }
    }
}

impl Default for Purge {
    fn default() -> Self {
        Self {
            networks: loopback(),
            token: None,
            tokens: Vec::new(),
            rebound: Duration::ZERO,
            refresh_most: 1000,
            refresh_at_once: 4,
            dialects: None,
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { endpoint: None, service_name: None, sample: Share::WHOLE, sampled_by_anybody: false }
    }
}

/// The machine itself.
fn loopback() -> Vec<IpNet> {
    // Neither length is more than its address has, so neither is refused.
    let loopback = [
        IpNet::new(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
        IpNet::new(Ipv6Addr::LOCALHOST.into(), 128),
    ];
    loopback.into_iter().flatten().collect()
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 32 * KIB,
            field: 8190,
            // gunicorn takes 100, and larder adds ten at most: `X-Forwarded-For`, `-Host` and
            // `-Proto`, `X-Request-Id`, `Traceparent`, `Via`, `Larder-Fill`, two conditions,
            // and `Connection` beside the `TE` of HTTP/1.1 or the `Host` of HTTP/1.0.
            fields: 90,
            target: 8 * KIB,
            response_head: 64 * KIB,
            response_fields: 200,
            request_body: 100 * MIB,
            request_ahead: 64 * 1024,
            body_rate: 1024,
            in_flight: 128 * MIB,
            connections: 10_000,
            connections_per_ip: 256,
            origin_per_ip: 32,
            ranges: 16,
            query: 64 * 1024,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header: 10 * SECOND,
            keep_alive: 30 * SECOND,
            body_stall: 30 * SECOND,
            write_stall: 30 * SECOND,
            drain: 30 * SECOND,
        }
    }
}
