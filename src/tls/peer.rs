//! The other side of a connection.

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::io::{Error, Result};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A connection on which hands have been shaken.
pub type Stream = TlsStream<TcpStream>;

/// Who the other side has to prove to be: a host name, which it is also told
/// (SNI), or an IP address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PeerName(ServerName<'static>);

impl PeerName {
    /// Reads a name or an address; `None` if it can't stand in a certificate.
    pub fn parse(text: &str) -> Option<PeerName> {
        ServerName::try_from(text.to_owned()).ok().map(PeerName)
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_str())
    }
}

impl fmt::Debug for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.to_str())
    }
}

/// The other side, and how to speak to it.
#[derive(Clone)]
pub struct Peer {
    connector: TlsConnector,
    name: PeerName,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peer").field(&self.name).finish()
    }
}

impl Peer {
    pub(super) fn new(config: Arc<ClientConfig>, name: PeerName) -> Peer {
        Peer { connector: TlsConnector::from(config), name }
    }

    /// Shakes hands on a connection. Whoever is not who it has to be, or believes
    /// that of us, is sent nothing more.
    ///
    /// # Errors
    /// What [`failure`] knows, or those of the connection itself.
    pub async fn shake_hands(&self, stream: TcpStream) -> Result<Stream> {
        self.connector.connect(self.name.0.clone(), stream).await.map_err(in_words)
    }
}

/// The error, in plain words if it is the one that is met first with a
/// certificate of one's own making and says the least.
fn in_words(error: Error) -> Error {
    match failure(&error) {
        Some(why) if why.contains("CaUsedAsEndEntity") => Error::new(
            error.kind(),
            "invalid peer certificate: it is that of an authority (CA:TRUE), not of an application",
        ),
        _ => error,
    }
}

/// The part of an error that speaks of TLS: what was said or shown is wrong, or
/// we were told that what we showed is. Nothing if only the connection ended.
pub fn failure(error: &Error) -> Option<String> {
    error.get_ref()?.downcast_ref::<rustls::Error>().map(rustls::Error::to_string)
}
