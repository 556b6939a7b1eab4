//! [`ScriptedServer`]: a Streamable HTTP MCP server in the test's own process that does exactly what the test tells it.
//!
//! Definitions are raw JSON, so that a test can put anything into them and see whether it survives. Every request is kept
//! for assertions ([`ScriptedServer::received`]). Faults are replies like any other ([`Reply`]). Built with raw HTTP: what
//! is tested here is also what SDKs get wrong.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use bailiwick_testkit::upstream::{Eras, Reply, Script};
//! use serde_json::json;
//!
//! let server = Script::new(Eras::Both)
//!     .tool(json!({ "name": "echo", "inputSchema": { "type": "object" } }), |call| Reply::text(call.argument("text")))
//!     .tool(json!({ "name": "stuck", "inputSchema": { "type": "object" } }), |_| Reply::Hang)
//!     .start()
//!     .await?;
//! println!("{}", server.url());
//! # Ok(()) }
//! ```

mod answer;
mod journal;
mod protocol;
mod reply;
mod script;
mod send;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use journal::{Call, NeverCame, Received};
pub use reply::{Reply, Step};
pub use script::{Eras, Handler, Script};
pub use streams::Kind;

use answer::Server;

/// A running scripted server. Dropping it kills it: connections break in the middle of whatever they carry.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    server: Arc<Server>,
    until: CancellationToken,
    serving: TaskTracker,
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.until.cancel();
    }
}

impl ScriptedServer {
    async fn start(script: Script, address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let until = CancellationToken::new();
        let server = Arc::new(Server::new(script, until.clone()));
        let service = Arc::clone(&server);
        let serving = TaskTracker::new();
        let service = hyper::service::service_fn(move |request| Arc::clone(&service).answer(request));
        serving.spawn(crate::net::serve(listener, service, until.clone()));
        serving.close();
        Ok(Self { address, server, until, serving })
    }

    /// Where it listens, on loopback.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of its MCP endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.server.journal.all()
    }

    /// The requests and notifications of one JSON-RPC method so far, oldest first.
    #[must_use]
    pub fn received_of(&self, rpc_method: &str) -> Vec<Received> {
        self.server.journal.of(rpc_method)
    }

    /// Waits until `count` requests of a JSON-RPC method have come.
    ///
    /// # Errors
    /// [`NeverCame`] after ten seconds.
    pub async fn wait_for(&self, rpc_method: &str, count: usize) -> Result<Vec<Received>, NeverCame> {
        self.server.journal.wait_for(rpc_method, count).await
    }

    /// Waits until `count` streams (GET or `subscriptions/listen`) are open at once.
    ///
    /// # Errors
    /// [`NeverCame`] after ten seconds.
    pub async fn wait_for_streams(&self, count: usize) -> Result<(), NeverCame> {
        self.server.streams.wait_for(count).await
    }

    /// How many streams (GET or `subscriptions/listen`) are open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.server.streams.open()
    }

    /// Waits until clients have left `count` answers before their end: hanging ones, and streams of `tools/call`.
    ///
    /// # Errors
    /// [`NeverCame`] after ten seconds.
    pub async fn wait_for_abandoned(&self, count: usize) -> Result<(), NeverCame> {
        self.server.journal.wait_for_abandoned(count).await
    }

    /// How many answers clients have left before their end.
    #[must_use]
    pub fn abandoned(&self) -> usize {
        self.server.journal.abandoned()
    }

    /// Replaces the tools. Tells nobody: see [`ScriptedServer::changed`].
    pub fn set_tools(&self, tools: Vec<Value>) {
        self.server.lists.lock().tools = tools;
    }

    /// Sends `list_changed` to every open stream that wants it.
    pub fn changed(&self, kind: Kind) {
        self.server.streams.notify(kind.method(), &Value::Null);
    }

    /// Sends any notification to every open stream that wants it.
    pub fn notify(&self, method: &str, params: &Value) {
        self.server.streams.notify(method, params);
    }

    /// Sends a JSON-RPC message as it stands to the open GET streams: a request from the server, or something broken.
    pub fn send_raw(&self, message: &str) {
        self.server.streams.send_raw(message);
    }

    /// Forgets every session: the next request in one is answered 404.
    pub fn forget_sessions(&self) {
        self.server.sessions.lock().clear();
    }

    /// How many sessions were opened by `initialize`.
    #[must_use]
    pub fn sessions_opened(&self) -> u64 {
        self.server.next_session.load(Ordering::Relaxed)
    }

    /// Dies, and returns when its port refuses connections. [`Script::start_on`] brings a successor to the same address.
    pub async fn stop(self) {
        self.until.cancel();
        self.serving.wait().await;
    }
}
