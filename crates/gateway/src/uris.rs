//! URIs of resources in aggregates: reversible, and telling the server.
//!
//! `scheme:rest` becomes `{server}+scheme:rest`, a valid scheme since server names begin with a letter and have
//! no `+`; `ui://rest` (MCP Apps) becomes `ui://{server}/rest`, because hosts look for that very scheme. Templates
//! are mapped the same way, their literal beginning being a URI's.

use bailiwick_mcp::json::quote;
use bailiwick_mcp::{Edits, Raw};

const UI: &str = "ui://";

/// The URI or template of a server's resource as an aggregate shows it.
pub(crate) fn expose(server: &str, uri: &str) -> String {
    match uri.strip_prefix(UI) {
        Some(rest) => format!("{UI}{server}/{rest}"),
        None => format!("{server}+{uri}"),
    }
}

/// The server's name and its own URI behind an exposed one. Whether there is such a server is for the
/// caller's map.
pub(crate) fn conceal(exposed: &str) -> Option<(&str, String)> {
    match exposed.strip_prefix(UI) {
        Some(rest) => rest.split_once('/').map(|(server, rest)| (server, format!("{UI}{rest}"))),
        None => exposed.split_once('+').map(|(server, uri)| (server, uri.to_owned())),
    }
}

/// Edits that expose the UI resources that a definition's or result's `_meta` names: `ui.resourceUri`, and
/// `ui/resourceUri` as earlier hosts wrote it.
pub(crate) fn expose_ui(server: &str, meta: Raw<'_>, edits: &mut Edits<'_>) {
    let Ok(meta) = meta.object() else { return };
    let nested = meta.get("ui").and_then(|ui| ui.member("resourceUri").ok().flatten());
    for uri in nested.into_iter().chain(meta.get("ui/resourceUri")) {
        expose_at(server, uri, edits);
    }
}

/// The edit that exposes one URI in its place.
pub(crate) fn expose_at(server: &str, uri: Raw<'_>, edits: &mut Edits<'_>) {
    if let Some(text) = uri.string() {
        edits.replace(uri.range(), quote(&expose(server, &text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_uri_comes_back() {
        for uri in
            ["file:///a/b", "ui://weather/card.html", "test://t/{id}/data", "a+b://c", "urn:x:y", "ui://"]
        {
            let exposed = expose("files", uri);
            assert_eq!(conceal(&exposed), Some(("files", uri.to_owned())), "{exposed}");
        }
    }

    #[test]
    fn a_uri_of_no_server_is_none() {
        assert_eq!(conceal("file:///a"), None);
        assert_eq!(conceal("ui://files"), None);
    }
}
