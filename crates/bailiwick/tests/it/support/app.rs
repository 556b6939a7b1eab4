//! A gateway with its own data directory, started as the binary starts it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bailiwick::serve::Running;
use bailiwick_config::{Settings, Source};
use bailiwick_control::{
    Actor, Control, NewGrant, NewKey, NewPrincipal, NewServer, NewToolset, WantedScope, WantedSelection,
};
use bailiwick_model::GrantId;
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::key::Audience;
use bailiwick_model::principal::{PrincipalKind, Role};
use bailiwick_model::server::{Timeouts, Transport, Value};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use super::Client;

/// A gateway under test.
pub(crate) struct App {
    pub(crate) running: Running,
    pub(crate) dir: tempfile::TempDir,
    config: String,
}

impl App {
    /// A gateway that may dial loopback, where the scripted servers are.
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same with further settings.
    pub(crate) async fn start_with(more: &str) -> Self {
        Self::start_as("", "\"127.0.0.0/8:*\"", more).await
    }

    /// With these lines for the listener, these destinations allowed, and further sections.
    pub(crate) async fn start_as(listen: &str, allow: &str, more: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), listen, allow, more).await
    }

    /// The same in this directory.
    pub(crate) async fn start_in(dir: tempfile::TempDir, listen: &str, allow: &str, more: &str) -> Self {
        let config = format!(
            "[listen]\naddress = \"127.0.0.1:0\"\n{listen}\n[data]\ndir = {:?}\n[egress]\nallow = [{allow}]\n{more}",
            dir.path().join("data")
        );
        let running = run(&config).await;
        Self { running, dir, config }
    }

    /// With another program in the place of the one that confines stdio servers.
    pub(crate) async fn start_under(helper: PathBuf, more: &str) -> Self {
        let app = Self::start_with(more).await;
        let Self { running, dir, config } = app;
        running.stop().await.unwrap();
        let running = Running::start_with_helper(settings(&config), helper).await.unwrap();
        Self { running, dir, config }
    }

    /// Stops it in order and starts it again on the same data; the address changes.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with("").await
    }

    /// The same with further sections.
    pub(crate) async fn restart_with(self, more: &str) -> Self {
        let Self { running, dir, config } = self;
        let config = config + more;
        running.stop().await.unwrap();
        let running = run(&config).await;
        Self { running, dir, config }
    }

    pub(crate) fn url(&self) -> &str {
        &self.running.url
    }

    /// Its settings, as the file has them.
    pub(crate) fn config(&self) -> &str {
        &self.config
    }

    pub(crate) fn control(&self) -> &Control {
        self.running.control()
    }

    /// Registers an HTTP server; it is discovered when this returns.
    pub(crate) async fn register(&self, name: &str, url: &str) {
        let transport = Transport::Http { url: url.to_owned(), headers: BTreeMap::new() };
        self.register_as(name, transport, BTreeMap::new()).await;
    }

    /// Registers an HTTP server with one secret header.
    pub(crate) async fn register_with_header(&self, name: &str, url: &str, header: &str, value: &str) {
        let headers = BTreeMap::from([(header.to_owned(), Value::Secret)]);
        let secrets = BTreeMap::from([(header.to_owned(), SecretString::from(value))]);
        self.register_as(name, Transport::Http { url: url.to_owned(), headers }, secrets).await;
    }

    pub(crate) async fn register_as(
        &self,
        name: &str,
        transport: Transport,
        secrets: BTreeMap<String, SecretString>,
    ) {
        let new = NewServer {
            name: Some(name.parse().unwrap()),
            registry_name: None,
            team: Some("default".into()),
            description: String::new(),
            transport,
            secrets,
            timeouts: Timeouts { connect_ms: 2_000, first_byte_ms: 3_000, idle_ms: 3_000 },
            capture: bailiwick_model::Capture::default(),
            enabled: true,
        };
        let added = self.control().add_server(&Actor::Gateway, new).await.unwrap();
        let found = added.detail.discovery.is_some();
        assert!(found, "{name} was not discovered: {:?}", added.detail.failure);
    }

    /// Makes an agent with a key and no grant.
    pub(crate) async fn agent(&self, name: &str) -> Client {
        let new = NewPrincipal {
            kind: PrincipalKind::Agent,
            name: name.to_owned(),
            display_name: None,
            team: Some("default".into()),
            role: Role::Member,
        };
        self.control().add_principal(&Actor::Gateway, new).await.unwrap();
        self.key(name).await
    }

    /// A further key of a principal.
    pub(crate) async fn key(&self, principal: &str) -> Client {
        let new = NewKey {
            principal: principal.to_owned(),
            label: "test".into(),
            audience: Audience::Mcp,
            expires_in: None,
        };
        let issued = self.control().issue_key(&Actor::Gateway, new).await.unwrap();
        Client::new(self.url(), issued.text.expose_secret())
    }

    /// Grants a whole server.
    pub(crate) async fn grant(&self, agent: &str, server: &str) -> GrantId {
        self.grant_scope(agent, WantedScope::Server(server.to_owned())).await
    }

    /// Grants one tool.
    pub(crate) async fn grant_tool(&self, agent: &str, server: &str, tool: &str) -> GrantId {
        let scope = WantedScope::Definition {
            server: server.to_owned(),
            kind: DefinitionKind::Tool,
            key: tool.to_owned(),
        };
        self.grant_scope(agent, scope).await
    }

    pub(crate) async fn grant_scope(&self, agent: &str, scope: WantedScope) -> GrantId {
        let new = NewGrant {
            principal: Some(agent.to_owned()),
            group: None,
            scope,
            actions: Vec::new(),
            expires_in: None,
        };
        self.control().add_grant(&Actor::Gateway, new).await.unwrap().grant.id
    }

    /// Makes a toolset of whole servers.
    pub(crate) async fn toolset(&self, name: &str, servers: &[(&str, Option<&str>)]) {
        let selections = servers
            .iter()
            .map(|(server, key)| WantedSelection {
                server: (*server).to_owned(),
                kind: key.map(|_| DefinitionKind::Tool),
                key: key.map(str::to_owned),
            })
            .collect();
        let new = NewToolset {
            name: name.parse().unwrap(),
            team: Some("default".into()),
            description: String::new(),
            selections,
        };
        self.control().add_toolset(&Actor::Gateway, new).await.unwrap();
    }

    pub(crate) fn ledger_dir(&self) -> PathBuf {
        self.dir.path().join("data/ledger")
    }

    /// All records, oldest first.
    pub(crate) fn records(&self) -> Vec<Json> {
        let lines = bailiwick_ledger::tail(&self.ledger_dir(), usize::MAX, None).unwrap();
        lines.iter().map(|line| serde_json::from_str(&line.json).unwrap()).collect()
    }

    /// The records of one kind.
    pub(crate) fn records_of(&self, kind: &str) -> Vec<Json> {
        self.records().into_iter().filter(|record| record["kind"] == kind).collect()
    }
}

/// The helper that confines stdio servers is the binary: this process is a test's.
async fn run(config: &str) -> Running {
    let helper = PathBuf::from(env!("CARGO_BIN_EXE_bailiwick"));
    Running::start_with_helper(settings(config), helper).await.unwrap()
}

fn settings(config: &str) -> Settings {
    let source = Source { name: "test.toml".into(), text: config.to_owned() };
    let read = |path: &std::path::Path| std::fs::read_to_string(path);
    Settings::load(Some(source), [], &read).unwrap_or_else(|error| panic!("{error}"))
}
