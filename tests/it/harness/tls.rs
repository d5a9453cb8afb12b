//! Certificates that a test makes for itself, and TLS in front of an origin.

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// One who vouches for others.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct Issued {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two with the same name would be taken for one another.
        let name: String = key.public_key_raw().iter().map(|byte| format!("{byte:02x}")).collect();
        params.distinguished_name.push(DnType::CommonName, &name[2..34]);
        let certificate = params.self_signed(&key).expect("a certificate");
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Writes it to a file; the file's path.
    pub fn file(&self, directory: &Path, name: &str) -> String {
        write(directory, name, &self.pem())
    }

    /// A certificate for these names.
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.issue_but(names, |_| {})
    }

    /// The same, with something else about it.
    pub fn issue_but(&self, names: &[&str], but: impl FnOnce(&mut CertificateParams)) -> Issued {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let mut params = CertificateParams::new(names).expect("the names");
        but(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Issued {
    /// Writes both to files; their paths.
    pub fn files(&self, directory: &Path, name: &str) -> (String, String) {
        (
            write(directory, &format!("{name}.pem"), &self.certificate),
            write(directory, &format!("{name}.key"), &self.key),
        )
    }
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("a path").to_owned()
}

/// What the server of a TLS connection shows and asks for.
pub struct Server {
    issued: Issued,
    /// Whose certificates a client has to show; `None` asks for none.
    clients_of: Option<String>,
    versions: Vec<&'static SupportedProtocolVersion>,
    alpn: Vec<Vec<u8>>,
    /// Whether it says that it ends before it does (close_notify).
    polite: bool,
}

impl Server {
    pub fn with(issued: &Issued) -> Server {
        Server {
            issued: issued.clone(),
            clients_of: None,
            versions: rustls::ALL_VERSIONS.to_vec(),
            alpn: vec![b"http/1.1".to_vec()],
            polite: true,
        }
    }

    pub fn asking_for_certificates_of(mut self, authority: &Authority) -> Server {
        self.clients_of = Some(authority.pem());
        self
    }

    pub fn only(mut self, version: &'static SupportedProtocolVersion) -> Server {
        self.versions = vec![version];
        self
    }

    pub fn speaking(mut self, protocol: &str) -> Server {
        self.alpn = vec![protocol.as_bytes().to_vec()];
        self
    }

    pub fn impolite(mut self) -> Server {
        self.polite = false;
        self
    }

    fn shown(&self) -> Shown {
        Shown { config: self.config(), polite: self.polite }
    }

    fn config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .expect("versions");
        let builder = match &self.clients_of {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(certificate(authority)).expect("an authority");
                let asking = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(asking.build().expect("a verifier"))
            }
        };
        let key = PrivateKeyDer::from_pem_slice(self.issued.key.as_bytes()).expect("a key");
        let chain = vec![certificate(&self.issued.certificate)];
        let mut config = builder.with_single_cert(chain, key).expect("they fit");
        config.alpn_protocols.clone_from(&self.alpn);
        Arc::new(config)
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}

/// How a handshake went.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    /// The name that was asked for (SNI).
    pub name: Option<String>,
    /// The protocol that was agreed on (ALPN).
    pub protocol: Option<String>,
    /// It resumed an earlier session.
    pub resumed: bool,
    /// The client has shown a certificate.
    pub client_shown: bool,
    /// Why it came to nothing.
    pub failed: Option<String>,
}

#[derive(Clone)]
struct Shown {
    config: Arc<ServerConfig>,
    polite: bool,
}

/// An address where what stands behind is spoken to over TLS.
pub struct Secured {
    pub address: SocketAddr,
    shown: Arc<Mutex<Shown>>,
    handshakes: Arc<Mutex<Vec<Handshake>>>,
}

impl Secured {
    pub fn in_front_of(behind: SocketAddr, server: Server) -> Secured {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket for a runtime");
        let address = listener.local_addr().expect("an address");
        let (shown, handshakes) = (Arc::new(Mutex::new(server.shown())), Arc::default());
        let secured =
            Secured { address, shown: Arc::clone(&shown), handshakes: Arc::clone(&handshakes) };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    let Shown { config, polite } = shown.lock().expect("it").clone();
                    let handshakes = Arc::clone(&handshakes);
                    tokio::spawn(async move {
                        let shaken = shake_hands(config.into(), stream, &handshakes).await;
                        if let Some(outside) = shaken {
                            relay(outside, behind, polite).await;
                        }
                    });
                }
            });
        });
        secured
    }

    /// Where it is, as `larder --to` takes it.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The same, by the machine's name.
    pub fn named_url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Shows and asks for something else from now on.
    pub fn becomes(&self, server: &Server) {
        *self.shown.lock().expect("it") = server.shown();
    }

    /// The handshakes so far, in the order of their ends.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.handshakes.lock().expect("the handshakes").clone()
    }
}

async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    handshakes: &Mutex<Vec<Handshake>>,
) -> Option<TlsStream<TcpStream>> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => {
            let (_, session) = stream.get_ref();
            handshakes.lock().expect("the handshakes").push(Handshake {
                name: session.server_name().map(String::from),
                protocol: session.alpn_protocol().map(text),
                resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
                client_shown: session.peer_certificates().is_some(),
                failed: None,
            });
            Some(stream)
        }
        Err((error, mut stream)) => {
            let failed = Handshake { failed: Some(error.to_string()), ..Handshake::default() };
            handshakes.lock().expect("the handshakes").push(failed);
            // What is closed with bytes unread is reset, and what was said is lost.
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
            None
        }
    }
}

/// Hands bytes on, both ways, until the origin behind ends.
async fn relay(outside: TlsStream<TcpStream>, behind: SocketAddr, polite: bool) {
    let inside = TcpStream::connect(behind).await.expect("the origin");
    let (mut from_inside, mut to_inside) = inside.into_split();
    let (mut from_outside, mut to_outside) = split(outside);
    let inwards = async {
        let _ = copy(&mut from_outside, &mut to_inside).await;
        let _ = to_inside.shutdown().await;
        std::future::pending::<()>().await;
    };
    let outwards = async {
        let _ = copy(&mut from_inside, &mut to_outside).await;
        if polite {
            let _ = to_outside.shutdown().await;
        }
    };
    tokio::select! {
        () = inwards => {}
        () = outwards => {}
    }
}
