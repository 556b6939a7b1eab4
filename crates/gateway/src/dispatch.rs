//! Which room answers a request: the gateway itself, or a server after a decision.

use std::borrow::Cow;
use std::sync::Arc;

use bailiwick_mcp::headers::meta;
use bailiwick_mcp::json::Raw;
use bailiwick_mcp::method::Class;
use bailiwick_mcp::{Edits, Era, Method, Patch, Refusal, Request};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::Action;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::binding::{Handle, Purpose, open};
use crate::carrier::Client;
use crate::decide::{Found, absent, decide, kind_of};
use crate::exposure::Exposed;
use crate::facts::{Facts, client_of_request};
use crate::forward::{Errand, forward};
use crate::reply::Reply;
use crate::session::Session;
use crate::trace::Received;
use crate::visit::Visit;
use crate::{handshake, list, listen, uris};

/// One request, as its steps read it.
#[derive(Debug)]
pub(crate) struct Asked<'m> {
    pub(crate) visit: &'m Arc<Visit>,
    pub(crate) request: &'m Request<'m>,
    pub(crate) method: Method,
    pub(crate) era: Era,
    pub(crate) session: Option<&'m Session>,
    /// Exactly the request's bytes.
    pub(crate) body: Bytes,
    pub(crate) headers: &'m HeaderMap,
    pub(crate) trace: Received,
}

impl<'m> Asked<'m> {
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            method: &self.request.method,
            era: self.era,
            session: self.session,
            client: if self.session.is_none() { client_of_request(self.request) } else { None },
            trace: Some(&self.trace),
            span: None,
        }
    }

    pub(crate) fn client(&self) -> Client<'m> {
        match self.session {
            Some(session) => Client::Session(session),
            None => Client::of_request(self.request),
        }
    }

    fn text(&self, name: &str) -> Result<Cow<'m, str>, Refusal> {
        self.request
            .param(name)
            .and_then(|raw| raw.string())
            .ok_or_else(|| Refusal::invalid_params(format!("params.{name} is missing or not a string")))
    }
}

/// Answers a request.
pub(crate) async fn dispatch(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    if !asked.method.exists_in(asked.era) {
        return Err(Refusal::method_not_found(asked.era));
    }
    match asked.method.class() {
        Class::Handshake => handshake::discover(asked).await,
        Class::Local => list::ping(asked).await,
        Class::List => list::list(asked).await,
        Class::Call | Class::Get | Class::Read => named(asked).await,
        Class::Subscribe => Box::pin(subscribe(asked)).await,
        Class::Complete => Box::pin(completion(asked)).await,
        Class::Logging => Box::pin(logging(asked)).await,
        Class::Task => Box::pin(task(asked)).await,
        Class::Listen => Box::pin(listen::subscriptions(asked)).await,
        Class::ToClient | Class::Notification | Class::Unknown => Err(Refusal::method_not_found(asked.era)),
    }
}

/// `tools/call`, `prompts/get`, `resources/read`.
async fn named(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let kind = kind_of(asked.method).ok_or_else(|| Refusal::method_not_found(asked.era))?;
    let member = if kind == DefinitionKind::Resource { "uri" } else { "name" };
    let action = match kind {
        DefinitionKind::Tool => Action::Call,
        DefinitionKind::Prompt => Action::Get,
        _ => Action::Read,
    };
    let name = asked.text(member)?;
    let Some((found, exposed)) = find(asked.visit, kind, &name) else {
        return Err(absent(asked.visit, &asked.facts(), action, &name).await);
    };
    let own: Box<str> = found.own.clone().unwrap_or_default();
    let mut patch = Patch::new();
    if *own != *name {
        patch.body.set_string(member, &own);
    }
    if let Some(state) = asked.request.param("requestState") {
        let Some(handle) = handle(asked, Purpose::RequestState, state, &found) else {
            // The decision comes first: whoever may not use the thing must not learn that it is there.
            decide(asked.visit, &asked.facts(), action, &found, &name).await?;
            return Err(Refusal::invalid_params("requestState is not one that this request was given"));
        };
        patch.body.set_string("requestState", &handle.own);
    }
    let mirrored = asked.method.mirrored_param().map(|_| Cow::Owned(own.into_string()));
    forward(asked, Errand { found, action, asked: &name, patch, mirrored, exposed }).await
}

/// The definition or URI of this name at the visit's endpoint.
pub(crate) fn find<'v>(
    visit: &'v Visit,
    kind: DefinitionKind,
    name: &str,
) -> Option<(Found, Option<&'v Exposed>)> {
    let view = &visit.place.view;
    if let Some(exposed) = view.find(kind, name) {
        let found = Found {
            server: Arc::clone(&exposed.server),
            definition: Some(Arc::clone(&exposed.definition)),
            own: Some(exposed.definition.key.as_str().into()),
        };
        return Some((found, Some(exposed)));
    }
    if kind != DefinitionKind::Resource {
        return None;
    }
    let (server, own) = match &visit.place.server {
        Some(server) => (server, name.to_owned()),
        None => {
            let (server, own) = uris::conceal(name)?;
            (view.server(server)?, own)
        }
    };
    let definition = server.resource_for_uri(&own).cloned();
    // A toolset shows what it selects; nothing else of the server can be reached through it.
    let selected = definition.as_ref().is_some_and(|d| view.of(server.server.id, d.kind, &d.key).is_some());
    if !selected && matches!(visit.place.key, crate::place::PlaceKey::Toolset(_)) {
        return None;
    }
    Some((Found { server: Arc::clone(server), definition, own: Some(own.into()) }, None))
}

/// What a sealed handle stands for, if it was given to this caller for this very thing.
fn handle(asked: &Asked<'_>, purpose: Purpose, raw: Raw<'_>, found: &Found) -> Option<Handle> {
    let inner = &asked.visit.gateway;
    let principal = asked.visit.caller.principal.id;
    let handle: Handle = open(&inner.parts.sealer, purpose, principal, &raw.string()?)?;
    let (kind, key) = found.handle_subject()?;
    let fits = handle.server == found.server.server.id && handle.kind == kind && handle.key == key;
    fits.then_some(handle)
}

/// `resources/subscribe` and `resources/unsubscribe` (legacy).
async fn subscribe(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let uri = asked.text("uri")?;
    let Some((found, _)) = find(asked.visit, DefinitionKind::Resource, &uri) else {
        return Err(absent(asked.visit, &asked.facts(), Action::Read, &uri).await);
    };
    let mut patch = Patch::new();
    let own: Box<str> = found.own.clone().unwrap_or_default();
    if *own != *uri {
        patch.body.set_string("uri", &own);
    }
    let errand = Errand { found, action: Action::Read, asked: &uri, patch, mirrored: None, exposed: None };
    forward(asked, errand).await
}

/// `completion/complete`: of a prompt's or template's argument.
async fn completion(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let reference = asked.request.param("ref").filter(Raw::is_object);
    let bad = || Refusal::invalid_params("params.ref is not a reference to a prompt or a resource");
    let object = reference.ok_or_else(bad)?.object().map_err(|_| bad())?;
    let kind = object.get("type").and_then(|raw| raw.string()).ok_or_else(bad)?;
    let (kind, member, action) = match &*kind {
        "ref/prompt" => (DefinitionKind::Prompt, "name", Action::Get),
        "ref/resource" => (DefinitionKind::ResourceTemplate, "uri", Action::Read),
        _ => return Err(bad()),
    };
    let name_raw = object.get(member).ok_or_else(bad)?;
    let name = name_raw.string().ok_or_else(bad)?;
    let found = find(asked.visit, kind, &name).or_else(|| {
        (kind == DefinitionKind::ResourceTemplate)
            .then(|| find(asked.visit, DefinitionKind::Resource, &name))?
    });
    let Some((found, _)) = found else {
        return Err(absent(asked.visit, &asked.facts(), action, &name).await);
    };
    let own: Box<str> = found.own.clone().unwrap_or_default();
    let mut patch = Patch::new();
    if *own != *name {
        let whole = object.raw();
        let mut edits = Edits::new();
        let start = whole.range().start;
        let range = name_raw.range();
        edits.replace(range.start - start..range.end - start, bailiwick_mcp::json::quote(&own));
        let changed = edits.apply(whole.as_bytes()).map_err(|_| bad())?;
        patch.body.set("ref", changed);
    }
    forward(asked, Errand { found, action, asked: &name, patch, mirrored: None, exposed: None }).await
}

/// `logging/setLevel` (legacy): of the one server at a transparent endpoint. Aggregates do not announce logging.
async fn logging(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let Some(server) = &asked.visit.place.server else {
        return Err(Refusal::method_not_found(asked.era));
    };
    let found = Found::server(server);
    let errand = Errand {
        found,
        action: Action::List,
        asked: server.server.name.as_str(),
        patch: Patch::new(),
        mirrored: None,
        exposed: None,
    };
    forward(asked, errand).await
}

/// `tasks/…`: decided anew as a call of the tool that the task came from.
async fn task(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    if asked.method == Method::TasksList {
        // A server behind a shared credential lists every caller's tasks.
        return Err(Refusal::method_not_found(asked.era));
    }
    declared(asked)?;
    let id = asked.text("taskId")?;
    let (handle, found, action) = task_behind(asked, &id).await?;
    let mut patch = Patch::new();
    patch.body.set_string("taskId", &handle.own);
    let mirrored = Some(Cow::Owned(handle.own));
    forward(asked, Errand { found, action, asked: &id, patch, mirrored, exposed: None }).await
}

/// A modern client has to declare the tasks extension in the very request (spec SEP-2663 "Capability Negotiation").
fn declared(asked: &Asked<'_>) -> Result<(), Refusal> {
    const TASKS: &str = "io.modelcontextprotocol/tasks";
    if !asked.era.is_modern() {
        return Ok(());
    }
    let capabilities = asked.request.meta(meta::CLIENT_CAPABILITIES);
    let extensions = capabilities.and_then(|raw| raw.member("extensions").ok().flatten());
    if extensions.is_some_and(|raw| matches!(raw.member(TASKS), Ok(Some(_)))) {
        return Ok(());
    }
    let mut refusal = Refusal::new(
        bailiwick_mcp::error::MISSING_CLIENT_CAPABILITY,
        StatusCode::BAD_REQUEST,
        "Missing required client capability",
    );
    refusal.data = Some(format!(r#"{{"requiredCapabilities":{{"extensions":{{"{TASKS}":{{}}}}}}}}"#).into());
    Err(refusal)
}

/// The task that this caller was given under this id, and the definition whose call it was.
pub(crate) async fn task_behind(asked: &Asked<'_>, id: &str) -> Result<(Handle, Found, Action), Refusal> {
    let visit = asked.visit;
    let principal = visit.caller.principal.id;
    let handle = visit.gateway.tasks.open(&visit.gateway.parts.sealer, principal, id);
    let exposed = handle.as_ref().and_then(|h| visit.place.view.of(h.server, h.kind, &h.key));
    let (Some(handle), Some(exposed)) = (handle, exposed) else {
        return Err(absent(visit, &asked.facts(), Action::Call, id).await);
    };
    let found = Found {
        server: Arc::clone(&exposed.server),
        definition: Some(Arc::clone(&exposed.definition)),
        own: Some(exposed.definition.key.as_str().into()),
    };
    let action = if handle.kind == DefinitionKind::Tool { Action::Call } else { Action::Get };
    Ok((handle, found, action))
}

/// A request without what its era demands.
pub(crate) fn bad_request(message: &'static str) -> Refusal {
    Refusal::new(bailiwick_mcp::error::INVALID_REQUEST, StatusCode::BAD_REQUEST, message)
}
