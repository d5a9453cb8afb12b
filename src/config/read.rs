//! How the values of the keys are read, one function a kind of value.

use super::address::{Listen, Target, is_authority, peer_name};
use super::diagnose::{Problem, Wrong, wrong};
use super::settings::{AccessLog, Secret};
use super::telemetry::{Endpoint, Share};
use super::units;
use super::value::{Given, Kind, Value};
use crate::tls::{Authorities, Chain, Key, PeerName, Unusable};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

const fn kind(name: &'static str, example: &'static str) -> Kind {
    Kind { name, example }
}

pub(super) fn duration(value: &Value) -> Result<Duration, Problem> {
    match &value.given {
        Given::Whole(digits) if digits == "0" => Ok(Duration::ZERO),
        _ => value.text(kind("a duration", "\"30s\""), units::duration),
    }
}

pub(super) fn percent(value: &Value) -> Result<u8, Problem> {
    match &value.given {
        Given::Whole(digits) if digits == "0" => Ok(0),
        _ => value.text(kind("a percentage", "\"5%\""), units::percent),
    }
}

/// Bytes, in whichever integer the setting has.
pub(super) fn size<T: TryFrom<u64>>(value: &Value) -> Result<T, Problem> {
    let parse = |text: &str| {
        let bytes = units::bytes(text)?;
        T::try_from(bytes).map_err(|_| wrong(format!("`{text}` is too large"), ""))
    };
    match &value.given {
        Given::Whole(digits) => parse(digits).map_err(|wrong| wrong.at(&value.place)),
        _ => value.text(kind("a size", "\"64KiB\""), parse),
    }
}

pub(super) fn count(value: &Value) -> Result<usize, Problem> {
    let kind = kind("a number", "100");
    match &value.given {
        Given::Whole(text) | Given::Word(text) => text.parse().map_err(|_| {
            let message = format!("`{text}` is not a count");
            wrong(message, "a whole number from 0 up").at(&value.place)
        }),
        _ => Err(value.not_a(kind)),
    }
}

pub(super) fn flag(value: &Value) -> Result<bool, Problem> {
    match &value.given {
        Given::Flag(flag) => Ok(*flag),
        Given::Word(word) if word == "true" => Ok(true),
        Given::Word(word) if word == "false" => Ok(false),
        _ => Err(value.not_a(kind("`true` or `false`", "true"))),
    }
}

pub(super) fn listen(value: &Value) -> Result<Vec<Listen>, Problem> {
    value.list(kind("an address", "\"127.0.0.1:6081\""), Listen::parse)
}

pub(super) fn admin_listen(value: &Value) -> Result<Option<SocketAddr>, Problem> {
    if value.is("off") {
        return Ok(None);
    }
    let kind = kind("an address or \"off\"", "\"127.0.0.1:6082\"");
    let listen = value.text(kind, Listen::parse)?;
    Ok(listen.addresses.first().copied())
}

pub(super) fn targets(value: &Value) -> Result<Vec<Target>, Problem> {
    value.list(kind("an address", "\"127.0.0.1:8000\""), Target::parse)
}

/// A host to send, or none for `client`.
pub(super) fn host(value: &Value) -> Result<Option<String>, Problem> {
    if value.is("client") {
        return Ok(None);
    }
    let parse = |text: &str| match is_authority(text) {
        true => Ok(text.to_owned()),
        false => Err(wrong(
            format!("`{text}` is not a host"),
            "a name, with a port if need be, such as `www.example.org`",
        )),
    };
    value.text(kind("a host", "\"www.example.org\""), parse).map(Some)
}

/// The authorities of a file, or those of the system, which are not read here.
pub(super) fn authorities(value: &Value) -> Result<Authorities, Problem> {
    match value.is("system") {
        true => Ok(Authorities::default()),
        false => pem(value, "a file or \"system\"", Authorities::from_file),
    }
}

/// A name to ask for in certificates, or none for `to`.
pub(super) fn peer(value: &Value) -> Result<Option<PeerName>, Problem> {
    match value.is("to") {
        true => Ok(None),
        false => value.text(kind("a name", "\"app.internal\""), peer_name).map(Some),
    }
}

/// The certificates of a file, or none for `off`.
pub(super) fn chain(value: &Value) -> Result<Option<Chain>, Problem> {
    match value.is("off") {
        true => Ok(None),
        false => pem(value, "a file or \"off\"", Chain::from_file).map(Some),
    }
}

/// The key of a file, or none for `off`.
pub(super) fn private_key(value: &Value) -> Result<Option<Key>, Problem> {
    match value.is("off") {
        true => Ok(None),
        false => pem(value, "a file or \"off\"", Key::from_file).map(Some),
    }
}

/// What a PEM file holds.
fn pem<T>(
    value: &Value,
    what: &'static str,
    read: impl Fn(&Path) -> Result<T, Unusable>,
) -> Result<T, Problem> {
    let example = kind(what, "\"/etc/larder/app.pem\"");
    value.text(example, |path| read(Path::new(path)).map_err(|why| wrong(why.to_string(), "")))
}

/// Hosts as requests name them, at least one.
pub(super) fn hosts(value: &Value) -> Result<Vec<String>, Problem> {
    let hosts =
        value.list(kind("hosts", "[\"www.example.org\"]"), |text| match is_authority(text) {
            true => Ok(text.to_ascii_lowercase()),
            false => Err(wrong(format!("`{text}` is not a host"), "such as `www.example.org`")),
        })?;
    match hosts.is_empty() {
        true => Err(wrong("there is no host", "at least one").at(&value.place)),
        false => Ok(hosts),
    }
}

/// A path of the application, with a query if need be, or none for `off`.
pub(super) fn path(value: &Value) -> Result<Option<String>, Problem> {
    if value.is("off") {
        return Ok(None);
    }
    let parse = |text: &str| {
        let sendable = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        match text.starts_with('/') && sendable {
            true => Ok(text.to_owned()),
            false => Err(wrong(format!("`{text}` is not a path"), "such as `/healthz`, or `off`")),
        }
    };
    value.text(kind("a path or \"off\"", "\"/healthz\""), parse).map(Some)
}

/// A file that is written to, or none for `off`. It need not be there, nor its directory:
/// that may come.
pub(super) fn file(value: &Value) -> Result<Option<PathBuf>, Problem> {
    if value.is("off") {
        return Ok(None);
    }
    let parse = |text: &str| match text.is_empty() || text.ends_with('/') || text.contains('\0') {
        false => Ok(PathBuf::from(text)),
        true => {
            Err(wrong(format!("`{text}` is not a file"), "such as `/var/log/larder/access.log`"))
        }
    };
    value.text(kind("a file or \"off\"", "\"/var/log/larder/access.log\""), parse).map(Some)
}

/// The names of cookies, or none for `all`.
pub(super) fn cookies(value: &Value) -> Result<Option<Vec<String>>, Problem> {
    match value.is("all") {
        true => Ok(None),
        false => cookie_names(value).map(Some),
    }
}

/// The names of the dialects of purges.
pub(super) const DIALECTS: [&str; 16] = [
    "url",
    "plone",
    "foshttpcache",
    "api-platform",
    "shopware",
    "drupal",
    "lagoon",
    "magento",
    "wordpress",
    "typo3",
    "nginx",
    "varnish",
    "fastly",
    "cloudflare",
    "souin",
    "litespeed",
];

/// Names of dialects, or none for `all`.
pub(super) fn dialects(value: &Value) -> Result<Option<Vec<String>>, Problem> {
    if value.is("all") {
        return Ok(None);
    }
    let parse = |name: &str| match DIALECTS.contains(&name) {
        true => Ok(name.to_owned()),
        false => {
            let note = format!("`all`, or a list of {}", DIALECTS.join(", "));
            Err(wrong(format!("`{name}` is not a dialect of purges"), note))
        }
    };
    value.list(kind("dialects of purges", "[\"url\"]"), parse).map(Some)
}

pub(super) fn cookie_names(value: &Value) -> Result<Vec<String>, Problem> {
    value.list(kind("names of cookies", "[\"sessionid\"]"), |name| token(name, "cookie"))
}

pub(super) fn field_names(value: &Value) -> Result<Vec<String>, Problem> {
    value.list(kind("names of fields", "[\"Cache-Tag\"]"), |name| token(name, "field"))
}

/// A token of RFC 9110 section 5.6.2, as cookies and fields are named by.
fn token(name: &str, of: &str) -> Result<String, Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match !name.is_empty() && name.chars().all(allowed) {
        true => Ok(name.to_owned()),
        false => Err(wrong(
            format!("`{name}` can't be the name of a {of}"),
            "letters, digits and ``!#$%&'*+-.^_`|~``",
        )),
    }
}

pub(super) fn networks(value: &Value) -> Result<Vec<IpNet>, Problem> {
    value.list(kind("networks", "[\"10.0.0.0/8\"]"), |text| {
        text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
            let message = format!("`{text}` is not a network");
            wrong(message, "an address or a range, such as `10.0.0.0/8`")
        })
    })
}

/// A secret, or none for `off`. Complaints never show it.
pub(super) fn secret(value: &Value) -> Result<Option<Secret>, Problem> {
    let complaint = match &value.given {
        Given::Text(text) | Given::Word(text) if text == "off" => return Ok(None),
        Given::Text(text) | Given::Word(text) => {
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Ok(Some(Secret::new(text.clone())));
            }
            "this can't be a token"
        }
        _ => "a token is a string",
    };
    let note = "visible ASCII characters without spaces, or `off`";
    Err(wrong(complaint, note).at(&value.place))
}

pub(super) fn access_log(value: &Value) -> Result<AccessLog, Problem> {
    value.text(kind("a format", "\"combined\""), |format| match format {
        "off" => Ok(AccessLog::Off),
        "combined" => Ok(AccessLog::Combined),
        "json" => Ok(AccessLog::Json),
        _ => Err(wrong(
            format!("`{format}` is not a format of the access log"),
            "one of `off`, `combined`, `json`",
        )),
    })
}

/// The URL of a collector, or none for `off`.
pub(super) fn endpoint(value: &Value) -> Result<Option<Endpoint>, Problem> {
    let kind = kind("a URL or \"off\"", "\"http://127.0.0.1:4318\"");
    match value.is("off") {
        true => Ok(None),
        false => value.text(kind, Endpoint::parse).map(Some),
    }
}

/// What a service is called, or none for `environment`.
pub(super) fn service_name(value: &Value) -> Result<Option<String>, Problem> {
    let parse = |name: &str| match name.trim().is_empty() {
        true => Err(wrong("a service has a name", "such as `larder`")),
        false => Ok(Some(name.to_owned()).filter(|name| name != "environment")),
    };
    value.text(kind("a name", "\"larder\""), parse)
}

pub(super) fn share(value: &Value) -> Result<Share, Problem> {
    match &value.given {
        Given::Whole(digits) => Share::parse(digits).map_err(|wrong| wrong.at(&value.place)),
        _ => value.text(kind("a share", "\"10%\""), Share::parse),
    }
}

/// A level, or levels by module: `info`, `warn,larder::origin=debug`.
pub(super) fn level(value: &Value) -> Result<String, Problem> {
    value.text(kind("a level", "\"info\""), |text| {
        let known = |part: &str| {
            let level = part.trim().rsplit('=').next().unwrap_or_default();
            matches!(level, "off" | "error" | "warn" | "info" | "debug" | "trace")
        };
        match text.split(',').all(known) {
            true => Ok(text.to_owned()),
            false => Err(wrong(
                format!("`{text}` is not a level"),
                "one of `off`, `error`, `warn`, `info`, `debug`, `trace`",
            )),
        }
    })
}
