//! What comes in more than one piece, or goes the other way: streams, questions of servers, subscriptions, handles,
//! cancellation.

mod answers;
mod cancellation;
mod children;
mod handles;
mod listen;
mod questions;
mod sessions;

use bailiwick_testkit::upstream::{Eras, Reply, Script, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{App, Client, Era};

const VERSION: &str = "2025-11-25";
const LEGACY: Era = Era::Legacy(VERSION);

/// The two doors to a tool `t` of the server `x`.
const DOORS: [(&str, &str); 2] = [("/servers/x/mcp", "t"), ("/mcp", "x__t")];

fn tool(name: &str) -> Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

/// A server with one tool `t` that always answers this.
fn answering(eras: Eras, reply: Reply) -> Script {
    Script::new(eras).tool(tool("t"), move |_| reply.clone())
}

/// A gateway with the server as `x`, and an agent that may use all of it.
async fn behind(server: &ScriptedServer) -> (App, Client) {
    behind_with("", server).await
}

async fn behind_with(settings: &str, server: &ScriptedServer) -> (App, Client) {
    let app = App::start_with(settings).await;
    app.register("x", &server.url()).await;
    let client = app.agent("bot").await;
    app.grant("bot", "x").await;
    (app, client)
}

/// The client at a door, ready to speak in that era.
async fn at(client: &Client, path: &str, era: Era) -> Client {
    let mut client = client.clone();
    if let Era::Legacy(version) = era {
        client.initialize(path, version).await;
    }
    client
}

fn call(name: &str) -> Value {
    json!({"name": name, "arguments": {}, "_meta": {"progressToken": "p"}})
}
