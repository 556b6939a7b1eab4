//! What a server offers: which eras it speaks, and all definitions of all pages, within bounds.
//!
//! Asked by `control` through [`crate::Upstreams::discover`]. Only questions without side effects are asked. One bad
//! definition or a list that is cut costs a sentence in `dropped`, not the rest.

mod definitions;
mod eras;
mod pages;
pub(crate) mod watch;

use bailiwick_mcp::Era;
use bailiwick_mcp::headers::meta;
use bailiwick_model::call::Trace;
use bailiwick_model::definition::Discovery;
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::conversation::{Conversation, DISCOVERY, Kind, Request};
use crate::http::own_id;
use crate::upstream::Upstream;
use crate::{UpstreamError, wire};

/// Asks everything.
pub(crate) async fn discover(upstream: &Upstream) -> Result<Discovery, UpstreamError> {
    let most = upstream.shared.parts.settings.upstream.discovery.time;
    let asked = tokio::time::timeout(most, ask(upstream));
    asked.await.map_err(|_| UpstreamError::Timeout("discovery took too long"))?
}

async fn ask(upstream: &Upstream) -> Result<Discovery, UpstreamError> {
    upstream.prepare().await?;
    let (eras, hello) = eras::eras(upstream).await?;
    let era = *eras
        .first()
        .ok_or(UpstreamError::Invalid("it speaks no protocol version that the gateway knows"))?;
    let asker = Asker { upstream, conversation: conversation(upstream, era) };
    let found = pages::all(&asker, &hello).await?;
    Ok(Discovery {
        eras: eras.iter().map(|era| era.as_str().to_owned()).collect(),
        hello: raw(&hello)?,
        definitions: found.definitions,
        dropped: found.dropped,
    })
}

/// The room's own conversation with a server.
pub(crate) fn conversation(upstream: &Upstream, era: Era) -> Conversation {
    let kind = if era.is_modern() {
        Kind::Modern
    } else {
        Kind::Pooled { initialize: wire::initialize_params(era).into() }
    };
    Conversation { server: upstream.shared.spec.server.id, era, principal: DISCOVERY, client: 0, kind }
}

/// Asks one server in one era.
struct Asker<'a> {
    upstream: &'a Upstream,
    conversation: Conversation,
}

impl Asker<'_> {
    /// The result of a request; [`UpstreamError::Answered`] if it is a JSON-RPC error.
    async fn ask(&self, method: &str, cursor: Option<&str>) -> Result<Bytes, UpstreamError> {
        let body = request_body(self.conversation.era, method, cursor);
        let trace = Trace::default();
        let request =
            Request { body, id: own_id(OWN_ID)?, method, name: None, params: Vec::new(), trace: &trace };
        let answer = self.upstream.request_unguarded(&self.conversation, request).await?;
        wire::result_of(&wire::last_message(answer.body).await?)
    }
}

const OWN_ID: &str = "\"bailiwick\"";

/// A request of the room itself, which offers nothing to the server.
fn request_body(era: Era, method: &str, cursor: Option<&str>) -> Bytes {
    let mut params = serde_json::Map::new();
    if let Some(cursor) = cursor {
        params.insert("cursor".to_owned(), cursor.into());
    }
    if era.is_modern() {
        let client = serde_json::json!({"name": "bailiwick", "version": env!("CARGO_PKG_VERSION")});
        let meta = serde_json::json!({
            meta::PROTOCOL_VERSION: era.as_str(), meta::CLIENT_CAPABILITIES: {}, meta::CLIENT_INFO: client,
        });
        params.insert("_meta".to_owned(), meta);
    }
    let params = serde_json::Value::Object(params).to_string();
    serde_json::json!({"jsonrpc": "2.0", "id": "bailiwick", "method": method})
        .to_string()
        .replacen('{', &format!(r#"{{"params":{params},"#), 1)
        .into()
}

/// A server's JSON value, byte for byte, once all of it was found to be JSON.
fn raw(json: &[u8]) -> Result<Box<RawValue>, UpstreamError> {
    serde_json::from_slice(json).map_err(|_| UpstreamError::Invalid("it is not well-formed JSON"))
}
