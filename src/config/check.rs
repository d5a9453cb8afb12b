//! What no key says alone: whether the settings make sense together.

use super::address::Target;
use super::diagnose::{Place, Problem, wrong};
use super::settings::{Settings, Telemetry};
use super::units::show_bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The most addresses that an application has.
const MOST_TARGETS: usize = 64;

/// Everything that doesn't make sense. `places` has where each key was set that isn't at its
/// default; `whole` stands for what should have been set and wasn't.
pub(super) fn problems(
    settings: &Settings,
    places: &BTreeMap<&'static str, Place>,
    whole: &Place,
) -> Vec<Problem> {
    let mut check = Check { settings, places, whole, problems: Vec::new() };
    check.origin();
    check.tls();
    check.doors();
    check.sizes();
    check.zeros();
    check.fields();
    check.telemetry(cfg!(feature = "otel"));
    check.problems
}

/// Fields that caching rests on, or that are for clients: none can be read as
/// something else as well, or be taken off.
const TAKEN: [&str; 17] = [
    "age",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "no-vary-search",
    "pragma",
    "set-cookie",
    "transfer-encoding",
    "vary",
];

struct Check<'a> {
    settings: &'a Settings,
    places: &'a BTreeMap<&'static str, Place>,
    whole: &'a Place,
    problems: Vec<Problem>,
}

impl Check<'_> {
    /// Notes a problem at the first of `keys` that was set.
    fn wrong(&mut self, keys: &[&str], message: impl Into<String>, note: impl Into<String>) {
        let place = keys.iter().find_map(|key| self.places.get(key));
        let problem = wrong(message, note).at(place.unwrap_or(self.whole));
        self.problems.push(problem);
    }

    /// The application is somewhere, and not here.
    fn origin(&mut self) {
        if !self.places.contains_key("origin.to") {
            let note = "set `to` in `[origin]`, `LARDER_ORIGIN__TO`, or `--to`";
            return self.wrong(&[], "the address of the application is missing", note);
        }
        let (all, settings) = (&self.settings.origin.to, self.settings);
        if all.is_empty() || all.len() > MOST_TARGETS {
            let note = format!("at least 1, at most {MOST_TARGETS}");
            self.wrong(&["origin.to"], format!("{} addresses of an application", all.len()), note);
        }
        let listen = settings.listen.iter().find(|listen| {
            let reached = |to: &Target| listen.addresses.iter().any(|at| to.reaches(*at));
            all.iter().any(|to| reached(to) || listen.text == to.to_string())
        });
        if let Some(listen) = listen {
            let note = format!("larder itself listens on `{}`", listen.text);
            self.wrong(&["origin.to"], "larder would be its own application", note);
        }
        let reached = |at: &SocketAddr| all.iter().any(|to| to.reaches(*at));
        if let Some(admin) = settings.admin.listen.filter(reached) {
            let note = format!("larder's administration listens on `{admin}`");
            self.wrong(&["origin.to"], "larder would be its own application", note);
        }
    }

    /// What is set for TLS is used, and fits together.
    fn tls(&mut self) {
        let origin = &self.settings.origin;
        for (key, set) in [
            ("origin.tls_ca", !origin.tls_ca.are_the_systems()),
            ("origin.tls_name", origin.tls_name.is_some()),
            ("origin.tls_cert", origin.tls_cert.is_some()),
            ("origin.tls_key", origin.tls_key.is_some()),
        ] {
            if set && !origin.is_tls() {
                let message = format!("`{key}` is set, but nothing is asked over TLS");
                self.wrong(&[key], message, "no address of the application begins with `https://`");
            }
        }
        match (&origin.tls_cert, &origin.tls_key) {
            (Some(_), None) => {
                let message = "a certificate is of no use without its key";
                self.wrong(&["origin.tls_cert"], message, "set `tls_key` in `[origin]`");
            }
            (None, Some(_)) => {
                let message = "a key is of no use without its certificate";
                self.wrong(&["origin.tls_key"], message, "set `tls_cert` in `[origin]`");
            }
            (Some(chain), Some(key)) => {
                if let Err(why) = chain.fits(key) {
                    self.wrong(&["origin.tls_key"], why.to_string(), "");
                }
            }
            (None, None) => {}
        }
    }

    /// Clients can come in by one door, and only the administrator by the other.
    fn doors(&mut self) {
        let settings = self.settings;
        if settings.listen.is_empty() {
            self.wrong(&["listen"], "there is nowhere to listen", "give one address or more");
        }
        let Some(admin) = settings.admin.listen else {
            return;
        };
        let mut addresses = settings.listen.iter().flat_map(|listen| &listen.addresses);
        let shared = addresses.any(|at| {
            let everywhere = at.ip().is_unspecified() || admin.ip().is_unspecified();
            at.port() == admin.port() && (at.ip() == admin.ip() || everywhere)
        });
        if shared && admin.port() != 0 {
            let message = "clients and administration can't have the same address";
            self.wrong(&["admin.listen", "listen"], message, "give another port");
        }
        if admin.ip().to_canonical().is_loopback() {
            return;
        }
        let own = settings.admin.tokens.iter().filter_map(|token| token.networks.as_ref());
        let networks = own.flatten().chain(&settings.admin.networks);
        let outside = networks.filter(|net| !net.network().is_loopback()).count();
        if settings.admin.token.is_none() && settings.admin.tokens.is_empty() {
            self.wrong(
                &["admin.listen"],
                format!("administration on `{admin}` would be open to everyone"),
                "set `token` and `networks` in `[admin]`, or listen on 127.0.0.1",
            );
        } else if outside == 0 {
            self.wrong(
                &["admin.networks", "admin.listen"],
                format!("administration on `{admin}` would let nobody in"),
                "set `networks` in `[admin]` to those that may, or listen on 127.0.0.1",
            );
        }
    }

    /// What must fit into something else does.
    fn sizes(&mut self) {
        let (cache, limits) = (&self.settings.cache, &self.settings.limits);
        let (object, memory) = (cache.max_object, cache.memory);
        let head = limits.head as u64;
        for (part, size, whole, room) in [
            ("cache.max_object", object, "cache.memory", memory),
            ("limits.field", limits.field as u64, "limits.head", head),
            ("limits.target", limits.target as u64, "limits.head", head),
        ] {
            if size > room {
                let message = format!("`{part}` is more than `{whole}`");
                let note = format!("{} and {}", show_bytes(size), show_bytes(room));
                self.wrong(&[part, whole], message, note);
            }
        }
    }

    /// No field that means something else holds tags, or speaks to larder.
    fn fields(&mut self) {
        let cache = &self.settings.cache;
        for (key, names, what) in [
            ("cache.tag_fields", &cache.tag_fields, "tags are read from it and it is taken off"),
            ("cache.targeted_fields", &cache.targeted_fields, "it would replace Cache-Control"),
        ] {
            for name in names {
                if TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
                    let message = format!("`{name}` can't be one of `{key}`");
                    self.wrong(&[key], message, what);
                }
            }
        }
    }

    /// Nothing is to be told that this larder can't tell.
    fn telemetry(&mut self, is_built: bool) {
        if !is_built && self.settings.telemetry != Telemetry::default() {
            let keys = ["endpoint", "service_name", "sample", "sampled_by_anybody"]
                .map(|name| format!("telemetry.{name}"));
            let note = "build it with `cargo install --path . --features otel`, or leave \
                        `[telemetry]` out: docs/telemetry.md";
            let message = "this larder was built without OpenTelemetry";
            self.wrong(&keys.each_ref().map(String::as_str), message, note);
        }
        let Some(endpoint) = &self.settings.telemetry.endpoint else { return };
        let own = self.settings.listen.iter().flat_map(|listen| &listen.addresses);
        if own.chain(&self.settings.admin.listen).any(|at| endpoint.target().reaches(*at)) {
            let note = "larder itself listens there";
            self.wrong(&["telemetry.endpoint"], "larder would be its own collector", note);
        }
    }

    /// What would stop everything at 0 isn't.
    fn zeros(&mut self) {
        let Settings { origin, cache, purge, limits, timeouts, .. } = self.settings;
        for (key, time) in [
            ("origin.connect_timeout", origin.connect_timeout),
            ("origin.first_byte_timeout", origin.first_byte_timeout),
            ("origin.between_bytes_timeout", origin.between_bytes_timeout),
            ("origin.health_interval", origin.health_interval),
            ("origin.health_timeout", origin.health_timeout),
            ("timeouts.header", timeouts.header),
            ("timeouts.body_stall", timeouts.body_stall),
            ("timeouts.write_stall", timeouts.write_stall),
        ] {
            if time.is_zero() {
                let message = format!("`{key}` can't be 0");
                self.wrong(&[key], message, "every request would fail");
            }
        }
        for (key, count) in [
            ("origin.max_connections", origin.max_connections),
            ("cache.max_variants", cache.max_variants),
            ("purge.refresh_most", purge.refresh_most),
            ("purge.refresh_at_once", purge.refresh_at_once),
            ("limits.head", limits.head),
            ("limits.field", limits.field),
            ("limits.fields", limits.fields),
            ("limits.target", limits.target),
            ("limits.response_head", limits.response_head),
            ("limits.response_fields", limits.response_fields),
            ("limits.connections", limits.connections),
        ] {
            if count == 0 {
                self.wrong(&[key], format!("`{key}` can't be 0"), "at least 1");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::telemetry::Share;

    #[test]
    fn without_telemetry_its_keys_say_how_to_build_it() {
        let to = Target::Tcp { host: "app".into(), port: 8000 };
        let mut settings = Settings::new(to);
        let places = BTreeMap::from([("telemetry.sample", Place::Named("the place".into()))]);
        let whole = Place::Named("the whole".into());
        let told = |settings: &Settings, is_built| {
            let (places, problems) = (&places, Vec::new());
            let mut check = Check { settings, places, whole: &whole, problems };
            check.telemetry(is_built);
            check.problems.iter().map(Problem::to_string).collect::<Vec<_>>()
        };
        assert!(told(&settings, false).is_empty(), "at its defaults it asks for nothing");
        settings.telemetry.sample = Share { in_a_million: 1 };
        assert!(told(&settings, true).is_empty());
        let told = told(&settings, false).join("");
        assert!(told.contains("without OpenTelemetry") && told.contains("the place"), "{told}");
        assert!(told.contains("--features otel"), "{told}");
    }
}
