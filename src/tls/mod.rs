//! TLS as larder speaks it to the application: certificates and keys as files
//! hold them, and connections that are made by them.

mod peer;
mod pem;

pub use peer::{Peer, PeerName, Stream, failure};
pub use pem::{Authorities, Chain, Key};

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::fmt;
use std::sync::Arc;

/// Certificates or a key that can't be used; it says which and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How to speak TLS: whom to believe, and who to be. It keeps the sessions that
/// later connections resume.
#[derive(Clone, Debug)]
pub struct Client(Arc<ClientConfig>);

impl Client {
    /// TLS 1.2 and 1.3, and HTTP/1.1 in it. Only what one of `authorities`
    /// vouches for is believed; `identity` is shown to who asks for it, and has
    /// to fit together ([`Chain::fits`]).
    pub fn new(authorities: &Authorities, identity: Option<(&Chain, &Key)>) -> Client {
        let mut roots = RootCertStore::empty();
        // Those of a file have been tried; of the system's a few may be of no use.
        roots.add_parsable_certificates(authorities.certificates().iter().cloned());
        // Whichever libraries are linked: this one it is. An error means that it is already.
        let _ = ring::default_provider().install_default();
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let certified = CertifiedKey::new(chain.certificates().to_vec(), key.signing());
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Client(Arc::new(config))
    }

    /// The other side, which has to prove that it is `name`.
    pub fn to(&self, name: PeerName) -> Peer {
        Peer::new(Arc::clone(&self.0), name)
    }
}
