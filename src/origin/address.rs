//! Where an upstream is, and what its name stands for at the moment.

use crate::tls::Peer;
use parking_lot::Mutex;
use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// It is being asked about behind.
    asking: AtomicBool,
}

#[derive(Clone, Debug)]
struct Known {
    addresses: Arc<[SocketAddr]>,
    /// `None` if it is an address already, and never asked about.
    again_at: Option<Instant>,
}

impl Known {
    fn is_old(&self) -> bool {
        self.again_at.is_some_and(|at| at <= Instant::now())
    }
}

impl Name {
    /// A name that is asked about again after `every`.
    pub fn new(host: &str, port: u16, every: Duration) -> Name {
        let known = host
            .parse::<IpAddr>()
            .ok()
            .map(|ip| Known { addresses: Arc::new([SocketAddr::new(ip, port)]), again_at: None });
        let (host, asking) = (host.to_string(), AtomicBool::new(false));
        Name { host, port, every, known: Mutex::new(known), asking }
    }

    /// Whether it still stands for an address that it has stood for. If it is time
    /// to ask again, that is done behind: who has a connection doesn't wait for it.
    pub fn stands_for(self: &Arc<Self>, address: SocketAddr) -> bool {
        let Some(known) = self.known.lock().clone() else { return true };
        if known.is_old() && !self.asking.swap(true, Ordering::AcqRel) {
            let name = Arc::clone(self);
            tokio::spawn(async move {
                let _ = name.learn(name.ask().await);
                name.asking.store(false, Ordering::Release);
            });
        }
        known.addresses.contains(&address)
    }

    /// What it stands for. A name that cannot be resolved any more keeps what it
    /// stood for last.
    ///
    /// # Errors
    /// If it never could be resolved.
    pub async fn addresses(&self) -> Result<Arc<[SocketAddr]>> {
        self.addresses_by(self.ask()).await
    }

    async fn ask(&self) -> Result<Vec<SocketAddr>> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        found.map(Iterator::collect)
    }

    pub(super) async fn addresses_by(
        &self,
        asked: impl Future<Output = Result<Vec<SocketAddr>>>,
    ) -> Result<Arc<[SocketAddr]>> {
        let known = self.known.lock().clone();
        match known {
            Some(known) if !known.is_old() => Ok(known.addresses),
            _ => self.learn(asked.await),
        }
    }

    /// Takes in what has been found.
    fn learn(&self, found: Result<Vec<SocketAddr>>) -> Result<Arc<[SocketAddr]>> {
        let nothing = || Error::new(ErrorKind::NotFound, "the name has no address");
        let found = match found {
            Ok(found) if found.is_empty() => Err(nothing()),
            other => other,
        };
        let known = self.known.lock().clone();
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
