//! What is told to OpenTelemetry: the collector, the share of requests, and what the
//! variables of OpenTelemetry say of the first.

use super::address::Target;
use super::diagnose::{Place, Wrong, wrong};
use super::keys;
use super::layers::Entry;
use super::value::{Given, Value};
use std::collections::BTreeMap;
use std::fmt;

/// The variable that says where the collector is, if nothing else does.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The variables of OpenTelemetry that the configuration looks at.
pub(super) const VARIABLES: [&str; 3] = [ENDPOINT, "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"];

/// Where a collector takes OTLP over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    target: Target,
    /// What comes before `/v1/traces`; without a slash at its end.
    base: String,
}

impl Endpoint {
    /// Reads `http://host[:port][/path]`, or the same with `https`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let example = "such as `http://127.0.0.1:4318`, where a collector takes OTLP over HTTP";
        let bad = |note: &str| wrong(format!("`{text}` is not the URL of a collector"), note);
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad(example))?;
        let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !matches!(scheme, "http" | "https") || authority.is_empty() {
            return Err(bad(example));
        }
        if !base.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#')) {
            return Err(bad("a path has neither query nor spaces"));
        }
        let base = base.trim_end_matches('/');
        if base.ends_with("/v1/traces") {
            return Err(bad("without `/v1/traces`, which is added"));
        }
        let target = Target::parse(&format!("{scheme}://{authority}"))?;
        Ok(Endpoint { target, base: base.to_owned() })
    }

    /// Where it listens.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Where it takes traces.
    pub fn traces(&self) -> String {
        format!("{self}/v1/traces")
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.target.is_tls() { "" } else { "http://" };
        write!(f, "{scheme}{}{}", self.target, self.base)
    }
}

/// As it is written.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A share, in millionths.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many of a million.
    pub in_a_million: u32,
}

impl Share {
    /// All.
    pub(super) const WHOLE: Share = Share { in_a_million: 1_000_000 };

    /// Reads `5%`, `0.1%` or `0`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        if text == "0" {
            return Ok(Share { in_a_million: 0 });
        }
        let bad = || wrong(format!("`{text}` is not a share"), "such as `10%` or `0.1%`");
        let number = text.strip_suffix('%').ok_or_else(bad)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let is_number =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(part) || part.len() > 4 {
            return Err(bad());
        }
        let digits: u32 = format!("{whole}{part:0<4}").parse().map_err(|_| bad())?;
        match digits <= Share::WHOLE.in_a_million {
            true => Ok(Share { in_a_million: digits }),
            false => Err(wrong(format!("`{text}` is too much"), "at most `100%`")),
        }
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.in_a_million / 10_000, self.in_a_million % 10_000);
        let part = format!("{part:04}");
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            part => write!(f, "{whole}.{part}%"),
        }
    }
}

/// The layer below the file: where the collector is by OpenTelemetry's own variables, if
/// this larder could tell it anything and they don't say that it shall not.
pub(super) fn from_opentelemetry(env: &BTreeMap<String, String>) -> Vec<Entry> {
    let is = |name: &str, word: &str| env.get(name).is_some_and(|said| said.trim() == word);
    let off = is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none");
    let endpoint = env.get(ENDPOINT).filter(|_| cfg!(feature = "otel") && !off);
    let key = keys::find("telemetry.endpoint");
    let entry = |(text, key): (&String, _)| {
        let place = Place::Named(format!("environment {ENDPOINT}"));
        Ok((key, Value { given: Given::Word(text.clone()), place }))
    };
    endpoint.zip(key).map(entry).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        for (text, expected, shown) in [
            ("0", 0, "0%"),
            ("0%", 0, "0%"),
            ("100%", 1_000_000, "100%"),
            ("100.0%", 1_000_000, "100%"),
            ("5%", 50_000, "5%"),
            ("0.1%", 1_000, "0.1%"),
            ("12.0625%", 120_625, "12.0625%"),
            ("0.0001%", 1, "0.0001%"),
        ] {
            let share = Share::parse(text).expect(text);
            assert_eq!((share.in_a_million, format!("{share:?}").as_str()), (expected, shown));
        }
        for text in ["", "%", "5", "0.5", "101%", "100.1%", "-1%", "+1%", ".5%", "5.%", "0.00001%"]
        {
            assert!(Share::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn endpoints() {
        for (text, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://collector/", "http://collector:80/v1/traces"),
            ("http://[::1]:4318/", "http://[::1]:4318/v1/traces"),
            ("https://otlp.test/otlp/", "https://otlp.test:443/otlp/v1/traces"),
        ] {
            assert_eq!(Endpoint::parse(text).expect(text).traces(), expected);
        }
        for text in [
            "127.0.0.1:4318",
            "grpc://127.0.0.1:4317",
            "unix:/run/otel.sock",
            "http://",
            "http://a b",
            "http://a/?b",
            "http://user:word@a/",
            "http://a:0",
            "http://a/v1/traces",
        ] {
            assert!(Endpoint::parse(text).is_err(), "{text}");
        }
    }
}
