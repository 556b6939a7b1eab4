//! TLS towards servers: always verified, against the system's certificate authorities and those of the
//! settings.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::error::SetupError;

pub(super) fn client_config(extra_ca: Option<&[u8]>) -> Result<Arc<ClientConfig>, SetupError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a certificate authority of the system cannot be read");
    }
    let (_, ignored) = roots.add_parsable_certificates(native.certs);
    if ignored > 0 {
        tracing::debug!(ignored, "certificate authorities of the system that rustls does not understand");
    }
    if let Some(pem) = extra_ca {
        add_extra(&mut roots, pem)?;
    }
    if roots.is_empty() {
        return Err(SetupError::NoRoots);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn add_extra(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), SetupError> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| SetupError::ExtraCa(error.to_string()))?;
        roots.add(certificate).map_err(|error| SetupError::ExtraCa(error.to_string()))?;
    }
    if roots.len() == before {
        return Err(SetupError::ExtraCa("no certificate in it".to_owned()));
    }
    Ok(())
}
