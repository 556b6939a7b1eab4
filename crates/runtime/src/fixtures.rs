//! What the tests of this room share: a certificate authority, and a listener that echoes.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::{Lanes, Listener, PeerInfo, ServeLimits, Tasks, Tls};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate authority made for one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Writes a certificate for these names and its key; returns their files.
    pub(crate) fn issue(&self, dir: &Path, names: &[&str]) -> (PathBuf, PathBuf) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        let (cert_file, key_file) = (dir.join("cert.pem"), dir.join("key.pem"));
        std::fs::write(&cert_file, cert.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        (cert_file, key_file)
    }
}

/// A listener on loopback that answers with what it saw.
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    pub(crate) tasks: Tasks,
    _lanes: Lanes,
}

impl Echo {
    pub(crate) async fn start(tls: Option<Tls>, limits: ServeLimits) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = Listener::bind(any, tls, limits).await.unwrap();
        let (address, tasks) = (listener.local_addr(), Tasks::new());
        let group = tasks.clone();
        let lanes = Lanes::start().unwrap();
        let seats = lanes.clone();
        tasks.spawn("listener", async move { listener.serve(service_fn(echo), &group, &seats).await });
        Self { address, tasks, _lanes: lanes }
    }
}

/// `/redirect` redirects, `/headers` shows the headers, `/slow` answers only when the client has
/// closed its half or sent its body; everything else repeats method, path, version, scheme and body.
async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let peer = *head.extensions.get::<PeerInfo>().unwrap();
    let Ok(body) = body.collect().await else {
        let mut response = Response::new(Full::from("bad body"));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(response);
    };
    let body = body.to_bytes();
    let said = match head.uri.path() {
        "/redirect" => {
            let response = Response::builder().status(302).header("location", "http://127.0.0.1:1/");
            return Ok(response.body(Full::default()).unwrap());
        }
        "/headers" => format!("{:?}", head.headers),
        "/large" => "x".repeat(100_000),
        _ => format!(
            "{} {} {:?} {:?} {}",
            head.method,
            head.uri.path(),
            head.version,
            peer.scheme,
            String::from_utf8_lossy(&body)
        ),
    };
    Ok(Response::new(Full::from(said)))
}
