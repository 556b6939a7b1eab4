//! Lists and pings: answered by the gateway itself, from the catalogue; no server is asked.

use bailiwick_mcp::error::result_response;
use bailiwick_mcp::{Method, Refusal};
use bailiwick_model::definition::DefinitionKind;
use serde::{Deserialize, Serialize};

use crate::binding::{Purpose, open, seal};
use crate::dispatch::Asked;
use crate::lists::Listing;
use crate::local;
use crate::reply::Reply;

/// How long a client may keep a list, in milliseconds; changes are told on listen streams besides.
pub(crate) const TTL_MS: u32 = 5_000;

/// What a cursor stands for.
#[derive(Serialize, Deserialize)]
struct Cursor {
    kind: DefinitionKind,
    path: Box<str>,
    /// The first name of the page.
    first: Box<str>,
}

/// `ping` (legacy).
pub(crate) async fn ping(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    local::record(asked.visit, &asked.facts()).await?;
    Ok(Reply::ok(result_response(asked.request.id, b"{}")))
}

/// `tools/list` and its siblings.
pub(crate) async fn list(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let (kind, member) = match asked.method {
        Method::ToolsList => (DefinitionKind::Tool, "tools"),
        Method::PromptsList => (DefinitionKind::Prompt, "prompts"),
        Method::ResourcesList => (DefinitionKind::Resource, "resources"),
        _ => (DefinitionKind::ResourceTemplate, "resourceTemplates"),
    };
    let listing = asked.visit.gateway.lists.get(asked.visit, kind);
    let page = page_of(asked, kind, &listing)?;
    let result = written(asked, kind, member, &listing, page);
    local::record(asked.visit, &asked.facts()).await?;
    Ok(Reply::ok(result))
}

fn page_of(asked: &Asked<'_>, kind: DefinitionKind, listing: &Listing) -> Result<usize, Refusal> {
    let Some(raw) = asked.request.param("cursor") else { return Ok(0) };
    let visit = asked.visit;
    let invalid = || Refusal::invalid_params("Invalid cursor; list again from the beginning");
    let text = raw.string().ok_or_else(invalid)?;
    let principal = visit.caller.principal.id;
    let cursor: Cursor =
        open(&visit.gateway.parts.sealer, Purpose::Cursor, principal, &text).ok_or_else(invalid)?;
    if cursor.kind != kind || cursor.path != visit.path {
        return Err(invalid());
    }
    listing.pages.iter().position(|page| page.first == cursor.first).ok_or_else(invalid)
}

/// The whole response, in one piece.
fn written(asked: &Asked<'_>, kind: DefinitionKind, member: &str, listing: &Listing, page: usize) -> Vec<u8> {
    let json = listing.pages.get(page).map_or(&b""[..], |page| &page.json);
    let id = asked.request.id.as_str();
    let mut out = Vec::with_capacity(json.len() + id.len() + 512);
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b",\"result\":{\"");
    out.extend_from_slice(member.as_bytes());
    out.extend_from_slice(b"\":[");
    out.extend_from_slice(json);
    out.push(b']');
    if let Some(cursor) = next_cursor(asked, kind, listing, page) {
        out.extend_from_slice(b",\"nextCursor\":\"");
        out.extend_from_slice(cursor.as_bytes());
        out.push(b'"');
    }
    if asked.era.types_results() {
        let hints = format!(",\"resultType\":\"complete\",\"ttlMs\":{TTL_MS},\"cacheScope\":\"private\"");
        out.extend_from_slice(hints.as_bytes());
    }
    out.extend_from_slice(b"}}");
    out
}

fn next_cursor(asked: &Asked<'_>, kind: DefinitionKind, listing: &Listing, page: usize) -> Option<String> {
    let next = listing.pages.get(page + 1)?;
    let cursor = Cursor { kind, path: asked.visit.path.clone(), first: next.first.clone() };
    let sealer = &asked.visit.gateway.parts.sealer;
    seal(sealer, Purpose::Cursor, asked.visit.caller.principal.id, &cursor)
}
