use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use url::Url;

use super::*;
use crate::fixtures::{Authority, Echo, PATIENCE};
use crate::{ServeLimits, Tasks, Tls};

fn settings(allow: &[&str]) -> OutboundSettings {
    let allow = allow.iter().map(|text| text.parse().unwrap()).collect();
    OutboundSettings {
        rules: EgressRules::new(allow),
        connect_timeout: PATIENCE,
        ..OutboundSettings::default()
    }
}

fn post(url: &str) -> Request<Bytes> {
    Request::post(url).body(Bytes::from("body")).unwrap()
}

async fn text(answer: Response<Body>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// A listener that tells of each connection that it gets.
async fn watched() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    (listener.local_addr().unwrap(), listener)
}

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_is_dialled() {
    let (address, listener) = watched().await;
    let port = address.port();
    let outbound = Outbound::new(settings(&[])).unwrap();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::]",
        "0.0.0.0",
        "0",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "10.0.0.1",
    ] {
        for scheme in ["http", "https"] {
            let Ok(request) = Request::post(format!("{scheme}://{host}:{port}/")).body(Bytes::new()) else {
                continue;
            };
            let error = timeout(PATIENCE, outbound.request(request)).await.unwrap().unwrap_err();
            // A spelling that the system's resolver does not know cannot be dialled either.
            let refused = matches!(error, OutboundError::Forbidden(_) | OutboundError::Dns { .. });
            assert!(refused, "{scheme}://{host}: {error:?}");
            assert!(!error.was_sent());
        }
    }
    for url in ["http://2130706433/", "http://0x7f.1/", "http://017700000001/"] {
        let url: Url = url.parse().unwrap();
        let error = outbound.get_small(&url, 10, PATIENCE).await.unwrap_err();
        assert!(matches!(error, OutboundError::Forbidden(_)), "{url}: {error:?}");
    }
    assert!(timeout(Duration::ZERO, listener.accept()).await.is_err(), "nobody connected");
}

#[tokio::test]
async fn one_connection_is_used_again_and_again() {
    let echo = Echo::start(None, ServeLimits { max_connections: 1, ..ServeLimits::default() }).await;
    let outbound = Outbound::new(settings(&["127.0.0.1"])).unwrap();
    for round in 0..20 {
        let answer = outbound.request(post(&format!("http://{}/{round}", echo.address))).await.unwrap();
        assert_eq!(text(answer).await, format!("POST /{round} HTTP/1.1 Http body"));
    }
}

#[tokio::test]
async fn redirects_are_returned_not_followed() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    let outbound = Outbound::new(settings(&["127.0.0.1"])).unwrap();
    let answer = outbound.request(post(&format!("http://{}/redirect", echo.address))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn tls_is_verified_and_speaks_http2() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (cert, key) = authority.issue(dir.path(), &["localhost"]);
    let echo = Echo::start(Some(Tls::load(cert, key).unwrap()), ServeLimits::default()).await;
    let port = echo.address.port();
    let trusting =
        OutboundSettings { extra_ca: Some(authority.pem.into()), ..settings(&["127.0.0.1", "::1"]) };
    let outbound = Outbound::new(trusting).unwrap();
    let answer = outbound.request(post(&format!("https://localhost:{port}/tls"))).await.unwrap();
    assert_eq!(text(answer).await, "POST /tls HTTP/2.0 Https body");

    let error = outbound.request(post(&format!("https://127.0.0.1:{port}/"))).await.unwrap_err();
    assert!(matches!(error, OutboundError::Tls(_)), "the certificate is for another name: {error:?}");
    let stranger = Authority::new();
    for extra_ca in [None, Some(stranger.pem.into_bytes())] {
        let outbound = Outbound::new(OutboundSettings { extra_ca, ..settings(&["localhost"]) });
        // A machine without any certificate authority refuses even earlier.
        let Ok(outbound) = outbound else { continue };
        let error = outbound.request(post(&format!("https://localhost:{port}/"))).await.unwrap_err();
        assert!(matches!(error, OutboundError::Tls(_)), "nobody vouches for it: {error:?}");
    }
    assert!(Outbound::new(OutboundSettings { extra_ca: Some(b"junk".to_vec()), ..settings(&[]) }).is_err());
}

#[tokio::test]
async fn a_dial_that_takes_too_long_is_given_up() {
    let (address, _mute) = watched().await;
    let connect_timeout = Duration::from_millis(50);
    let outbound = Outbound::new(OutboundSettings { connect_timeout, ..settings(&["127.0.0.1"]) }).unwrap();
    // TCP connects, the TLS handshake is never answered.
    let error = outbound.request(post(&format!("https://{address}/"))).await.unwrap_err();
    assert!(matches!(error, OutboundError::ConnectTimeout(_)), "{error:?}");
}

#[tokio::test]
async fn errors_tell_whether_the_server_may_have_seen_the_request() {
    let outbound = Outbound::new(settings(&["127.0.0.1"])).unwrap();
    let (closed, listener) = watched().await;
    drop(listener);
    let error = outbound.request(post(&format!("http://{closed}/"))).await.unwrap_err();
    assert!(matches!(error, OutboundError::Connect(_)) && !error.was_sent(), "{error:?}");
    let error = outbound.request(post("http://no-such-name.invalid/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Dns { .. }) && !error.was_sent(), "{error:?}");
    for bad in ["ftp://a/", "/relative", "http://user:password@127.0.0.1/"] {
        let error = outbound.request(post(bad)).await.unwrap_err();
        assert!(matches!(error, OutboundError::Url) && !error.was_sent(), "{bad}: {error:?}");
    }

    for answer in ["", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5"] {
        let (address, listener) = watched().await;
        let tasks = Tasks::new();
        let server = tasks.spawn("server", async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut seen = vec![0u8; 4096];
            assert!(tcp.read(&mut seen).await.unwrap() > 0);
            tcp.write_all(answer.as_bytes()).await.unwrap();
        });
        let error = outbound.request(post(&format!("http://{address}/"))).await.unwrap_err();
        assert!(matches!(error, OutboundError::Broken { sent: true, .. }), "{answer:?}: {error:?}");
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_a_new_one_not_an_error() {
    let (address, listener) = watched().await;
    let tasks = Tasks::new();
    let (closed, mut closings) = mpsc::channel(1);
    let server = tasks.spawn("server", async move {
        for _ in 0..3 {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut seen = vec![0u8; 4096];
            assert!(tcp.read(&mut seen).await.unwrap() > 0);
            tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            drop(tcp);
            closed.send(()).await.unwrap();
        }
    });
    let outbound = Outbound::new(settings(&["127.0.0.1"])).unwrap();
    for _ in 0..3 {
        let answer = outbound.request(post(&format!("http://{address}/"))).await.unwrap();
        assert_eq!(text(answer).await, "ok");
        closings.recv().await.unwrap();
    }
    server.await.unwrap();
}

type Pieces = &'static [&'static str];

/// A server that answers each request with these bytes, piece by piece, and closes a connection after so many. Gives
/// the number of connections that were made.
async fn scripted(tasks: &Tasks, answer: Pieces, requests: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let (address, listener) = watched().await;
    let (made, group) = (Arc::new(AtomicUsize::new(0)), tasks.clone());
    let count = Arc::clone(&made);
    tasks.spawn_until_stop("server", async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            group.spawn("connection", async move {
                let mut seen = vec![0u8; 4096];
                for _ in 0..requests {
                    if !matches!(tcp.read(&mut seen).await, Ok(1..)) {
                        return;
                    }
                    for piece in answer {
                        tcp.write_all(piece.as_bytes()).await.unwrap();
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            });
        }
    });
    (address, made)
}

#[tokio::test]
async fn answers_are_read_as_their_heads_say_and_connections_kept_where_they_may_be() {
    let tasks = Tasks::new();
    let cases: [(Pieces, usize); 10] = [
        (&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], 1),
        (&["HTTP/1.1 200 OK\r\nConte", "nt-Length: 2\r\n\r\no", "k"], 1),
        (&["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], 1),
        (&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n"], 1),
        (&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok", "\r\n0\r\nA: b\r\n", "\r\n"], 1),
        (&["HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"], 3),
        (&["HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"], 3),
        (&["HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok"], 3),
        // What comes behind an answer is nobody's answer.
        (
            &[
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
            ],
            3,
        ),
        (&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "late"], 3),
    ];
    for (answer, connections) in cases {
        let (address, made) = scripted(&tasks, answer, if connections == 1 { 3 } else { 1 }).await;
        let outbound = Outbound::new(settings(&["127.0.0.1"])).unwrap();
        for _ in 0..3 {
            let got = outbound.request(post(&format!("http://{address}/"))).await.unwrap();
            assert_eq!(text(got).await, "ok", "{answer:?}");
            // Until a late piece came.
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        assert_eq!(made.load(Ordering::Relaxed), connections, "{answer:?}");
    }
    tasks.stop();
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let tasks = Tasks::new();
    let cases: [Pieces; 4] = [
        &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"],
        &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok"],
        &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"],
        &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n"],
    ];
    for answer in cases {
        let (address, _) = scripted(&tasks, answer, 1).await;
        let outbound = Outbound::new(settings(&["127.0.0.1"])).unwrap();
        let got = outbound.request(post(&format!("http://{address}/"))).await.unwrap();
        assert!(got.into_body().collect().await.is_err(), "{answer:?}");
    }
    tasks.stop();
}

#[tokio::test]
async fn a_server_may_answer_before_it_has_read_a_large_request() {
    let (address, listener) = watched().await;
    let tasks = Tasks::new();
    let server = tasks.spawn("server", async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut seen = vec![0u8; 1024];
        assert!(tcp.read(&mut seen).await.unwrap() > 0);
        tcp.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    });
    let outbound = Outbound::new(settings(&["127.0.0.1"])).unwrap();
    let large = Request::post(format!("http://{address}/")).body(Bytes::from(vec![b'x'; 16 << 20])).unwrap();
    let answer = timeout(PATIENCE, outbound.request(large)).await.unwrap().unwrap();
    assert_eq!((answer.status(), text(answer).await.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "no"));
    server.await.unwrap();
}

#[tokio::test]
async fn small_answers_are_bounded_in_size_and_time() {
    let echo = Echo::start(None, ServeLimits::default()).await;
    let outbound = Outbound::new(settings(&["127.0.0.1"])).unwrap();
    let url = |path: &str| format!("http://{}{path}", echo.address).parse::<Url>().unwrap();
    let answer = outbound.get_small(&url("/doc#part"), 1000, PATIENCE).await.unwrap();
    assert_eq!(answer.body(), "GET /doc HTTP/1.1 Http ");
    let error = outbound.get_small(&url("/large"), 99_999, PATIENCE).await.unwrap_err();
    assert!(matches!(error, OutboundError::TooLarge(99_999)), "{error:?}");
    assert_eq!(outbound.get_small(&url("/large"), 100_000, PATIENCE).await.unwrap().body().len(), 100_000);
    let error = outbound.get_small(&"http://u:p@127.0.0.1/".parse().unwrap(), 1, PATIENCE).await.unwrap_err();
    assert!(matches!(error, OutboundError::Url), "{error:?}");
    let (mute, _listener) = watched().await;
    let silent = format!("http://{mute}/").parse().unwrap();
    let error = outbound.get_small(&silent, 1, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, OutboundError::Timeout(_)), "{error:?}");
}

/// A proxy that tells what it was asked; it sends every tunnel and request to `to`.
async fn proxy(to: SocketAddr, tasks: &Tasks) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let (address, listener) = watched().await;
    let (tell, asked) = mpsc::unbounded_channel();
    let group = tasks.clone();
    tasks.spawn_until_stop("proxy", async move {
        while let Ok((client, _)) = listener.accept().await {
            let tell = tell.clone();
            group.spawn_until_stop("proxied", async move { proxied(client, to, tell).await });
        }
    });
    (address, asked)
}

async fn proxied(client: TcpStream, to: SocketAddr, tell: mpsc::UnboundedSender<String>) {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).await.unwrap() == 0 {
            return;
        }
    }
    tell.send(head.clone()).unwrap();
    let mut server = TcpStream::connect(to).await.unwrap();
    if head.starts_with("CONNECT refused.example") {
        client.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
        return;
    }
    if head.starts_with("CONNECT") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    } else {
        server.write_all(head.as_bytes()).await.unwrap();
    }
    let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}

fn through(address: SocketAddr, around: &[&str]) -> Proxy {
    let around: Vec<_> = around.iter().map(|entry| (*entry).to_owned()).collect();
    Proxy::new(&format!("http://user:p%40ss@{address}"), &around).unwrap()
}

/// `user:p@ss`
const AUTHORIZATION: &str = "proxy-authorization: basic dxnlcjpwqhnz";

#[tokio::test]
async fn plain_http_goes_through_the_proxy_in_absolute_form() {
    let (echo, tasks) = (Echo::start(None, ServeLimits::default()).await, Tasks::new());
    let (address, mut asked) = proxy(echo.address, &tasks).await;
    let proxy = Some(through(address, &[]));
    let outbound = Outbound::new(OutboundSettings { proxy, ..settings(&[]) }).unwrap();
    let answer = outbound.request(post("http://only-the-proxy-knows.invalid/x")).await.unwrap();
    assert!(text(answer).await.contains("POST /x"), "the server got it");
    let head = asked.recv().await.unwrap();
    assert!(head.starts_with("POST http://only-the-proxy-knows.invalid/x HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains(AUTHORIZATION), "{head}");
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_is_verified_end_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (cert, key) = authority.issue(dir.path(), &["only-the-proxy-knows.invalid"]);
    let echo = Echo::start(Some(Tls::load(cert, key).unwrap()), ServeLimits::default()).await;
    let tasks = Tasks::new();
    let (address, mut asked) = proxy(echo.address, &tasks).await;
    let proxy = Some(through(address, &[]));
    let extra_ca = Some(authority.pem.into());
    let outbound = Outbound::new(OutboundSettings { proxy, extra_ca, ..settings(&[]) }).unwrap();
    let answer = outbound.request(post("https://only-the-proxy-knows.invalid/x")).await.unwrap();
    assert_eq!(text(answer).await, "POST /x HTTP/2.0 Https body");
    let head = asked.recv().await.unwrap();
    assert!(head.starts_with("CONNECT only-the-proxy-knows.invalid:443 HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains(AUTHORIZATION), "{head}");
    let error = outbound.request(post("https://other.invalid/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Tls(_)), "{error:?}");
    let error = outbound.request(post("https://refused.example/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Proxy(_)) && !error.was_sent(), "{error:?}");
}

#[tokio::test]
async fn the_guard_holds_behind_a_proxy_and_no_proxy_goes_around_it() {
    let (echo, tasks) = (Echo::start(None, ServeLimits::default()).await, Tasks::new());
    let (address, mut asked) = proxy(echo.address, &tasks).await;
    let proxy = Some(through(address, &[]));
    let outbound = Outbound::new(OutboundSettings { proxy, ..settings(&[]) }).unwrap();
    for url in
        ["http://169.254.169.254/", "https://localhost/", "http://2130706433/", "https://[::ffff:10.0.0.1]/"]
    {
        let error = outbound.request(post(url)).await.unwrap_err();
        assert!(matches!(error, OutboundError::Forbidden(_)), "{url}: {error:?}");
    }
    let proxy = Some(through(address, &["127.0.0.0/8"]));
    let outbound = Outbound::new(OutboundSettings { proxy, ..settings(&["127.0.0.1"]) }).unwrap();
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("http://{}/headers", echo.address))
        .header("proxy-authorization", "Basic stray")
        .body(Bytes::new())
        .unwrap();
    let said = text(outbound.request(request).await.unwrap()).await;
    assert!(!said.contains("proxy-authorization"), "{said}");
    assert!(asked.try_recv().is_err(), "the proxy was not asked");
}

#[test]
fn no_proxy_entries_match_names_below_and_ranges() {
    let entries = ["corp.example", ".intra.example", "*.wild.example", "10.0.0.0/8", "192.0.2.7", "::1"];
    let proxy = through("127.0.0.1:9".parse().unwrap(), &entries);
    for (host, carried) in [
        ("corp.example", false),
        ("CORP.example.", false),
        ("a.corp.example", false),
        ("notcorp.example", true),
        ("intra.example", false),
        ("x.intra.example", false),
        ("x.wild.example", false),
        ("10.1.2.3", false),
        ("11.1.2.3", true),
        ("192.0.2.7", false),
        ("[::1]", false),
        ("example.com", true),
    ] {
        assert_eq!(proxy.carries(host), carried, "{host}");
    }
    assert!(!through("127.0.0.1:9".parse().unwrap(), &["*"]).carries("example.com"));
    assert!(!format!("{proxy:?}").contains("p@ss"));
    for url in ["https://proxy:1", "nonsense", "http://u:%zz@proxy:1"] {
        assert!(Proxy::new(url, &[]).is_err(), "{url}");
    }
}
