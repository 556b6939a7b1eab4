//! Servers that fail in every way: the true reason, once, soon, and nobody else feels it.

mod answers;
mod away;
mod isolation;
mod recovery;

use std::time::{Duration, Instant};

use bailiwick_testkit::upstream::{Eras, Reply, Script, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{App, Client, Era};

const LEGACY: Era = Era::Legacy("2025-11-25");

fn tool(name: &str) -> Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

/// A server with a tool `t` that always answers this, and `fine`, which always works.
async fn server(eras: Eras, reply: Reply) -> ScriptedServer {
    script(eras, reply).start().await.unwrap()
}

fn script(eras: Eras, reply: Reply) -> Script {
    Script::new(eras).tool(tool("t"), move |_| reply.clone()).tool(tool("fine"), |_| Reply::text("fine"))
}

/// How long the fastest of some attempts takes: the machine is busy with other tests.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
async fn fastest(attempt: impl AsyncFn()) -> Duration {
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        attempt().await;
        fastest = fastest.min(started.elapsed());
    }
    fastest
}

async fn agent(app: &App, servers: &[&str]) -> Client {
    let client = app.agent("bot").await;
    for server in servers {
        app.grant("bot", server).await;
    }
    client
}
