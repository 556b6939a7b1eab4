//! The stage of the tests under attack: one server with something granted and something forbidden of every kind,
//! an agent `bot` with the grants, and what the server has seen.

use bailiwick_control::{Actor, NewKey, NewPrincipal};
use bailiwick_control::{PrincipalChange, WantedScope};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::key::Audience;
use bailiwick_model::principal::{PrincipalKind, Role};
use bailiwick_testkit::upstream::{Call, Eras, Received, Reply, Script, ScriptedServer};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{App, Client, Era};

/// Every revision that clients may speak.
pub(crate) const ERAS: [Era; 4] =
    [Era::Legacy("2025-03-26"), Era::Legacy("2025-06-18"), Era::Legacy("2025-11-25"), Era::Modern];

/// The doors to the stage's server, and how its names begin there.
pub(crate) const DOORS: [(&str, &str); 3] =
    [("/servers/files/mcp", ""), ("/mcp", "files__"), ("/toolsets/mix/mcp", "files__")];

pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) server: ScriptedServer,
    pub(crate) bot: Client,
}

/// `echo` and `secret`, prompts, resources and a template.
pub(crate) fn script(eras: Eras) -> Script {
    let text = |text: &'static str| move |_: &Call| Reply::text(text);
    let prompt = |_: &Call| Reply::Result(json!({"messages": []}));
    let contents = |call: &Call| {
        let uri = call.params["uri"].clone();
        let mut result = json!({"contents": [{"uri": uri, "text": "read"}]});
        if call.modern {
            result["ttlMs"] = json!(60_000);
            result["cacheScope"] = json!("public");
        }
        Reply::Result(result)
    };
    let schema = json!({"type": "object"});
    Script::new(eras)
        .tool(json!({"name": "echo", "inputSchema": schema}), |call| Reply::text(call.argument("text")))
        .tool(json!({"name": "secret", "inputSchema": schema}), text("seen"))
        .prompt(json!({"name": "greet"}), prompt)
        .prompt(json!({"name": "hidden"}), prompt)
        .resource(json!({"uri": "file:///open.txt", "name": "open"}), contents)
        .resource(json!({"uri": "file:///closed.txt", "name": "closed"}), contents)
        .template(json!({"uriTemplate": "file:///logs/{name}", "name": "logs"}))
        .on("resources/read", contents)
}

impl Stage {
    /// With the grants.
    pub(crate) async fn new(eras: Eras) -> Self {
        let stage = Self::bare(eras).await;
        let definition =
            |kind, key: &str| WantedScope::Definition { server: "files".into(), kind, key: key.to_owned() };
        for scope in [
            definition(DefinitionKind::Tool, "echo"),
            definition(DefinitionKind::Prompt, "greet"),
            definition(DefinitionKind::Resource, "file:///open.txt"),
            definition(DefinitionKind::ResourceTemplate, "file:///logs/{name}"),
        ] {
            stage.app.grant_scope("bot", scope).await;
        }
        stage
    }

    /// Without any grant.
    pub(crate) async fn bare(eras: Eras) -> Self {
        let server = script(eras).start().await.unwrap();
        let app = App::start().await;
        app.register("files", &server.url()).await;
        app.toolset("mix", &[("files", None)]).await;
        let bot = app.agent("bot").await;
        Self { app, server, bot }
    }

    /// What the server was asked to do; handshakes, lists and streams are not counted.
    pub(crate) fn contacts(&self) -> Vec<Received> {
        contacts(&self.server)
    }

    /// Calls `echo`.
    pub(crate) async fn echo(
        &self,
        client: &Client,
        era: Era,
        door: (&str, &str),
        text: &str,
    ) -> super::Answer {
        let params = json!({"name": format!("{}echo", door.1), "arguments": {"text": text}});
        client.ask(door.0, era, "tools/call", params).await
    }
}

/// What a server was asked to do; handshakes, lists and streams are not counted.
pub(crate) fn contacts(server: &ScriptedServer) -> Vec<Received> {
    let quiet = |received: &Received| {
        let method = received.rpc_method().unwrap_or_default();
        let harmless = ["initialize", "server/discover", "notifications/initialized", "subscriptions/listen"];
        received.method == http::Method::GET
            || received.method == http::Method::DELETE
            || method.ends_with("/list")
            || harmless.contains(&method.as_str())
    };
    server.received().into_iter().filter(|received| !quiet(received)).collect()
}

impl Client {
    /// Opens a session if the era has them.
    pub(crate) async fn enter(&mut self, path: &str, era: Era) {
        self.session = None;
        if let Era::Legacy(version) = era {
            self.initialize(path, version).await;
        }
    }

    /// The names that a list shows.
    pub(crate) async fn names(&self, path: &str, era: Era, method: &str) -> Vec<String> {
        let result = self.ask(path, era, method, json!({})).await.result();
        let member = if method == "resources/templates/list" {
            "resourceTemplates"
        } else {
            method.split('/').next().unwrap()
        };
        let key = match method {
            "resources/list" => "uri",
            "resources/templates/list" => "uriTemplate",
            _ => "name",
        };
        let list = result[member].as_array().unwrap();
        list.iter().map(|item: &Value| item[key].as_str().unwrap().to_owned()).collect()
    }
}

impl App {
    /// The key of an administrator.
    pub(crate) async fn admin(&self) -> Client {
        let new = NewPrincipal {
            kind: PrincipalKind::User,
            name: "root".into(),
            display_name: None,
            team: Some("default".into()),
            role: Role::Admin,
        };
        self.control().add_principal(&Actor::Gateway, new).await.unwrap();
        self.key_for("root", Audience::Admin, None).await
    }

    /// A key with everything said.
    pub(crate) async fn key_for(
        &self,
        principal: &str,
        audience: Audience,
        expires_in: Option<std::time::Duration>,
    ) -> Client {
        let new = NewKey { principal: principal.to_owned(), label: "test".into(), audience, expires_in };
        let issued = self.control().issue_key(&Actor::Gateway, new).await.unwrap();
        Client::new(self.url(), issued.text.expose_secret())
    }

    /// Revokes the key that a client holds.
    pub(crate) async fn revoke(&self, client: &Client) {
        let prefix = client.key().get(4..14).unwrap();
        let id = self.control().snapshot().keys.get(prefix).unwrap().key;
        self.control().revoke_key(&Actor::Gateway, id).await.unwrap();
    }

    /// Switches a principal off.
    pub(crate) async fn disable(&self, principal: &str) {
        let off = PrincipalChange { enabled: Some(false), ..PrincipalChange::default() };
        self.control().update_principal(&Actor::Gateway, principal, off).await.unwrap();
    }
}
