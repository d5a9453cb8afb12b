//! A target URI, canonical: what is not told apart by servers is written in
//! one way, and everything else is left byte for byte.

use http::Uri;
use std::fmt::{self, Write};

/// The scheme of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Scheme {
    /// The scheme's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// Reads a name in any case.
    pub fn parse(name: &str) -> Option<Scheme> {
        [Scheme::Http, Scheme::Https].into_iter().find(|s| s.as_str().eq_ignore_ascii_case(name))
    }

    /// Its own port, as it stands behind a host.
    pub(super) fn default_port(self) -> &'static str {
        match self {
            Scheme::Http => ":80",
            Scheme::Https => ":443",
        }
    }
}

/// A host with an optional port, in lower case, as in a `Host` field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host(Box<str>);

impl Host {
    /// Reads `host [ ":" port ]` (RFC 9110 section 7.2). Anything else, user
    /// information too, is refused.
    ///
    /// ```
    /// use larder::key::Host;
    /// assert_eq!(Host::parse("Example.COM:8080").unwrap().as_str(), "example.com:8080");
    /// assert_eq!(Host::parse("[::1]:80").unwrap().as_str(), "[::1]:80");
    /// for bad in ["", "a b", "user@host", "host:", "host:99999", "a/b", "host:80:80", "[::1", "[x]"] {
    ///     assert!(Host::parse(bad).is_err(), "{bad}");
    /// }
    /// ```
    pub fn parse(text: &str) -> Result<Host, BadTarget> {
        if !is_host(text) {
            return Err(BadTarget::Host);
        }
        Ok(Host(text.to_ascii_lowercase().into()))
    }

    /// A host that is written as it is kept: nothing has to be changed about it.
    pub fn canonical(text: &[u8]) -> Option<&str> {
        let text = std::str::from_utf8(text).ok()?;
        (is_host(text) && !text.bytes().any(|b| b.is_ascii_uppercase())).then_some(text)
    }

    /// `localhost`, for requests that name no host.
    pub fn localhost() -> Host {
        Host("localhost".into())
    }

    /// The host and port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Leaves out the port if it is the own one of either scheme: the host of a
    /// purge, which covers both.
    pub fn of_any_scheme(self) -> Host {
        self.without_default_port(Scheme::Http).without_default_port(Scheme::Https)
    }

    /// Leaves out the port if it is the scheme's own.
    pub fn without_default_port(self, scheme: Scheme) -> Host {
        match self.0.strip_suffix(scheme.default_port()) {
            // An IPv6 address ends with a bracket, so this was a port.
            Some(name) => Host(name.into()),
            None => self,
        }
    }
}

/// `host [ ":" port ]` (RFC 9110 section 7.2).
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rfind(':') {
        Some(at) if !text.ends_with(']') => (&text[..at], Some(&text[at + 1..])),
        _ => (text, None),
    };
    let name_is_good = match name.strip_prefix('[') {
        Some(inner) => {
            inner.strip_suffix(']').is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok())
        }
        None => !name.is_empty() && name.bytes().all(is_reg_name),
    };
    let port_is_good = port
        .is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok());
    name_is_good && port_is_good
}

/// The bytes of a registered name (RFC 3986 section 3.2.2).
fn is_reg_name(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'%')
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
        )
}

/// Why a text is not a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTarget {
    /// The host, or its port, is missing or not one.
    Host,
    /// It is not an absolute URL of `http` or `https`.
    Url,
    /// The path does not begin with `/`.
    Path,
}

impl fmt::Display for BadTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadTarget::Host => "the host is missing or invalid",
            BadTarget::Url => "an absolute URL is needed, such as http://example.com/page",
            BadTarget::Path => "the path must begin with \"/\"",
        })
    }
}

impl std::error::Error for BadTarget {}

/// Scheme, host, path and query of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Host, path and query: in one piece, they take less.
    text: Box<str>,
    /// The length of the host.
    host: u32,
    scheme: Scheme,
}

impl Target {
    /// A target from its parts. The port is left out if it is the scheme's own.
    ///
    /// # Errors
    /// [`BadTarget::Path`] if the path does not begin with `/`.
    pub fn new(scheme: Scheme, host: Host, path_and_query: &str) -> Result<Target, BadTarget> {
        if !path_and_query.starts_with('/') {
            return Err(BadTarget::Path);
        }
        let host = host.without_default_port(scheme);
        let length = u32::try_from(host.0.len()).map_err(|_| BadTarget::Host)?;
        let text = [host.as_str(), path_and_query].concat().into();
        Ok(Target { text, host: length, scheme })
    }

    /// Reads an absolute URL; a fragment is not part of a target.
    ///
    /// # Errors
    /// [`BadTarget`], by what is wrong.
    pub fn from_url(url: &str) -> Result<Target, BadTarget> {
        let uri: Uri = url.parse().map_err(|_| BadTarget::Url)?;
        let scheme = uri.scheme_str().and_then(Scheme::parse).ok_or(BadTarget::Url)?;
        let host = Host::parse(uri.authority().ok_or(BadTarget::Url)?.as_str())?;
        let path = match uri.path_and_query() {
            Some(path) if path.as_str().starts_with('?') => format!("/{}", path.as_str()),
            Some(path) => path.to_string(),
            None => "/".to_string(),
        };
        Target::new(scheme, host, &path)
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, without the scheme's own port.
    pub fn host(&self) -> &str {
        &self.text[..self.host as usize]
    }

    /// The same, by itself.
    pub fn host_alone(&self) -> Host {
        Host(self.host().into())
    }

    /// The path and query, byte for byte as they came.
    pub fn path_and_query(&self) -> &str {
        &self.text[self.host as usize..]
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.path_and_query().split('?').next().unwrap_or_default()
    }

    /// The same target under another scheme.
    pub fn with_scheme(&self, scheme: Scheme) -> Target {
        let host = self.host().strip_suffix(scheme.default_port()).unwrap_or(self.host());
        let text = [host, self.path_and_query()].concat().into();
        Target { text, host: host.len() as u32, scheme }
    }

    /// The same scheme and host with another path and query.
    ///
    /// # Errors
    /// [`BadTarget::Path`] if the path does not begin with `/`.
    pub fn with_path(&self, path_and_query: &str) -> Result<Target, BadTarget> {
        Target::new(self.scheme, self.host_alone(), path_and_query)
    }

    /// Bytes of the texts.
    pub fn length(&self) -> usize {
        self.text.len()
    }
}

/// Writes the target as a URL. What a terminal could take for a command, as raw
/// UTF-8 in a path may have it, is percent-encoded.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        [self.scheme.as_str(), "://", self.host()].iter().try_for_each(|part| f.write_str(part))?;
        if self.path_and_query().bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return f.write_str(self.path_and_query());
        }
        self.path_and_query().chars().try_for_each(|char| match char.is_control() {
            true => char.to_string().bytes().try_for_each(|byte| write!(f, "%{byte:02X}")),
            false => f.write_char(char),
        })
    }
}
