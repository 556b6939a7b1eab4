//! What a scripted server answers where the script does not say otherwise: handshakes, lists, and calls by name.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, Server, event_stream, plain};
use super::journal::Call;
use super::reply::Reply;
use super::script::{Eras, Lists};
use super::streams;

const MODERN: &str = "2026-07-28";

impl Server {
    pub(super) async fn by_protocol(self: &Arc<Self>, call: &Call) -> Answer {
        match (call.method.as_str(), call.modern, self.script.eras) {
            ("initialize", false, Eras::Legacy | Eras::Both) => return self.initialize(call).await,
            (_, false, Eras::Modern) | (_, true, Eras::Legacy) => return self.wrong_era(call).await,
            ("subscriptions/listen", true, _) => return self.listen(call),
            _ => {}
        }
        let reply = match call.method.as_str() {
            "server/discover" if call.modern => Reply::Result(self.discovery()),
            "ping" if !call.modern => Reply::Result(json!({})),
            "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" if !call.modern => {
                Reply::Result(json!({}))
            }
            "tools/list" => self.page(call, "tools", |lists| &lists.tools),
            "prompts/list" => self.page(call, "prompts", |lists| &lists.prompts),
            "resources/list" => self.page(call, "resources", |lists| &lists.resources),
            "resources/templates/list" => self.page(call, "resourceTemplates", |lists| &lists.templates),
            "tools/call" | "prompts/get" => self.by_name(call, "name"),
            "resources/read" => self.by_name(call, "uri"),
            "completion/complete" => Reply::Result(json!({ "completion": { "values": ["one", "two"] } })),
            unknown => Reply::error(-32601, format!("Method not found: {unknown}")),
        };
        self.send(call, reply).await
    }

    async fn initialize(self: &Arc<Self>, call: &Call) -> Answer {
        let asked = call.params["protocolVersion"].as_str().unwrap_or_default();
        let versions = &self.script.legacy_versions;
        let version = versions.iter().find(|known| *known == asked).or(versions.first());
        let mut result = json!({
            "protocolVersion": version,
            "capabilities": self.script.capabilities,
            "serverInfo": self.script.server_info,
        });
        if let Some(instructions) = &self.script.instructions {
            result["instructions"] = json!(instructions);
        }
        let mut response = self.send(call, Reply::Result(result)).await?;
        let number = self.next_session.fetch_add(1, Ordering::Relaxed);
        if self.script.sessions {
            let id = format!("scripted-session-{number}");
            response.headers_mut().insert("mcp-session-id", id.parse()?);
            self.sessions.lock().insert(id);
        }
        Ok(response)
    }

    fn discovery(&self) -> Value {
        let mut versions = vec![MODERN.to_owned()];
        if self.script.eras == Eras::Both {
            versions.extend(self.script.legacy_versions.iter().cloned());
        }
        let mut result = json!({
            "supportedVersions": versions,
            "capabilities": self.script.capabilities,
            "ttlMs": 0,
            "cacheScope": "private",
            "_meta": { "io.modelcontextprotocol/serverInfo": self.script.server_info },
        });
        if let Some(instructions) = &self.script.instructions {
            result["instructions"] = json!(instructions);
        }
        result
    }

    /// A legacy server knows no `server/discover`; a modern one names its versions to who initializes.
    async fn wrong_era(self: &Arc<Self>, call: &Call) -> Answer {
        if self.script.eras == Eras::Legacy {
            if self.script.sessions {
                return plain(StatusCode::BAD_REQUEST, "no session");
            }
            return self.send(call, Reply::error(-32601, "Method not found")).await;
        }
        let data = json!({ "supported": [MODERN], "requested": call.params["protocolVersion"] });
        let message = "Unsupported protocol version".to_owned();
        self.send(call, Reply::Error { code: -32022, message, data }).await
    }

    fn page(&self, call: &Call, member: &str, list: impl Fn(&Lists) -> &Vec<Value>) -> Reply {
        let lists = self.lists.lock();
        let all = list(&lists);
        let start = match &call.params["cursor"] {
            Value::String(cursor) => cursor.parse().unwrap_or(usize::MAX),
            _ => 0,
        };
        if start > all.len() {
            return Reply::error(-32602, "Unknown cursor");
        }
        let end = start.saturating_add(self.script.page).min(all.len());
        let mut result = json!({ member: all[start..end] });
        if end < all.len() {
            result["nextCursor"] = json!(end.to_string());
        }
        if call.modern {
            result["ttlMs"] = json!(60_000);
            result["cacheScope"] = json!("public");
        }
        Reply::Result(result)
    }

    fn by_name(&self, call: &Call, member: &str) -> Reply {
        let name = call.params[member].as_str().unwrap_or_default().to_owned();
        match self.script.handlers.get(&(call.method.clone(), name)) {
            Some(handler) => handler(call),
            None if member == "uri" && !call.modern => Reply::error(-32002, "Resource not found"),
            None => Reply::error(-32602, format!("Unknown {member}")),
        }
    }

    fn listen(self: &Arc<Self>, call: &Call) -> Answer {
        let filter = call.params["notifications"].clone();
        let (body, sender) = self.streams.add(Some((call.id.clone(), filter.clone())));
        let acknowledged = json!({
            "jsonrpc": "2.0",
            "method": "notifications/subscriptions/acknowledged",
            "params": {
                "notifications": filter,
                "_meta": { "io.modelcontextprotocol/subscriptionId": call.id }
            }
        });
        sender.send(streams::event(&acknowledged))?;
        self.sweep_after(sender);
        event_stream(body)
    }
}
