//! Where larder listens and where the application is.

use super::diagnose::{Wrong, wrong};
use crate::tls::PeerName;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// An address to listen on.
#[derive(Clone, PartialEq, Eq)]
pub struct Listen {
    /// The address as written: `127.0.0.1:6081`, `localhost:6081`, or `:6081` for every IPv4
    /// address of the machine.
    pub text: String,
    /// What it stands for, at least one; a name may have several addresses. Port 0 lets the
    /// system choose.
    pub addresses: Vec<SocketAddr>,
}

/// Where the application listens.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A host and a port; not resolved here, since the application may start later.
    Tcp {
        /// A name or an IP address, the latter without brackets.
        host: String,
        /// Never 0.
        port: u16,
    },
    /// The same, over TLS.
    Tls {
        /// What it has to prove to be, unless another name is set.
        host: PeerName,
        /// Never 0.
        port: u16,
    },
    /// The absolute path of a Unix socket.
    Unix(PathBuf),
}

/// As written.
impl fmt::Debug for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As [`Display`](fmt::Display).
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Listen {
    /// Reads an address and resolves its name, which may block.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let example = "such as `127.0.0.1:6081` or `:6081`";
        if text.starts_with("unix:") {
            let message = "listening on a Unix socket is not supported";
            return Err(wrong(message, format!("give a host and a port, {example}")));
        }
        if port_number(text).is_some() {
            let note = format!("did you mean `:{text}`?");
            return Err(wrong(format!("`{text}` is not an address"), note));
        }
        if text.contains('/') {
            return Err(wrong(
                format!("`{text}` is not an address"),
                format!("give a host and a port alone, {example}"),
            ));
        }
        let addresses = match text.strip_prefix(':').and_then(port_number) {
            Some(port) => vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))],
            None => resolve(&host_and_port(text, example)?)?,
        };
        Ok(Self { text: text.to_owned(), addresses })
    }
}

/// Every address of a host, each once, IPv4 first.
fn resolve((host, port): &(String, u16)) -> Result<Vec<SocketAddr>, Wrong> {
    let found = (host.as_str(), *port)
        .to_socket_addrs()
        .map_err(|_| wrong(format!("can't resolve the name `{host}`"), ""))?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.sort();
    addresses.dedup();
    match addresses.is_empty() {
        true => Err(wrong(format!("the name `{host}` has no address"), "")),
        false => Ok(addresses),
    }
}

impl Target {
    /// Reads `host:port`, `http://host[:port]`, `https://host[:port]` or `unix:/path`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let example = "such as `127.0.0.1:8000` or `unix:/run/app.sock`";
        if let Some(path) = text.strip_prefix("unix:") {
            return match path.starts_with('/') {
                true => Ok(Self::Unix(PathBuf::from(path))),
                false => Err(wrong(
                    format!("`{path}` is not an absolute path"),
                    "such as `unix:/run/app.sock`",
                )),
            };
        }
        if text.starts_with('/') {
            let note = format!("did you mean `unix:{text}`?");
            return Err(wrong(format!("`{text}` is not an address"), note));
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let (authority, default_port) = match scheme {
            "" => (rest, ""),
            "http" => (rest.strip_suffix('/').unwrap_or(rest), ":80"),
            "https" => (rest.strip_suffix('/').unwrap_or(rest), ":443"),
            _ => {
                let message = format!("{scheme} to the application is not supported");
                return Err(wrong(message, "use `http://` or `https://`"));
            }
        };
        if let Some((address, _)) = authority.split_once('/') {
            let alone = &text[..text.len() - rest.len() + address.len()];
            return Err(wrong(
                format!("`{text}` has a path, but requests bring their own"),
                format!("did you mean `{alone}`?"),
            ));
        }
        let without_port = !authority.rsplit(']').next().unwrap_or("").contains(':');
        let (host, port) = match without_port {
            true => host_and_port(&format!("{authority}{default_port}"), example)?,
            false => host_and_port(authority, example)?,
        };
        match port {
            0 => Err(wrong("nobody can be reached at port 0", example)),
            port if scheme == "https" => Ok(Self::Tls { host: peer_name(&host)?, port }),
            port => Ok(Self::Tcp { host, port }),
        }
    }

    /// The host and the port, if it has any.
    pub fn host_and_port(&self) -> Option<(String, u16)> {
        match self {
            Self::Tcp { host, port } => Some((host.clone(), *port)),
            Self::Tls { host, port } => Some((host.to_string(), *port)),
            Self::Unix(_) => None,
        }
    }

    /// Whether it is asked over TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls { .. })
    }

    /// Whether connecting to this target surely ends at someone who listens on `address`. Of the
    /// names only `localhost` is known.
    pub(super) fn reaches(&self, address: SocketAddr) -> bool {
        let Some((host, port)) = self.host_and_port() else {
            return false;
        };
        let at = address.ip().to_canonical();
        let ip = match host.parse::<IpAddr>() {
            Ok(ip) => ip.to_canonical(),
            Err(_) if host.eq_ignore_ascii_case("localhost") => match at {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            },
            Err(_) => return false,
        };
        let own = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
        // Connecting to the unspecified address reaches the machine itself.
        let meets = ip == at || ip.is_unspecified() && own(at) || at.is_unspecified() && own(ip);
        port == address.port() && meets
    }
}

/// As it is written in a file: `127.0.0.1:8000`, `https://[::1]:8000`, `unix:/run/app.sock`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Unix(path) = self {
            return write!(f, "unix:{}", path.display());
        }
        let (host, port) = self.host_and_port().unwrap_or_default();
        let scheme = if self.is_tls() { "https://" } else { "" };
        match host.contains(':') {
            true => write!(f, "{scheme}[{host}]:{port}"),
            false => write!(f, "{scheme}{host}:{port}"),
        }
    }
}

/// A name that a certificate may bear.
pub(super) fn peer_name(host: &str) -> Result<PeerName, Wrong> {
    PeerName::parse(host).ok_or_else(|| {
        wrong(format!("no certificate can bear the name `{host}`"), "a host name or an IP address")
    })
}

/// Splits `host:port`, the host being a name, an IPv4 address, or an IPv6 address in brackets,
/// which are taken off.
fn host_and_port(text: &str, example: &str) -> Result<(String, u16), Wrong> {
    let bad = |note: &str| wrong(format!("`{text}` is not an address"), note);
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => return Err(bad(&format!("the port is missing, {example}"))),
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match bracketed {
        Some(inner) if inner.parse::<Ipv6Addr>().is_ok() => inner,
        None if host.contains(':') && !host.contains('[') => {
            return Err(bad(&format!("did you mean `[{host}]:{port}`?")));
        }
        None if is_host_name(host) => host,
        _ => return Err(bad(example)),
    };
    match port_number(port) {
        Some(port) => Ok((host.to_owned(), port)),
        None => Err(bad("the port is a number up to 65535")),
    }
}

/// A port, in digits alone: the standard library's parser would take `+80`.
fn port_number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn is_host_name(host: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !host.is_empty() && host.chars().all(allowed)
}

/// Whether `text` may stand in a `Host` field: a host, with or without a port.
pub(super) fn is_authority(text: &str) -> bool {
    host_and_port(text, "").is_ok() || host_and_port(&format!("{text}:80"), "").is_ok()
}
