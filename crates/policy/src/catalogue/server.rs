//! One server of the catalogue: its definitions in its own order, found by kind and key, or by URI.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use bailiwick_model::ToolsetId;
use bailiwick_model::definition::{Definition, DefinitionKind};
use bailiwick_model::server::Server;
use bailiwick_model::toolset::Toolset;
use serde_json::value::RawValue;

use super::Source;
use crate::entities::{Slice, Unbuildable};
use crate::template::UriTemplate;

/// The most templates of one server against which a URI is held: a hostile server could offer thousands that
/// are slow to match.
const MAX_TEMPLATES: usize = 256;

/// One server with what it offers.
#[derive(Debug)]
pub struct CatalogueServer {
    /// The server as registered.
    pub server: Arc<Server>,
    /// The protocol revisions that it speaks, as dates; empty before its first discovery.
    pub eras: Vec<Box<str>>,
    /// Its `server/discover` or `initialize` result, byte for byte; none before its first discovery.
    pub hello: Option<Arc<RawValue>>,
    /// Its definitions: kinds in [`DefinitionKind::ALL`]'s order, the server's own order within each.
    pub definitions: Vec<Arc<Definition>>,
    /// A later discovery failed: definitions may be old.
    pub stale: bool,
    /// It was discovered at least once, so that there is something to list and an era to speak.
    pub available: bool,
    by_key: [HashMap<Box<str>, usize>; DefinitionKind::ALL.len()],
    templates: Vec<(UriTemplate, usize)>,
    in_toolsets: Vec<Box<[ToolsetId]>>,
    reached_by: Box<[ToolsetId]>,
    // What Cedar sees of the server and of each definition: made when first judged, kept with the catalogue.
    own_slice: OnceLock<Result<Slice, Unbuildable>>,
    slices: Box<[OnceLock<Result<Slice, Unbuildable>>]>,
}

impl CatalogueServer {
    pub(super) fn new(source: &Source, toolsets: &[Arc<Toolset>]) -> Self {
        let discovery = source.discovery.as_deref();
        let id = source.server.id;
        let mut definitions: Vec<_> =
            discovery.map(|d| d.definitions.iter().cloned().map(Arc::new).collect()).unwrap_or_default();
        definitions.sort_by_key(|d: &Arc<Definition>| d.kind);
        let mut server = Self {
            server: Arc::clone(&source.server),
            eras: discovery.map(|d| d.eras.iter().map(|e| e.as_str().into()).collect()).unwrap_or_default(),
            hello: discovery.map(|d| Arc::from(d.hello.clone())),
            stale: source.stale,
            available: discovery.is_some(),
            by_key: Default::default(),
            templates: Vec::new(),
            in_toolsets: definitions
                .iter()
                .map(|d| ids(toolsets, |t| t.selections.iter().any(|s| s.covers(id, d.kind, &d.key))))
                .collect(),
            own_slice: OnceLock::new(),
            slices: definitions.iter().map(|_| OnceLock::new()).collect(),
            reached_by: ids(toolsets, |t| t.selections.iter().any(|s| s.server == id)),
            definitions,
        };
        server.index();
        server
    }

    fn index(&mut self) {
        for (at, definition) in self.definitions.iter().enumerate() {
            self.by_key[definition.kind as usize].entry(definition.key.as_str().into()).or_insert(at);
            if definition.kind == DefinitionKind::ResourceTemplate
                && self.templates.len() < MAX_TEMPLATES
                && let Some(template) = UriTemplate::parse(&definition.key)
            {
                self.templates.push((template, at));
            }
        }
    }

    /// The definition of this kind and key; the first one if the server offers two.
    pub fn definition(&self, kind: DefinitionKind, key: &str) -> Option<&Arc<Definition>> {
        self.definitions.get(self.position(kind, key)?)
    }

    /// The definitions of one kind, in the server's own order.
    pub fn of_kind(&self, kind: DefinitionKind) -> impl Iterator<Item = &Arc<Definition>> {
        self.definitions.iter().filter(move |d| d.kind == kind)
    }

    /// What covers this URI: the resource that is listed under exactly it, else the template that matches
    /// with the most literal characters (the first of equals).
    pub fn resource_for_uri(&self, uri: &str) -> Option<&Arc<Definition>> {
        self.definition(DefinitionKind::Resource, uri).or_else(|| {
            let mut best: Option<&(UriTemplate, usize)> = None;
            for candidate in self.templates.iter().filter(|(template, _)| template.matches(uri)) {
                if best.is_none_or(|(known, _)| candidate.0.literals() > known.literals()) {
                    best = Some(candidate);
                }
            }
            best.and_then(|(_, at)| self.definitions.get(*at))
        })
    }

    /// The toolsets that a definition is in, in the order of their ids.
    pub fn toolsets_of(&self, kind: DefinitionKind, key: &str) -> &[ToolsetId] {
        self.position(kind, key).and_then(|at| self.in_toolsets.get(at)).map_or(&[], |ids| ids)
    }

    /// The toolsets that select anything of this server, in the order of their ids.
    pub fn reached_by(&self) -> &[ToolsetId] {
        &self.reached_by
    }

    /// The server as policies see it.
    pub(crate) fn own_slice(&self) -> &Result<Slice, Unbuildable> {
        self.own_slice.get_or_init(|| Slice::of_server(&self.server))
    }

    /// The definition as policies see it; none if there is none.
    pub(crate) fn slice(&self, kind: DefinitionKind, key: &str) -> Option<&Result<Slice, Unbuildable>> {
        let at = self.position(kind, key)?;
        let (definition, toolsets) = (self.definitions.get(at)?, self.in_toolsets.get(at)?);
        let make = || Slice::of_definition(&self.server, definition, toolsets);
        Some(self.slices.get(at)?.get_or_init(make))
    }

    fn position(&self, kind: DefinitionKind, key: &str) -> Option<usize> {
        self.by_key[kind as usize].get(key).copied()
    }
}

fn ids(toolsets: &[Arc<Toolset>], wanted: impl Fn(&Toolset) -> bool) -> Box<[ToolsetId]> {
    let mut ids: Vec<_> = toolsets.iter().filter(|t| wanted(t)).map(|t| t.id).collect();
    ids.sort_unstable();
    ids.into()
}
