//! TLS of the listener. The certificate is read again when its files change, so that a renewal needs no
//! restart; a bad new one is logged and the old one stays.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, RwLock};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::Tasks;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The listener's certificate could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds no certificate, or no private key.
    #[error("{path} does not hold {wanted} as PEM: {detail}", path = path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// What the parser said.
        detail: String,
    },
    /// Certificate and key do not fit together, or rustls does not know their kind.
    #[error("the certificate cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// The listener's certificate and key, kept up to date. Clones share them.
#[derive(Debug, Clone)]
pub struct Tls {
    files: Arc<Files>,
    config: Arc<ServerConfig>,
    current: Arc<Current>,
}

#[derive(Debug)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
    seen: Mutex<Stamp>,
}

/// Tells a changed file from an unchanged one.
type Stamp = [Option<(SystemTime, u64)>; 2];

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

impl Tls {
    /// Reads the certificate (with its chain) and its key, both PEM. Offers HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// A file cannot be read or is not what it should be, or the two do not fit together.
    pub fn load(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let (cert, key) = (cert.into(), key.into());
        let seen = [stamp(&cert), stamp(&key)];
        let current = Arc::new(Current(RwLock::new(Arc::new(certified(&cert, &key)?))));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let files = Arc::new(Files { cert, key, seen: Mutex::new(seen) });
        Ok(Self { files, config: Arc::new(config), current })
    }

    /// Reads the files again if they changed since the last look. New handshakes then use the new
    /// certificate; connections stay.
    ///
    /// # Errors
    /// The new files cannot be used; the old certificate stays.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let now = [stamp(&self.files.cert), stamp(&self.files.key)];
        if std::mem::replace(&mut *self.files.seen.lock(), now) == now {
            return Ok(false);
        }
        let fresh = Arc::new(certified(&self.files.cert, &self.files.key)?);
        *self.current.0.write() = fresh;
        Ok(true)
    }

    pub(super) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Looks at the files every few seconds, until the tasks stop.
    pub(super) fn watch(&self, tasks: &Tasks) {
        let (tls, group) = (self.clone(), tasks.clone());
        tasks.spawn_until_stop("certificate watch", async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let tls = tls.clone();
                match group.spawn_blocking(move || tls.reload_if_changed()).await {
                    Ok(Ok(true)) => tracing::info!("the listener's certificate was read again"),
                    Ok(Ok(false)) => {}
                    Ok(Err(error)) => {
                        tracing::error!(%error, "the listener's new certificate is not usable; the old one stays");
                    }
                    Err(error) => tracing::error!(%error, "the look at the certificate's files failed"),
                }
            }
        });
    }
}

/// A file that cannot be looked at has no stamp; reading it then says why.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn certified(cert: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(cert)?)
        .collect::<Result<_, _>>()
        .map_err(|error| pem(cert, "a certificate", &error))?;
    if chain.is_empty() {
        return Err(pem(cert, "a certificate", &"none in it"));
    }
    let key = PrivateKeyDer::from_pem_slice(&zeroize::Zeroizing::new(read(key)?))
        .map_err(|error| pem(key, "a private key", &error))?;
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // `Unknown`: this kind of key does not tell; the first handshake will.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) => Err(error.into()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Io { path: path.to_owned(), source })
}

fn pem(path: &Path, wanted: &'static str, detail: &dyn std::fmt::Display) -> TlsError {
    TlsError::Pem { path: path.to_owned(), wanted, detail: detail.to_string() }
}
