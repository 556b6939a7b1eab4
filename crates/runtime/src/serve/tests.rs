use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::Tasks;
use crate::fixtures::{Authority, Echo, PATIENCE};

/// Sends bytes on a new connection and reads until it is closed.
async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset instead of an end is a close as well.
    let _closed = timeout(PATIENCE, tcp.read_to_end(&mut answer)).await.expect("the connection is closed");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn ambiguous_framing_is_answered_with_400_and_the_connection_closed() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    for request in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\nbody",
        "POST / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n folded: c\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x4\r\nbody\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbodyX0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nbody",
        "GET / HTTP/1.1\nHost: a\n\n",
        "CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        "\0\r\n\r\n",
    ] {
        let answer = raw(echo.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer:?}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{request:?}: {answer:?}");
        assert!(!answer.contains("smuggled"), "{request:?}: {answer:?}");
    }
}

#[tokio::test]
async fn honest_requests_are_served_one_after_the_other_on_one_connection() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    let answer = raw(
        echo.address,
        b"POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody\
          POST /two HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n\
          GET /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
    .await;
    for said in ["POST /one HTTP/1.1 Http body", "POST /two HTTP/1.1 Http body", "GET /three HTTP/1.1 Http "]
    {
        assert!(answer.contains(said), "{said}: {answer:?}");
    }
}

#[tokio::test]
async fn too_large_a_head_is_431() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    for size in [32 * 1024, 100 * 1024, 1 << 20] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(size));
        let answer = raw_lossy(echo.address, request.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{size}: {answer:?}");
    }
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(500));
    let answer = raw_lossy(echo.address, many.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
    let fits = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: {}\r\n\r\n", "x".repeat(30_000));
    assert!(raw(echo.address, fits.as_bytes()).await.starts_with("HTTP/1.1 200 "));
}

/// As `raw`, but the other side may close before it read everything.
async fn raw_lossy(address: SocketAddr, bytes: &[u8]) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let _cut_short = tcp.write_all(bytes).await;
    let mut answer = Vec::new();
    let _closed = timeout(PATIENCE, tcp.read_to_end(&mut answer)).await.expect("the connection is closed");
    String::from_utf8_lossy(&answer).into_owned()
}

fn hasty() -> ServeLimits {
    ServeLimits {
        header_timeout: Duration::from_millis(100),
        idle_timeout: Duration::from_millis(300),
        ..ServeLimits::default()
    }
}

#[tokio::test]
async fn silent_and_dripping_clients_are_let_go() {
    let echo = Echo::start(None, hasty()).await;
    for start in ["", "P", "GET / HTTP/1.1\r\nHost:", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let answer = raw(echo.address, start.as_bytes()).await;
        assert_eq!(answer.is_empty(), !start.ends_with("\r\n\r\n"), "{start:?}: {answer:?}");
    }
    let mut tcp = TcpStream::connect(echo.address).await.unwrap();
    let dripped = timeout(PATIENCE, async {
        tcp.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if tcp.write_all(b"x").await.is_err() {
                return;
            }
        }
    });
    assert!(dripped.await.is_ok(), "a drip every 20 ms does not keep a head open");
}

/// A connection to a listener with a certificate for `localhost`.
async fn over_tls(authority: &Authority, address: SocketAddr) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
}

#[tokio::test]
async fn behind_tls_the_same_holds() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (cert, key) = authority.issue(dir.path(), &["localhost"]);
    let echo = Echo::start(Some(Tls::load(cert, key).unwrap()), hasty()).await;
    assert_eq!(raw(echo.address, b"").await, "", "a handshake that does not come");
    let answer = raw(echo.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!answer.contains("HTTP"), "no plain text on a TLS port: {answer:?}");

    let mut tls = over_tls(&authority, echo.address).await;
    tls.write_all(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    )
    .await
    .unwrap();
    let mut answer = Vec::new();
    let _closed = timeout(PATIENCE, tls.read_to_end(&mut answer)).await.expect("the connection is closed");
    assert!(answer.starts_with(b"HTTP/1.1 400 "), "{answer:?}");
}

#[tokio::test]
async fn more_connections_than_allowed_are_closed_at_once() {
    let echo = Echo::start(None, ServeLimits { max_connections: 2, ..ServeLimits::default() }).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut tcp = TcpStream::connect(echo.address).await.unwrap();
        tcp.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert!(timeout(PATIENCE, tcp.read_u8()).await.unwrap().is_ok());
        kept.push(tcp);
    }
    assert_eq!(raw_lossy(echo.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await, "");
    drop(kept.pop());
    let mut answer = String::new();
    timeout(PATIENCE, async {
        while answer.is_empty() {
            let close = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
            answer = raw_lossy(echo.address, close).await;
        }
    })
    .await
    .expect("a place became free");
}

#[tokio::test]
async fn shutdown_lets_the_request_in_flight_finish_and_takes_no_other() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    let mut idle = TcpStream::connect(echo.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(timeout(PATIENCE, idle.read_u8()).await.unwrap().is_ok());
    let mut busy = TcpStream::connect(echo.address).await.unwrap();
    busy.write_all(b"POST /busy HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        .await
        .unwrap();
    let mut head = [0u8; 25];
    timeout(PATIENCE, busy.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(&head, b"HTTP/1.1 100 Continue\r\n\r\n", "the service has the request");
    let tasks = echo.tasks.clone();
    let waiting = Tasks::new();
    let ended = waiting.spawn("shutdown", async move { tasks.shutdown(PATIENCE).await });
    let mut rest = Vec::new();
    timeout(PATIENCE, idle.read_to_end(&mut rest)).await.expect("an idle connection is closed").unwrap();
    busy.write_all(b"body").await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, busy.read_to_string(&mut answer)).await.expect("closed after its answer").unwrap();
    assert!(answer.contains("POST /busy HTTP/1.1 Http body"), "{answer}");
    ended.await.unwrap().unwrap();
    assert!(TcpStream::connect(echo.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn connections_on_which_nothing_was_said_do_not_hold_up_the_shutdown() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (cert, key) = authority.issue(dir.path(), &["localhost"]);
    let plain = Echo::start(None, ServeLimits::default()).await;
    let encrypted = Echo::start(Some(Tls::load(cert, key).unwrap()), ServeLimits::default()).await;
    let _silent = TcpStream::connect(plain.address).await.unwrap();
    let _no_handshake = TcpStream::connect(encrypted.address).await.unwrap();
    let _no_request = over_tls(&authority, encrypted.address).await;
    // Another that is served tells that the others were accepted.
    let close = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(raw(plain.address, close).await.starts_with("HTTP/1.1 200 "));
    raw(encrypted.address, close).await;
    for echo in [plain, encrypted] {
        echo.tasks.shutdown(Duration::from_secs(3)).await.expect("nobody is waited for");
    }
}

#[tokio::test]
async fn http2_is_served_by_prior_knowledge() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    let tcp = TcpStream::connect(echo.address).await.unwrap();
    let executor = hyper_util::rt::TokioExecutor::new();
    let io = hyper_util::rt::TokioIo::new(tcp);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let tasks = Tasks::new();
    tasks.spawn("client", connection);
    let request =
        http::Request::post("http://a/two").body(http_body_util::Full::<bytes::Bytes>::from("b")).unwrap();
    let answer = timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap();
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, "POST /two HTTP/2.0 Http b");
}

#[test]
fn a_new_certificate_is_taken_and_a_bad_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (cert, key) = authority.issue(dir.path(), &["localhost"]);
    let tls = Tls::load(&cert, &key).unwrap();
    assert!(!tls.reload_if_changed().unwrap());
    let (old_cert, old_key) = (std::fs::read(&cert).unwrap(), std::fs::read(&key).unwrap());
    authority.issue(dir.path(), &["localhost", "other.example"]);
    assert!(tls.reload_if_changed().unwrap());
    std::fs::write(&key, &old_key).unwrap();
    assert!(tls.reload_if_changed().is_err(), "a key of another certificate");
    assert!(!tls.reload_if_changed().unwrap(), "a bad one is reported once");
    std::fs::write(&cert, "-----BEGIN nonsense").unwrap();
    assert!(tls.reload_if_changed().is_err());
    std::fs::write(&cert, &old_cert).unwrap();
    assert!(tls.reload_if_changed().unwrap());
    assert!(Tls::load(dir.path().join("none"), &key).is_err());
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    assert!(Listener::bind(echo.address, None, ServeLimits::default()).await.is_err());
    assert_eq!(echo.address.ip(), Ipv4Addr::LOCALHOST);
}

mod http2;
