//! What changes in a server's message on its way to the client, and what it says for the record.
//!
//! In the client's own era at a transparent endpoint: nothing, but handles that are bound to the principal.

use std::sync::LazyLock;

use bailiwick_mcp::bridge::{
    ResultType, Unbridgeable, answer_to_legacy, answer_to_modern, notification_to_legacy, result_type,
};
use bailiwick_mcp::frame::{ErrorObject, FrameNotification};
use bailiwick_mcp::json::quote;
use bailiwick_mcp::method::Class;
use bailiwick_mcp::{Answer, Edits, Frame, Method, Outcome, Patch, Raw, SpliceError};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::record::Status;
use bailiwick_model::{PrincipalId, ServerId};
use bytes::Bytes;
use memchr::memmem::Finder;

use crate::Inner;
use crate::binding::{Handle, Purpose, seal};
use crate::carrier::Bridge;
use crate::open_call::End;
use crate::signs::{Sign, Signs};
use crate::uris;

/// What one call's messages pass through.
#[derive(Debug, Clone)]
pub(crate) struct Passage {
    pub(crate) method: Method,
    pub(crate) bridge: Bridge,
    pub(crate) principal: PrincipalId,
    pub(crate) server: ServerId,
    /// The definition that handles of this call belong to.
    pub(crate) subject: Option<(DefinitionKind, Box<str>)>,
    /// The server's name, where its URIs have to be exposed.
    pub(crate) aggregate: Option<Box<str>>,
}

/// An answer for the client.
#[derive(Debug)]
pub(crate) struct Mapped<'a> {
    /// The message; `None` if it goes as it came.
    pub(crate) bytes: Option<Bytes>,
    pub(crate) end: End<'a>,
}

/// Why a message cannot be passed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unmappable {
    #[error(transparent)]
    Bridge(#[from] Unbridgeable),
    #[error(transparent)]
    Splice(#[from] SpliceError),
    #[error(transparent)]
    Malformed(#[from] bailiwick_mcp::json::Malformed),
}

impl Passage {
    /// An answer on its way to the client.
    pub(crate) fn answer<'a>(&self, inner: &Inner, answer: &Answer<'a>) -> Result<Mapped<'a>, Unmappable> {
        let signs = answer.result().map_or(Signs::NONE, Signs::of);
        let end = end_of(self.method, answer, signs);
        let mut bytes = None;
        let changed = match answer.outcome {
            Outcome::Result(result) => self.edit_result(inner, answer, (result, signs))?,
            Outcome::Error(error) => self.edit_error(answer, error)?,
        };
        if let Some(changed) = changed {
            bytes = Some(self.bridged(&changed)?);
        } else if self.bridge != Bridge::None {
            bytes = Some(self.bridge_answer(answer)?.into());
        }
        Ok(Mapped { bytes, end })
    }

    /// A notification on its way to the client; `None` if it goes as it came.
    pub(crate) fn notification(
        &self,
        inner: &Inner,
        notification: &FrameNotification<'_>,
    ) -> Result<Option<Bytes>, Unmappable> {
        let mut edits = Edits::new();
        let method = Method::parse(&notification.method);
        if let Some(params) = notification.params {
            match method {
                Method::ResourcesUpdated => self.expose_member(params, "uri", &mut edits)?,
                Method::TaskNotification | Method::TaskStatus => self.bind_task(inner, params, &mut edits)?,
                Method::SubscriptionsAcknowledged => self.bind_followed(inner, params, &mut edits)?,
                _ => {}
            }
        }
        if !edits.is_empty() {
            return Ok(Some(edits.apply(notification.raw())?.into()));
        }
        if self.bridge == Bridge::ToModern && method == Method::ResourcesUpdated {
            let mut patch = Patch::new();
            notification_to_legacy(&mut patch);
            return Ok(Some(patch.apply(notification)?.into()));
        }
        Ok(None)
    }

    fn bridged(&self, changed: &[u8]) -> Result<Bytes, Unmappable> {
        if self.bridge != Bridge::None
            && let Ok(Frame::Answer(answer)) = bailiwick_mcp::frame(changed, &unlimited())
        {
            return Ok(self.bridge_answer(&answer)?.into());
        }
        Ok(Bytes::copy_from_slice(changed))
    }

    fn bridge_answer(&self, answer: &Answer<'_>) -> Result<Vec<u8>, Unmappable> {
        let mut patch = Patch::new();
        match self.bridge {
            Bridge::ToModern => answer_to_legacy(&mut patch, answer, self.method)?,
            Bridge::ToLegacy => answer_to_modern(&mut patch, answer, self.method)?,
            Bridge::None => {}
        }
        Ok(patch.apply(answer)?)
    }

    /// The answer with handles bound and URIs exposed; `None` if there is nothing of the kind.
    fn edit_result(
        &self,
        inner: &Inner,
        answer: &Answer<'_>,
        (result, signs): (Raw<'_>, Signs),
    ) -> Result<Option<Vec<u8>>, Unmappable> {
        let mut edits = Edits::new();
        if signs.has(Sign::RequestState)
            && let Some(state) = result.member("requestState")?
        {
            self.bind_state(inner, state, &mut edits);
        }
        if signs.has(Sign::TaskId) {
            let task = self.method.class() == Class::Task || result_type(result)? == ResultType::Task;
            if task {
                self.bind_task(inner, result, &mut edits)?;
            }
            if let Some(task) = result.member("task")? {
                self.bind_task(inner, task, &mut edits)?;
            }
        }
        if self.method == Method::ResourcesRead
            && let Some(scope) = result.member("cacheScope")?
            && scope.string().as_deref() != Some("private")
        {
            // INVARIANT: what was decided for one caller is not for a shared cache, however the server spells it.
            edits.replace(scope.range(), &b"\"private\""[..]);
        }
        if self.aggregate.is_some() {
            self.expose_result(result, &mut edits)?;
        }
        if edits.is_empty() { Ok(None) } else { Ok(Some(edits.apply(answer.raw())?)) }
    }

    /// The error with the URI exposed that it names as not found.
    fn edit_error(&self, answer: &Answer<'_>, error: ErrorObject<'_>) -> Result<Option<Vec<u8>>, Unmappable> {
        let mut edits = Edits::new();
        if self.method == Method::ResourcesRead
            && let Some(data) = error.data()
        {
            self.expose_member(data, "uri", &mut edits)?;
        }
        if edits.is_empty() { Ok(None) } else { Ok(Some(edits.apply(answer.raw())?)) }
    }

    fn bind_task(&self, inner: &Inner, object: Raw<'_>, edits: &mut Edits<'_>) -> Result<(), Unmappable> {
        if object.is_object()
            && let Some(id) = object.member("taskId")?
        {
            self.bind_task_id(inner, id, edits);
        }
        Ok(())
    }

    fn bind_task_id(&self, inner: &Inner, id: Raw<'_>, edits: &mut Edits<'_>) {
        let Some(own) = id.string() else { return };
        let text = match self.handle(&own) {
            Some(handle) => inner.tasks.seal(&inner.parts.sealer, self.principal, &handle),
            None => inner.tasks.text(self.principal, self.server, &own),
        };
        if let Some(text) = text {
            edits.replace(id.range(), quote(&text));
        }
    }

    fn bind_state(&self, inner: &Inner, state: Raw<'_>, edits: &mut Edits<'_>) {
        let handle = state.string().and_then(|own| self.handle(&own));
        let text = handle.and_then(|h| seal(&inner.parts.sealer, Purpose::RequestState, self.principal, &h));
        if let Some(text) = text {
            edits.replace(state.range(), quote(&text));
        }
    }

    fn handle(&self, own: &str) -> Option<Handle> {
        let (kind, key) = self.subject.as_ref()?;
        Some(Handle { own: own.to_owned(), server: self.server, kind: *kind, key: key.to_string() })
    }

    /// The tasks that a server acknowledges to follow, by the ids that the client asked with.
    fn bind_followed(&self, inner: &Inner, params: Raw<'_>, edits: &mut Edits<'_>) -> Result<(), Unmappable> {
        if has(params, &TASK_IDS)
            && let Some(filter) = params.member("notifications")?.filter(Raw::is_object)
        {
            for id in items(filter, "taskIds")? {
                self.bind_task_id(inner, id, edits);
            }
        }
        Ok(())
    }

    /// Exposes the URIs of resources that a result names: `contents` of a read, links and embedded resources of
    /// tools and prompts, the UI of an app.
    fn expose_result(&self, result: Raw<'_>, edits: &mut Edits<'_>) -> Result<(), Unmappable> {
        match self.method {
            Method::ResourcesRead => {
                for content in items(result, "contents")? {
                    self.expose_member(content, "uri", edits)?;
                }
            }
            Method::ToolsCall if has(result, &URI) || has(result, &RESOURCE_URI) => {
                for block in items(result, "content")? {
                    self.expose_block(block, edits)?;
                }
                if let (Some(server), Some(meta)) = (&self.aggregate, result.member("_meta")?) {
                    uris::expose_ui(server, meta, edits);
                }
            }
            Method::PromptsGet if has(result, &URI) => {
                for message in items(result, "messages")? {
                    if let Some(block) = message.member("content")? {
                        self.expose_block(block, edits)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn expose_block(&self, block: Raw<'_>, edits: &mut Edits<'_>) -> Result<(), Unmappable> {
        if !block.is_object() {
            return Ok(());
        }
        match block.member("type")?.and_then(|t| t.string()).as_deref() {
            Some("resource_link") => self.expose_member(block, "uri", edits),
            Some("resource") => match block.member("resource")? {
                Some(resource) => self.expose_member(resource, "uri", edits),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn expose_member(&self, object: Raw<'_>, name: &str, edits: &mut Edits<'_>) -> Result<(), Unmappable> {
        if let (Some(server), true) = (&self.aggregate, object.is_object())
            && let Some(uri) = object.member(name)?
        {
            uris::expose_at(server, uri, edits);
        }
        Ok(())
    }
}

/// A cheap look whether a text can be anywhere within.
fn has(result: Raw<'_>, needle: &Finder<'_>) -> bool {
    needle.find(result.as_bytes()).is_some()
}

/// What is looked for often is made ready once.
type Needle = LazyLock<Finder<'static>>;

static TASK_IDS: Needle = LazyLock::new(|| Finder::new("taskIds"));
static URI: Needle = LazyLock::new(|| Finder::new("\"uri\""));
static RESOURCE_URI: Needle = LazyLock::new(|| Finder::new("resourceUri"));

fn items<'a>(result: Raw<'a>, name: &str) -> Result<Vec<Raw<'a>>, Unmappable> {
    match result.member(name)? {
        Some(list) if list.is_array() => Ok(list.items()?),
        _ => Ok(Vec::new()),
    }
}

/// For messages that were within bounds and that this room itself rewrote.
fn unlimited() -> bailiwick_mcp::Limits {
    bailiwick_mcp::Limits { max_bytes: usize::MAX, ..bailiwick_mcp::Limits::default() }
}

/// What an answer says of how the call ended.
fn end_of<'a>(method: Method, answer: &Answer<'a>, signs: Signs) -> End<'a> {
    match answer.outcome {
        Outcome::Error(error) => {
            let result = Some(error.raw().as_bytes());
            End { code: Some(error.code()), result, ..End::of(Status::RpcError) }
        }
        Outcome::Result(result) => {
            let failed = method == Method::ToolsCall
                && signs.has(Sign::IsError)
                && matches!(result.member("isError"), Ok(Some(raw)) if raw.boolean() == Some(true));
            let waits = signs.has(Sign::InputRequired)
                && matches!(result_type(result), Ok(ResultType::InputRequired));
            let status = match (failed, waits) {
                (_, true) => Status::InputRequired,
                (true, _) => Status::ToolError,
                _ => Status::Ok,
            };
            let is_error = (method == Method::ToolsCall && !waits).then_some(failed);
            End { is_error, result: Some(result.as_bytes()), ..End::of(status) }
        }
    }
}
