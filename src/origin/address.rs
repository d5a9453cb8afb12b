//! Where an upstream is, and what its name stands for at the moment.

use crate::tls::Peer;
use parking_lot::Mutex;
use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The address of an upstream.
#[derive(Clone, Debug)]
pub enum Address {
    /// A host, by name or address, and a port.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// The same, over TLS.
    Tls {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// Who has to be there.
        peer: Peer,
    },
    /// A unix socket, as gunicorn listens on.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = match self {
            Address::Tcp { host, port } => ("", host, port),
            Address::Tls { host, port, .. } => ("https://", host, port),
            Address::Unix(path) => return write!(f, "unix:{}", path.display()),
        };
        match host.contains(':') {
            true => write!(f, "{scheme}[{host}]:{port}"),
            false => write!(f, "{scheme}{host}:{port}"),
        }
    }
}

/// A host and a port, and the addresses that they stood for when last asked.
#[derive(Debug)]
pub(super) struct Name {
    host: String,
    port: u16,
    every: Duration,
    known: Mutex<Option<Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    addresses: Arc<[SocketAddr]>,
    /// `None` if it is an address already, and never asked about.
    again_at: Option<Instant>,
}

impl Name {
    /// A name that is asked about again after `every`.
    pub fn new(host: &str, port: u16, every: Duration) -> Name {
        let known = host
            .parse::<IpAddr>()
            .ok()
            .map(|ip| Known { addresses: Arc::new([SocketAddr::new(ip, port)]), again_at: None });
        Name { host: host.to_string(), port, every, known: Mutex::new(known) }
    }

    /// What it stands for. A name that cannot be resolved any more keeps what it
    /// stood for last.
    ///
    /// # Errors
    /// If it never could be resolved.
    pub async fn addresses(&self) -> Result<Arc<[SocketAddr]>> {
        let asked = tokio::net::lookup_host((self.host.as_str(), self.port));
        self.addresses_by(async { asked.await.map(Iterator::collect) }).await
    }

    pub(super) async fn addresses_by(
        &self,
        asked: impl Future<Output = Result<Vec<SocketAddr>>>,
    ) -> Result<Arc<[SocketAddr]>> {
        let known = self.known.lock().clone();
        if let Some(known) = &known
            && known.again_at.is_none_or(|at| Instant::now() < at)
        {
            return Ok(Arc::clone(&known.addresses));
        }
        let nothing = || Error::new(ErrorKind::NotFound, "the name has no address");
        let found = match asked.await {
            Ok(found) if found.is_empty() => Err(nothing()),
            other => other,
        };
        let addresses: Arc<[SocketAddr]> = match (found, known) {
            (Ok(found), _) => found.into(),
            (Err(error), Some(known)) => {
                tracing::warn!(host = self.host, %error, "a name does not resolve any more");
                known.addresses
            }
            (Err(error), None) => return Err(error),
        };
        let again_at = Some(Instant::now() + self.every);
        *self.known.lock() = Some(Known { addresses: Arc::clone(&addresses), again_at });
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;

    fn at(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 80))
    }

    fn lost() -> Result<Vec<SocketAddr>> {
        Err(Error::from(ErrorKind::TimedOut))
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_asked_about_again_and_keeps_what_it_stood_for() {
        let name = Name::new("app.test", 80, Duration::from_secs(30));
        assert!(name.addresses_by(ready(lost())).await.is_err(), "it never was known");
        let stands_for = async |found| name.addresses_by(ready(found)).await.unwrap().to_vec();
        assert_eq!(stands_for(Ok(vec![at(1)])).await, [at(1)]);
        tokio::time::advance(Duration::from_secs(29)).await;
        assert_eq!(stands_for(Ok(vec![at(2)])).await, [at(1)], "not asked yet");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(stands_for(Ok(vec![at(2), at(3)])).await, [at(2), at(3)]);
        for nothing in [lost(), Ok(Vec::new())] {
            tokio::time::advance(Duration::from_secs(30)).await;
            assert_eq!(stands_for(nothing).await, [at(2), at(3)]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_is_not_asked_about() {
        let name = Name::new("::1", 80, Duration::ZERO);
        let here: Vec<SocketAddr> = vec!["[::1]:80".parse().unwrap()];
        assert_eq!(name.addresses_by(ready(lost())).await.unwrap().to_vec(), here);
    }
}
