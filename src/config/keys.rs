//! The keys: their names, and how each reaches its setting.

use super::changes::differs;
use super::diagnose::Problem;
use super::preset::preset;
use super::read::*;
use super::requests::{hosts, parameters, paths};
use super::settings::Settings;
use super::tokens::tokens;
use super::value::Value;

/// A key of the configuration.
pub(super) struct Key {
    /// With its table: `cache.default_ttl`.
    pub(super) name: &'static str,
    /// Reads the value and puts it into the settings.
    pub(super) set: fn(&mut Settings, &Value) -> Result<(), Problem>,
    /// The values of two settings, if they differ.
    pub(super) differs: fn(&Settings, &Settings) -> Option<(String, String)>,
}

/// A key named as the path of its field in [`Settings`], so that the two can't differ.
macro_rules! key {
    ([] $field:ident, $read:expr) => {
        Key {
            name: stringify!($field),
            set: |settings, value| {
                settings.$field = $read(value)?;
                Ok(())
            },
            differs: |old, new| differs(&old.$field, &new.$field),
        }
    };
    ([$table:ident] $field:ident, $read:expr) => {
        Key {
            name: concat!(stringify!($table), ".", stringify!($field)),
            set: |settings, value| {
                settings.$table.$field = $read(value)?;
                Ok(())
            },
            differs: |old, new| differs(&old.$table.$field, &new.$table.$field),
        }
    };
}

macro_rules! keys {
    ($($table:tt { $($field:ident: $read:expr,)* })*) => {
        &[$($(key!($table $field, $read),)*)*]
    };
}

/// Every key, by table, with the function that reads its value.
pub(super) const KEYS: &[Key] = keys! {
    [] {
        preset: preset,
        listen: listen,
        threads: count,
        hosts: hosts,
    }
    [origin] {
        to: targets,
        host: host,
        tls_ca: authorities,
        tls_name: peer,
        tls_cert: chain,
        tls_key: private_key,
        connect_timeout: duration,
        first_byte_timeout: duration,
        between_bytes_timeout: duration,
        total_timeout: duration,
        read_ahead: size,
        idle_timeout: duration,
        max_connections: count,
        queue: count,
        queue_timeout: duration,
        eject_after: count,
        eject_for: duration,
        retry_budget: count,
        hold: duration,
        health_path: path,
        health_interval: duration,
        health_timeout: duration,
        resolve_every: duration,
    }
    [cache] {
        memory: size,
        max_object: size,
        max_variants: count,
        default_ttl: duration,
        negative_ttl: duration,
        heuristics: flag,
        heuristic_max: duration,
        stale_while_revalidate: duration,
        stale_if_error: duration,
        stale_when_down: duration,
        stale_if_slow: duration,
        keep: duration,
        jitter: percent,
        early_refresh: percent,
        soft_purge_window: duration,
        uncacheable_ttl: duration,
        cookies: cookies,
        identity_fields: field_names,
        bypass_cookies: cookie_names,
        bypass_paths: paths,
        static_paths: paths,
        ignored_parameters: parameters,
        tag_fields: field_names,
        targeted_fields: field_names,
        status_key: flag,
    }
    [semantics] {
        store_post: flag,
        store_set_cookie: flag,
        authorized_must_revalidate: flag,
        ignore_language_order: flag,
        s_maxage_forbids_stale: flag,
        lenient_partials: flag,
    }
    [forms] {
        csrf: flag,
        nonce: flag,
    }
    [purge] {
        networks: networks,
        token: secret,
        tokens: tokens,
        rebound: duration,
        refresh_most: count,
        refresh_at_once: count,
        dialects: dialects,
    }
    [refresh] {
        networks: networks,
        token: secret,
    }
    [trust] {
        proxies: networks,
    }
    [admin] {
        listen: admin_listen,
        token: secret,
        tokens: tokens,
        networks: networks,
    }
    [log] {
        access: access_log,
        access_file: file,
        make_traceparent: flag,
        level: level,
    }
    [telemetry] {
        endpoint: endpoint,
        service_name: service_name,
        sample: share,
        sampled_by_anybody: flag,
    }
    [limits] {
        head: size,
        field: size,
        fields: count,
        target: size,
        response_head: size,
        response_fields: count,
        request_body: size,
        request_ahead: size,
        body_rate: size,
        in_flight: size,
        connections: count,
        connections_per_ip: count,
        origin_per_ip: count,
        ranges: count,
        query: size,
    }
    [timeouts] {
        header: duration,
        keep_alive: duration,
        body_stall: duration,
        write_stall: duration,
        drain: duration,
    }
};

/// The key of this full name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// The table, empty at the top, and the name in it.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or(("", self.name))
    }

    /// The environment variable: `LARDER_CACHE__DEFAULT_TTL`.
    pub(super) fn variable(&self) -> String {
        let name = self.name.replace('.', "__").to_ascii_uppercase();
        format!("{}{name}", super::layers::PREFIX)
    }
}

/// Whether there is a table of this name.
pub(super) fn is_table(name: &str) -> bool {
    !name.is_empty() && KEYS.iter().any(|key| key.parts().0 == name)
}

/// What may stand in a table of a file; at the top, where `table` is empty, also the tables.
pub(super) fn names_in(table: &str) -> Vec<&'static str> {
    let mut names: Vec<&str> = KEYS
        .iter()
        .filter_map(|key| match key.parts() {
            (of, name) if of == table => Some(name),
            (of, _) if table.is_empty() => Some(of),
            _ => None,
        })
        .collect();
    names.dedup();
    names
}

/// The candidate most like `word`, if any is so alike that it may be a slip of the pen.
pub(super) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).clamp(1, 3))
        .map(|(_, candidate)| candidate)
}
