//! Certificates and keys, as PEM files hold them. What has been read has been
//! tried: making a connection by it can't fail any more for what it is.

use super::Unusable;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys, RootCertStore};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3Default;

/// Who may vouch for the application: those of a file, or of the system.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Authorities {
    /// `None` for the system's.
    file: Option<PathBuf>,
    certificates: Arc<[CertificateDer<'static>]>,
}

/// A certificate of larder's own, and those that lead from it to an authority.
#[derive(Clone, PartialEq, Eq)]
pub struct Chain {
    file: PathBuf,
    certificates: Arc<[CertificateDer<'static>]>,
}

/// The private key of a certificate. It is never shown.
#[derive(Clone)]
pub struct Key {
    file: PathBuf,
    bytes: Arc<PrivateKeyDer<'static>>,
    signing: Arc<dyn SigningKey>,
}

impl Authorities {
    /// Reads those of a PEM file.
    ///
    /// # Errors
    /// A file that can't be read, holds none, or holds one that can't be believed.
    pub fn from_file(file: &Path) -> Result<Authorities, Unusable> {
        let certificates = certificates(file)?;
        let mut tried = RootCertStore::empty();
        for (at, certificate) in certificates.iter().enumerate() {
            tried.add(certificate.clone()).map_err(|error| {
                let file = file.display();
                Unusable(format!("certificate {} of `{file}` is of no use: {error}", at + 1))
            })?;
        }
        Ok(Authorities { file: Some(file.to_owned()), certificates })
    }

    /// Reads the system's: those of `SSL_CERT_FILE` and `SSL_CERT_DIR` if they
    /// are set, else of the usual places.
    ///
    /// # Errors
    /// If there are none, as in a container without them.
    pub fn of_the_system() -> Result<Authorities, Unusable> {
        let found = rustls_native_certs::load_native_certs();
        if !found.certs.is_empty() {
            return Ok(Authorities { file: None, certificates: found.certs.into() });
        }
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        Err(Unusable(format!("this machine holds no certificates of authorities{why}")))
    }

    /// Whether they are the system's, read or not yet.
    pub fn are_the_systems(&self) -> bool {
        self.file.is_none()
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }
}

impl Chain {
    /// Reads a PEM file, larder's own certificate first.
    ///
    /// # Errors
    /// A file that can't be read, or holds none.
    pub fn from_file(file: &Path) -> Result<Chain, Unusable> {
        Ok(Chain { file: file.to_owned(), certificates: certificates(file)? })
    }

    /// Whether it is the certificate of this key.
    ///
    /// # Errors
    /// If it is not, or not a certificate at all.
    pub fn fits(&self, key: &Key) -> Result<(), Unusable> {
        let (file, of) = (self.file.display(), key.file.display());
        match CertifiedKey::new(self.certificates.to_vec(), key.signing()).keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(()),
            Err(Error::InconsistentKeys(_)) => {
                Err(Unusable(format!("`{of}` is not the key of the certificate in `{file}`")))
            }
            Err(error) => Err(Unusable(format!("the certificate in `{file}` is wrong: {error}"))),
        }
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }
}

impl Key {
    /// Reads a PEM file: PKCS#8, PKCS#1 or SEC1, not encrypted.
    ///
    /// # Errors
    /// A file that can't be read, holds none, or one of a kind that can't sign.
    pub fn from_file(file: &Path) -> Result<Key, Unusable> {
        let shown = file.display();
        let bytes = PrivateKeyDer::from_pem_slice(&read(file)?).map_err(|error| match error {
            PemError::NoItemsFound => Unusable(format!(
                "`{shown}` holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"
            )),
            error => Unusable(format!("`{shown}` is not PEM: {error}")),
        })?;
        let signing = any_supported_type(&bytes)
            .map_err(|error| Unusable(format!("the key in `{shown}` is of no use: {error}")))?;
        Ok(Key { file: file.to_owned(), bytes: Arc::new(bytes), signing })
    }

    pub(super) fn signing(&self) -> Arc<dyn SigningKey> {
        Arc::clone(&self.signing)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        (&self.file, &self.bytes) == (&other.file, &other.bytes)
    }
}

impl Eq for Key {}

/// `system`, or the file and what tells its content from another.
impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.certificates.is_empty()) {
            (None, true) => f.write_str("\"system\""),
            (None, false) => shown(Path::new("system"), &self.certificates, f),
            (Some(file), _) => shown(file, &self.certificates, f),
        }
    }
}

/// The file and what tells its content from another.
impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(&self.file, &self.certificates, f)
    }
}

/// The file, and nothing of its content.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.file)
    }
}

fn shown(
    file: &Path,
    certificates: &[CertificateDer<'static>],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut content = Xxh3Default::new();
    certificates.iter().for_each(|certificate| content.update(certificate));
    write!(f, "{file:?} ({} in it, {:08x})", certificates.len(), content.digest() as u32)
}

fn read(file: &Path) -> Result<Vec<u8>, Unusable> {
    std::fs::read(file)
        .map_err(|error| Unusable(format!("can't read `{}`: {error}", file.display())))
}

/// The certificates of a PEM file, at least one.
fn certificates(file: &Path) -> Result<Arc<[CertificateDer<'static>]>, Unusable> {
    let shown = file.display();
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(file)?).collect();
    match found {
        Ok(found) if found.is_empty() => Err(Unusable(format!(
            "`{shown}` holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"
        ))),
        Ok(found) => Ok(found.into()),
        Err(error) => Err(Unusable(format!("`{shown}` is not PEM: {error}"))),
    }
}
