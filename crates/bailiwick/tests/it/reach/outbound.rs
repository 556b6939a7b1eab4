//! The way out: through a corporate proxy, and to servers with certificates of the company's own authority.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bailiwick_runtime::{Lanes, Listener, ServeLimits, Tasks, Tls};
use bailiwick_testkit::upstream::{Eras, Reply, Script, ScriptedServer};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::Authority;
use crate::support::{App, Era};

/// The first line and the `Proxy-Authorization` of each connection.
type Seen = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A proxy as companies have them: `CONNECT` for TLS, absolute URLs otherwise.
struct Proxy {
    address: SocketAddr,
    seen: Seen,
    tasks: Tasks,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, tasks, seen) = (listener.local_addr().unwrap(), Tasks::new(), Seen::default());
        let (within, log) = (tasks.clone(), Arc::clone(&seen));
        tasks.spawn_until_stop("proxy", async move {
            while let Ok((client, _)) = listener.accept().await {
                within.spawn_until_stop("connection", carry(client, Arc::clone(&log)));
            }
        });
        Self { address, seen, tasks }
    }

    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

async fn carry(client: TcpStream, seen: Seen) {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let line = head.lines().next().unwrap().to_owned();
    let login = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("proxy-authorization: ").map(|_| line.to_owned()));
    seen.lock().unwrap().push((line.clone(), login));
    let (method, target) = line.split_once(' ').unwrap();
    let authority = target.trim_start_matches("http://").split([' ', '/']).next().unwrap();
    let mut server = TcpStream::connect(authority).await.unwrap();
    if method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    } else {
        server.write_all(head.as_bytes()).await.unwrap();
    }
    // The end of either side is the end of a test.
    let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}

/// A scripted server behind TLS.
struct Encrypted {
    address: SocketAddr,
    tasks: Tasks,
    _lanes: Lanes,
}

impl Encrypted {
    async fn start(authority: &Authority, server: &ScriptedServer) -> Self {
        let files = tempfile::tempdir().unwrap();
        let (cert, key) = authority.issue(files.path(), "127.0.0.1");
        let tls = Tls::load(&cert, &key).unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(any, Some(tls), ServeLimits::default()).await.unwrap();
        let (address, tasks, behind) = (listener.local_addr(), Tasks::new(), server.address());
        let plain: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let service = service_fn(move |request: Request<Incoming>| hand_on(plain.clone(), behind, request));
        let group = tasks.clone();
        let lanes = Lanes::start().unwrap();
        let seats = lanes.clone();
        tasks.spawn("listener", async move { listener.serve(service, &group, &seats).await });
        Self { address, tasks, _lanes: lanes }
    }

    fn url(&self) -> String {
        format!("https://{}/mcp", self.address)
    }
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

async fn hand_on(
    plain: Client<HttpConnector, Full<Bytes>>,
    to: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, Infallible> {
    let (mut head, body) = request.into_parts();
    head.uri = format!("http://{to}/mcp").parse().unwrap();
    head.version = http::Version::HTTP_11;
    let body = body.collect().await.unwrap().to_bytes();
    Ok(plain.request(Request::from_parts(head, Full::new(body))).await.unwrap())
}

async fn server() -> ScriptedServer {
    let tool = json!({"name": "t", "inputSchema": {"type": "object"}});
    Script::new(Eras::Modern).tool(tool, |_| Reply::text("reached")).start().await.unwrap()
}

async fn check_call(app: &App) {
    let client = app.agent("bot").await;
    app.grant("bot", "x").await;
    let called = client.ask("/servers/x/mcp", Era::Modern, "tools/call", json!({"name": "t"})).await.result();
    assert_eq!(called["content"][0]["text"], "reached");
}

async fn with_authority(authority: &Authority, more: &str) -> App {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    App::start_with(&format!("extra_ca = {file:?}\n{more}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_the_companys_own_authority_is_reached_and_others_are_not() {
    let (authority, server) = (Authority::new(), server().await);
    let encrypted = Encrypted::start(&authority, &server).await;
    let app = with_authority(&authority, "").await;
    app.register("x", &encrypted.url()).await;
    check_call(&app).await;
    let other = self::server().await;
    let stranger = Encrypted::start(&Authority::new(), &other).await;
    app.register_impatient("y", &stranger.url(), 2_000).await;
    app.grant("bot", "y").await;
    let client = app.key("bot").await;
    let refused = client.ask("/servers/y/mcp", Era::Modern, "tools/call", json!({"name": "t"})).await;
    assert!(refused.error()["code"].is_i64());
    assert!(other.received().is_empty(), "nothing is said to a server that cannot show who it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_servers_are_reached_through_the_proxy() {
    let (proxy, server) = (Proxy::start().await, server().await);
    let app = App::start_with(&format!("proxy = \"http://user:pa%20ss@{}\"", proxy.address)).await;
    app.register("x", &server.url()).await;
    check_call(&app).await;
    let expected = format!("POST http://{}/mcp HTTP/1.1", server.address());
    assert!(
        !proxy.lines().is_empty() && proxy.lines().iter().all(|line| *line == expected),
        "{:?}",
        proxy.lines()
    );
    let logins = proxy.seen.lock().unwrap();
    assert!(
        logins.iter().all(|(_, login)| login.as_deref().is_some_and(|l| l.ends_with("dXNlcjpwYSBzcw=="))),
        "{logins:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_servers_are_reached_through_a_tunnel_that_the_proxy_cannot_read() {
    let (proxy, authority, server) = (Proxy::start().await, Authority::new(), server().await);
    let encrypted = Encrypted::start(&authority, &server).await;
    let app = with_authority(&authority, &format!("proxy = \"http://{}\"", proxy.address)).await;
    app.register("x", &encrypted.url()).await;
    check_call(&app).await;
    let expected = format!("CONNECT {} HTTP/1.1", encrypted.address);
    assert!(
        !proxy.lines().is_empty() && proxy.lines().iter().all(|line| *line == expected),
        "{:?}",
        proxy.lines()
    );
    assert!(server.received().iter().all(|r| !r.headers.contains_key("proxy-authorization")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_named_in_no_proxy_is_reached_directly() {
    let (proxy, server) = (Proxy::start().await, server().await);
    let settings = format!("proxy = \"http://{}\"\nno_proxy = [\"127.0.0.0/8\"]", proxy.address);
    let app = App::start_with(&settings).await;
    app.register("x", &server.url()).await;
    check_call(&app).await;
    assert!(proxy.lines().is_empty(), "{:?}", proxy.lines());
}
