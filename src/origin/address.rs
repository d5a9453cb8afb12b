//! Where an upstream is, and what its name stands for at the moment.

use crate::tls::Peer;
use parking_lot::Mutex;
use std::fmt;
use std::io::{self, Error, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

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
    host: Arc<str>,
    port: u16,
    every: Duration,
    known: Mutex<Option<Known>>,
    /// What was asked last; over when whoever asked for all is gone.
    asking: Mutex<Option<Asking>>,
}

type Addresses = Arc<[SocketAddr]>;
type Answer = Result<Addresses, Arc<Error>>;

#[derive(Clone, Debug)]
struct Known {
    addresses: Addresses,
    /// `None` if it is an address already, and never asked about.
    again_at: Option<Instant>,
}

/// A question that is asked once for all who wait for the answer.
#[derive(Clone, Debug)]
struct Asking {
    begun: Instant,
    told: watch::Receiver<Option<Answer>>,
}

impl Known {
    fn is_old(&self) -> bool {
        self.again_at.is_some_and(|at| at <= Instant::now())
    }
}

impl Asking {
    fn is_over(&self) -> bool {
        self.told.has_changed().is_err()
    }

    async fn answer(mut self) -> Answer {
        let told = self.told.wait_for(Option::is_some).await.ok();
        let answer = told.and_then(|told| told.clone());
        answer.unwrap_or_else(|| Err(Arc::new(Error::from(ErrorKind::Interrupted))))
    }
}

impl Name {
    /// A name that is asked about again after `every`.
    pub fn new(host: &str, port: u16, every: Duration) -> Name {
        let known = host
            .parse::<IpAddr>()
            .ok()
            .map(|ip| Known { addresses: Arc::new([SocketAddr::new(ip, port)]), again_at: None });
        Name { host: host.into(), port, every, known: Mutex::new(known), asking: Mutex::default() }
    }

    /// The addresses that it has stood for last; `None` if that is not known. If it is
    /// time to ask again, that is done behind: who has a connection doesn't wait for it.
    pub fn last(self: &Arc<Self>) -> Option<Addresses> {
        let known = self.known.lock().clone()?;
        if known.is_old() {
            self.ask(self.lookup());
        }
        Some(known.addresses)
    }

    /// What it stands for. A name that cannot be resolved any more keeps what it
    /// stood for last; so does one whose resolver says nothing for `patience`.
    ///
    /// # Errors
    /// If it never could be resolved.
    pub async fn addresses(self: &Arc<Self>, patience: Duration) -> Answer {
        self.addresses_by(self.lookup(), patience).await
    }

    fn lookup(&self) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + use<> {
        let (host, port) = (Arc::clone(&self.host), self.port);
        async move { Ok(lookup_host((&*host, port)).await?.collect()) }
    }

    pub(super) async fn addresses_by(
        self: &Arc<Self>,
        lookup: impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
        patience: Duration,
    ) -> Answer {
        let known = self.known.lock().clone();
        match known {
            Some(known) if !known.is_old() => Ok(known.addresses),
            Some(known) => {
                let asking = self.ask(lookup);
                let until = asking.begun + patience;
                let answer = timeout_at(until, asking.answer()).await;
                Ok(answer.ok().and_then(Result::ok).unwrap_or(known.addresses))
            }
            None => self.ask(lookup).answer().await,
        }
    }

    /// Asks, unless somebody does: a resolver that hangs would be asked by each, and
    /// each question takes a thread until it is given up.
    fn ask(
        self: &Arc<Self>,
        lookup: impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    ) -> Asking {
        let mut asking = self.asking.lock();
        if let Some(under_way) = asking.as_ref().filter(|asking| !asking.is_over()) {
            return under_way.clone();
        }
        let (tell, told) = watch::channel(None);
        let name = Arc::clone(self);
        tokio::spawn(async move {
            let answer = name.learn(lookup.await);
            tell.send_replace(Some(answer));
        });
        asking.insert(Asking { begun: Instant::now(), told }).clone()
    }

    /// Takes in what has been found.
    fn learn(&self, found: io::Result<Vec<SocketAddr>>) -> Answer {
        let nothing = || Error::new(ErrorKind::NotFound, "the name has no address");
        let found = match found {
            Ok(found) if found.is_empty() => Err(nothing()),
            other => other,
        };
        let known = self.known.lock().clone();
        let addresses: Addresses = match (found, known) {
            (Ok(found), _) => found.into(),
            (Err(error), Some(known)) => {
                tracing::warn!(host = %self.host, %error, "a name does not resolve any more");
                known.addresses
            }
            (Err(error), None) => return Err(Arc::new(error)),
        };
        let again_at = Some(Instant::now() + self.every);
        *self.known.lock() = Some(Known { addresses: Arc::clone(&addresses), again_at });
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tokio::time::{sleep, timeout};

    const SECOND: Duration = Duration::from_secs(1);

    fn at(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 80))
    }

    fn lost() -> io::Result<Vec<SocketAddr>> {
        Err(Error::from(ErrorKind::TimedOut))
    }

    fn name() -> Arc<Name> {
        Arc::new(Name::new("app.test", 80, 30 * SECOND))
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_asked_about_again_and_keeps_what_it_stood_for() {
        let name = name();
        assert!(name.addresses_by(ready(lost()), SECOND).await.is_err(), "it never was known");
        let stands_for =
            async |found| name.addresses_by(ready(found), SECOND).await.unwrap().to_vec();
        assert_eq!(stands_for(Ok(vec![at(1)])).await, [at(1)]);
        tokio::time::advance(29 * SECOND).await;
        assert_eq!(stands_for(Ok(vec![at(2)])).await, [at(1)], "not asked yet");
        tokio::time::advance(SECOND).await;
        assert_eq!(stands_for(Ok(vec![at(2), at(3)])).await, [at(2), at(3)]);
        for nothing in [lost(), Ok(Vec::new())] {
            tokio::time::advance(30 * SECOND).await;
            assert_eq!(stands_for(nothing).await, [at(2), at(3)]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_resolver_that_hangs_is_asked_once_and_waited_for_once() {
        let (name, start) = (name(), Instant::now());
        name.addresses_by(ready(Ok(vec![at(1)])), SECOND).await.unwrap();
        tokio::time::advance(30 * SECOND).await;
        for _ in 0..3 {
            let found = name.addresses_by(pending(), SECOND).await.unwrap();
            assert_eq!(found.to_vec(), [at(1)]);
            // This one is asked only when the other is over, and that never is.
            let other = name.addresses_by(ready(Ok(vec![at(2)])), SECOND).await.unwrap();
            assert_eq!(other.to_vec(), [at(1)]);
        }
        assert_eq!(start.elapsed(), 31 * SECOND, "only the first has waited");
        assert_eq!(name.last().unwrap().to_vec(), [at(1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_need_a_name_for_the_first_time_wait_for_one_answer() {
        let name = name();
        let slow = async {
            sleep(5 * SECOND).await;
            Ok(vec![at(1)])
        };
        // Who asked has given up; the others are told all the same.
        assert!(timeout(SECOND, name.addresses_by(slow, SECOND)).await.is_err());
        let found = name.addresses_by(pending(), SECOND).await.unwrap();
        assert_eq!(found.to_vec(), [at(1)]);
    }

    #[test]
    fn what_went_with_its_runtime_is_asked_again() {
        let name = name();
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime().block_on(async { name.ask(pending()) });
        let asked = async { name.addresses_by(ready(Ok(vec![at(1)])), SECOND).await };
        assert_eq!(runtime().block_on(asked).unwrap().to_vec(), [at(1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_is_not_asked_about() {
        let name = Arc::new(Name::new("::1", 80, Duration::ZERO));
        let here: Vec<SocketAddr> = vec!["[::1]:80".parse().unwrap()];
        assert_eq!(name.addresses_by(ready(lost()), SECOND).await.unwrap().to_vec(), here);
    }
}
