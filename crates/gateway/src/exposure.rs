//! Which definitions an endpoint shows, under which names, and the way back.
//!
//! An endpoint of one server is transparent. An aggregate prefixes: tools and prompts become
//! `{server}__{name}`, within `^[A-Za-z0-9_-]{1,64}$` as LLM APIs demand, resources get URIs of [`crate::uris`].
//! The way back is a map, never a split.

use std::sync::Arc;

use bailiwick_mcp::headers::ParamHeaders;
use bailiwick_mcp::{Edits, Raw};
use bailiwick_model::definition::{Definition, DefinitionKind};
use bailiwick_model::{QuickMap, ServerId};
use bailiwick_policy::{Catalogue, CatalogueServer};

use crate::place::PlaceKey;
use crate::uris;

mod alias;

/// One definition as an endpoint shows it.
#[derive(Debug)]
pub(crate) struct Exposed {
    pub(crate) server: Arc<CatalogueServer>,
    pub(crate) definition: Arc<Definition>,
    /// The name or URI here.
    pub(crate) name: Box<str>,
    /// The definition here, where it differs from the server's own.
    changed: Option<Box<str>>,
    /// What of a tool's arguments headers mirror (spec 2026-07-28, `x-mcp-header`).
    pub(crate) params: Option<ParamHeaders>,
}

impl Exposed {
    /// The definition's JSON here.
    pub(crate) fn json(&self) -> &str {
        self.changed.as_deref().unwrap_or_else(|| self.definition.raw.get())
    }
}

/// All that an endpoint can show to anyone. What a caller sees of it is decided for each.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) items: Vec<Exposed>,
    by_name: [QuickMap<Box<str>, usize>; DefinitionKind::ALL.len()],
    servers: QuickMap<Box<str>, Arc<CatalogueServer>>,
}

impl View {
    /// The view of an endpoint.
    pub(crate) fn build(catalogue: &Catalogue, key: PlaceKey) -> Self {
        let mut view = Self::default();
        match key {
            PlaceKey::Server(id) => {
                if let Some(server) = catalogue.server_by_id(id) {
                    view.add_all(server, Naming::Own);
                }
            }
            PlaceKey::All => {
                for server in catalogue.servers() {
                    view.add_all(server, Naming::Prefixed);
                }
            }
            PlaceKey::Toolset(id) => {
                for member in catalogue.toolset_by_id(id).iter().flat_map(|t| t.members()) {
                    view.add(&member.server, &member.definition, Naming::Prefixed);
                }
            }
        }
        view
    }

    /// The definition of this name here.
    pub(crate) fn find(&self, kind: DefinitionKind, name: &str) -> Option<&Exposed> {
        self.items.get(*self.by_name[kind as usize].get(name)?)
    }

    /// The server of this name, if it is shown here.
    pub(crate) fn server(&self, name: &str) -> Option<&Arc<CatalogueServer>> {
        self.servers.get(name)
    }

    /// The exposed form of a server's definition.
    pub(crate) fn of(&self, server: ServerId, kind: DefinitionKind, key: &str) -> Option<&Exposed> {
        self.items
            .iter()
            .find(|e| e.definition.kind == kind && e.definition.key == key && e.server.server.id == server)
    }

    fn add_all(&mut self, server: &Arc<CatalogueServer>, naming: Naming) {
        self.servers.insert(server.server.name.as_str().into(), Arc::clone(server));
        for definition in &server.definitions {
            self.add(server, definition, naming);
        }
    }

    fn add(&mut self, server: &Arc<CatalogueServer>, definition: &Arc<Definition>, naming: Naming) {
        let here = server.server.name.as_str();
        self.servers.entry(here.into()).or_insert_with(|| Arc::clone(server));
        let names = &mut self.by_name[definition.kind as usize];
        let (name, changed) = match naming {
            Naming::Own => (definition.key.as_str().into(), None),
            Naming::Prefixed => {
                let name = prefixed(here, definition, |name| names.contains_key(name));
                let Some(changed) = renamed(here, definition, &name) else {
                    tracing::warn!(
                        server = here,
                        "a definition that cannot be renamed is left out of aggregates"
                    );
                    return;
                };
                (name, Some(changed))
            }
        };
        names.insert(name.clone(), self.items.len());
        self.items.push(Exposed {
            server: Arc::clone(server),
            definition: Arc::clone(definition),
            name,
            changed,
            params: mirrored(definition),
        });
    }
}

#[derive(Debug, Clone, Copy)]
enum Naming {
    Own,
    Prefixed,
}

fn prefixed(server: &str, definition: &Definition, taken: impl Fn(&str) -> bool) -> Box<str> {
    match definition.kind {
        DefinitionKind::Tool | DefinitionKind::Prompt => alias::alias(server, &definition.key, taken),
        DefinitionKind::Resource | DefinitionKind::ResourceTemplate => {
            uris::expose(server, &definition.key).into()
        }
    }
}

/// The definition under its name here: `name`, `uri` or `uriTemplate` replaced, and the UI resource that an
/// MCP App names; everything else byte for byte.
fn renamed(server: &str, definition: &Definition, name: &str) -> Option<Box<str>> {
    let text = definition.raw.get();
    let object = Raw::new(text).object().ok()?;
    let member = match definition.kind {
        DefinitionKind::Tool | DefinitionKind::Prompt => "name",
        DefinitionKind::Resource => "uri",
        DefinitionKind::ResourceTemplate => "uriTemplate",
    };
    let mut edits = Edits::new();
    edits.replace(object.get(member)?.range(), bailiwick_mcp::json::quote(name));
    if let Some(meta) = object.get("_meta") {
        uris::expose_ui(server, meta, &mut edits);
    }
    let bytes = edits.apply(text.as_bytes()).ok()?;
    String::from_utf8(bytes).ok().map(String::into_boxed_str)
}

fn mirrored(definition: &Definition) -> Option<ParamHeaders> {
    if definition.kind != DefinitionKind::Tool || !definition.raw.get().contains("x-mcp-header") {
        return None;
    }
    let schema = bailiwick_mcp::member(definition.raw.get(), "inputSchema").ok()??;
    ParamHeaders::from_schema(schema.as_str()).ok().filter(|params| !params.is_empty())
}
