//! Ids of tasks as clients know them: sealed like every handle, and for as long as a task is polled the same text.
//!
//! Sealing gives another text each time, but a client finds its task by the id in answers and notifications.

use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::{PrincipalId, ServerId};
use bailiwick_runtime::keys::Sealer;
use quick_cache::sync::Cache;

use crate::binding::{Handle, Purpose, open, seal};

/// Tasks whose text is remembered; one that is forgotten gets a new text, and the old one goes on working.
const REMEMBERED: usize = 10_000;

/// The texts by whom they were given to, server, and the server's own id.
#[derive(Debug)]
pub(crate) struct TaskIds(Cache<(PrincipalId, ServerId, Box<str>), Known>);

#[derive(Debug, Clone)]
struct Known {
    kind: DefinitionKind,
    key: Box<str>,
    text: Box<str>,
}

impl TaskIds {
    pub(crate) fn new() -> Self {
        Self(Cache::new(REMEMBERED))
    }

    /// The task behind an id that this principal showed.
    pub(crate) fn open(&self, sealer: &Sealer, principal: PrincipalId, text: &str) -> Option<Handle> {
        let handle: Handle = open(sealer, Purpose::Task, principal, text)?;
        self.remember(principal, &handle, text);
        Some(handle)
    }

    /// The text that this principal knows a task by, or gets from now on. A task that a server hands out for another
    /// definition is another one: what may be done with it is decided by its definition.
    pub(crate) fn seal(&self, sealer: &Sealer, principal: PrincipalId, handle: &Handle) -> Option<Box<str>> {
        let known = self.known(principal, handle.server, &handle.own);
        if let Some(known) = known.filter(|known| known.kind == handle.kind && *known.key == *handle.key) {
            return Some(known.text);
        }
        let text = seal(sealer, Purpose::Task, principal, handle)?;
        self.remember(principal, handle, &text);
        Some(text.into())
    }

    /// The text that this principal knows a task by, where nothing tells which definition it belongs to.
    pub(crate) fn text(&self, principal: PrincipalId, server: ServerId, own: &str) -> Option<Box<str>> {
        self.known(principal, server, own).map(|known| known.text)
    }

    fn known(&self, principal: PrincipalId, server: ServerId, own: &str) -> Option<Known> {
        self.0.get(&(principal, server, own.into()))
    }

    fn remember(&self, principal: PrincipalId, handle: &Handle, text: &str) {
        let known = Known { kind: handle.kind, key: handle.key.as_str().into(), text: text.into() };
        self.0.insert((principal, handle.server, handle.own.as_str().into()), known);
    }
}
