//! What a scripted server offers and how it behaves, before it is started.

use std::collections::HashMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, Reply, ScriptedServer};

/// Which revisions of the protocol a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eras {
    /// Up to 2025-11-25: `initialize`, and nothing of 2026-07-28.
    Legacy,
    /// 2026-07-28 alone.
    Modern,
    /// All of them on one endpoint.
    Both,
}

/// Decides what a request is answered with.
pub type Handler = Arc<dyn Fn(&Call) -> Reply + Send + Sync>;

/// A server to be.
#[derive(Clone)]
pub struct Script {
    pub(super) eras: Eras,
    pub(super) legacy_versions: Vec<String>,
    pub(super) lists: Lists,
    pub(super) handlers: HashMap<(String, String), Handler>,
    pub(super) methods: HashMap<String, Handler>,
    pub(super) sessions: bool,
    pub(super) get_stream: bool,
    pub(super) sse_answers: bool,
    pub(super) page: usize,
    pub(super) capabilities: Value,
    pub(super) server_info: Value,
    pub(super) instructions: Option<String>,
    pub(super) required_header: Option<(String, String)>,
}

/// The definitions, as raw JSON.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    pub(super) tools: Vec<Value>,
    pub(super) prompts: Vec<Value>,
    pub(super) resources: Vec<Value>,
    pub(super) templates: Vec<Value>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("eras", &self.eras).field("lists", &self.lists).finish_non_exhaustive()
    }
}

impl Script {
    /// A server that offers nothing: no sessions, JSON answers, one page for each list, GET streams for legacy clients.
    #[must_use]
    pub fn new(eras: Eras) -> Self {
        let legacy_versions =
            ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"].map(str::to_owned).to_vec();
        let capabilities = json!({
            "tools": { "listChanged": true },
            "prompts": { "listChanged": true },
            "resources": { "listChanged": true, "subscribe": true },
            "completions": {},
            "logging": {}
        });
        Self {
            eras,
            legacy_versions,
            lists: Lists::default(),
            handlers: HashMap::new(),
            methods: HashMap::new(),
            sessions: false,
            get_stream: true,
            sse_answers: false,
            page: usize::MAX,
            capabilities,
            server_info: json!({ "name": "scripted", "version": "1.0.0" }),
            instructions: None,
            required_header: None,
        }
    }

    /// Adds a tool: its definition, of which only `name` is read, and what its calls are answered with.
    #[must_use]
    pub fn tool(
        mut self,
        definition: Value,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        self.handle("tools/call", &definition["name"], handler);
        self.lists.tools.push(definition);
        self
    }

    /// Adds a prompt: its definition, of which only `name` is read, and what `prompts/get` is answered with.
    #[must_use]
    pub fn prompt(
        mut self,
        definition: Value,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        self.handle("prompts/get", &definition["name"], handler);
        self.lists.prompts.push(definition);
        self
    }

    /// Adds a resource: its definition, of which only `uri` is read, and what `resources/read` is answered with.
    #[must_use]
    pub fn resource(
        mut self,
        definition: Value,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        self.handle("resources/read", &definition["uri"], handler);
        self.lists.resources.push(definition);
        self
    }

    /// Adds a resource template. Reads of what it stands for are answered by [`Script::on`]`("resources/read", …)`.
    #[must_use]
    pub fn template(mut self, definition: Value) -> Self {
        self.lists.templates.push(definition);
        self
    }

    /// Answers every request of a JSON-RPC method, before anything else is asked; also those that the server answers by
    /// itself, such as `initialize`, `server/discover` or `tools/list`.
    #[must_use]
    pub fn on(mut self, rpc_method: &str, handler: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        self.methods.insert(rpc_method.to_owned(), Arc::new(handler));
        self
    }

    /// Gives legacy clients a session id and insists on it: 400 without, 404 when it is unknown.
    #[must_use]
    pub fn with_sessions(mut self) -> Self {
        self.sessions = true;
        self
    }

    /// Answers legacy GET with 405.
    #[must_use]
    pub fn without_get_stream(mut self) -> Self {
        self.get_stream = false;
        self
    }

    /// Answers requests by a stream of one event instead of JSON.
    #[must_use]
    pub fn with_sse_answers(mut self) -> Self {
        self.sse_answers = true;
        self
    }

    /// Lists at most `size` definitions on one page.
    #[must_use]
    pub fn with_pages_of(mut self, size: usize) -> Self {
        self.page = size.max(1);
        self
    }

    /// The legacy revisions that `initialize` may agree on, the preferred first.
    #[must_use]
    pub fn with_legacy_versions(mut self, versions: &[&str]) -> Self {
        self.legacy_versions = versions.iter().map(|&version| version.to_owned()).collect();
        self
    }

    /// Replaces the capabilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Replaces what the server says of itself.
    #[must_use]
    pub fn with_server_info(mut self, server_info: Value) -> Self {
        self.server_info = server_info;
        self
    }

    /// Gives instructions.
    #[must_use]
    pub fn with_instructions(mut self, instructions: &str) -> Self {
        self.instructions = Some(instructions.to_owned());
        self
    }

    /// Answers 401 to requests that do not carry this header with exactly this value.
    #[must_use]
    pub fn requiring_header(mut self, name: &str, value: &str) -> Self {
        self.required_header = Some((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// When nothing can be bound.
    pub async fn start(self) -> std::io::Result<ScriptedServer> {
        self.start_on((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts it on a given address, such as that of a predecessor which was stopped.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start_on(self, address: SocketAddr) -> std::io::Result<ScriptedServer> {
        ScriptedServer::start(self, address).await
    }

    fn handle(
        &mut self,
        method: &str,
        name: &Value,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) {
        let key = (method.to_owned(), name.as_str().unwrap_or_default().to_owned());
        self.handlers.insert(key, Arc::new(handler));
    }
}
