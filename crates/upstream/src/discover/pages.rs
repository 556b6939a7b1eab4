//! The lists of a server, page by page, as far as its capabilities announce them.

use std::collections::HashSet;

use bailiwick_config::Discovery as Bounds;
use bailiwick_mcp::error::METHOD_NOT_FOUND;
use bailiwick_mcp::{Raw, member};
use bailiwick_model::definition::{Definition, DefinitionKind};
use bytes::Bytes;

use super::{Asker, definitions};
use crate::UpstreamError;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) definitions: Vec<Definition>,
    pub(super) dropped: Vec<String>,
    bytes: usize,
}

/// Sentences that are kept; more are only counted by their absence.
const MOST_SENTENCES: usize = 200;

impl Found {
    fn drop_with(&mut self, sentence: String) {
        if self.dropped.len() < MOST_SENTENCES {
            self.dropped.push(sentence);
        }
    }
}

struct List {
    kind: DefinitionKind,
    capability: &'static str,
    method: &'static str,
    member: &'static str,
}

const LISTS: [List; 4] = [
    List { kind: DefinitionKind::Tool, capability: "tools", method: "tools/list", member: "tools" },
    List { kind: DefinitionKind::Prompt, capability: "prompts", method: "prompts/list", member: "prompts" },
    List {
        kind: DefinitionKind::Resource,
        capability: "resources",
        method: "resources/list",
        member: "resources",
    },
    List {
        kind: DefinitionKind::ResourceTemplate,
        capability: "resources",
        method: "resources/templates/list",
        member: "resourceTemplates",
    },
];

/// All pages of all lists.
pub(super) async fn all(asker: &Asker<'_>, hello: &Bytes) -> Result<Found, UpstreamError> {
    let text = std::str::from_utf8(hello).map_err(|_| UpstreamError::Invalid("it is not UTF-8"))?;
    let capabilities = member(text, "capabilities").ok().flatten();
    let mut found = Found::default();
    for list in LISTS {
        let announced = capabilities.and_then(|all| all.member(list.capability).ok().flatten());
        if announced.is_some_and(|capability| capability.is_object()) {
            one(asker, &list, &mut found).await?;
        }
    }
    Ok(found)
}

async fn one(asker: &Asker<'_>, list: &List, found: &mut Found) -> Result<(), UpstreamError> {
    let bounds = asker.upstream.shared.parts.settings.upstream.discovery.clone();
    let mut cursor: Option<String> = None;
    let mut seen = HashSet::new();
    for page in 0.. {
        if page >= bounds.pages {
            found.drop_with(format!("{} was cut after {page} pages.", list.method));
            break;
        }
        let result = match asker.ask(list.method, cursor.as_deref()).await {
            Ok(result) => result,
            // Few servers that have resources have templates.
            Err(UpstreamError::Answered(METHOD_NOT_FOUND)) if page == 0 => return Ok(()),
            Err(error) => return Err(error),
        };
        if !take(&result, list, found, &bounds, asker.conversation.era.is_modern())? {
            break;
        }
        cursor = next_cursor(&result)?;
        match &cursor {
            None => break,
            Some(next) if !seen.insert(next.clone()) => {
                found.drop_with(format!("{} was cut: the server repeats a cursor.", list.method));
                break;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn next_cursor(result: &Bytes) -> Result<Option<String>, UpstreamError> {
    let cursor = object(result)?.member("nextCursor").map_err(|_| MALFORMED)?;
    Ok(cursor.and_then(|cursor| cursor.string()).filter(|cursor| !cursor.is_empty()).map(Into::into))
}

const MALFORMED: UpstreamError = UpstreamError::Invalid("a list is malformed");

fn object(result: &Bytes) -> Result<Raw<'_>, UpstreamError> {
    std::str::from_utf8(result).map(Raw::new).map_err(|_| MALFORMED)
}

/// Takes a page's definitions. False if a bound was reached.
fn take(
    result: &Bytes,
    list: &List,
    found: &mut Found,
    bounds: &Bounds,
    modern: bool,
) -> Result<bool, UpstreamError> {
    let items = object(result)?.member(list.member).map_err(|_| MALFORMED)?.ok_or(MALFORMED)?;
    for item in items.items().map_err(|_| MALFORMED)? {
        let text = item.as_str();
        if found.definitions.len() >= bounds.definitions || found.bytes + text.len() > bounds.bytes {
            found.drop_with(format!(
                "{} was cut: the server offers more than the gateway keeps.",
                list.method
            ));
            return Ok(false);
        }
        match definitions::read(list.kind, item, modern) {
            Ok(definition) if is_known(found, &definition) => {
                found.drop_with(format!(
                    "A {} was dropped: its name is there already.",
                    definitions::word(list.kind)
                ));
            }
            Ok(definition) => {
                found.bytes += text.len();
                found.definitions.push(definition);
            }
            Err(why) => found.drop_with(format!("A {} was dropped: {why}.", definitions::word(list.kind))),
        }
    }
    Ok(true)
}

fn is_known(found: &Found, definition: &Definition) -> bool {
    found.definitions.iter().any(|known| known.kind == definition.kind && known.key == definition.key)
}
