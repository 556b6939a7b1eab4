//! Asking policy, and telling a no: recorded first, and to those who may not see the thing exactly like for a
//! thing that does not exist.

use std::sync::Arc;

use bailiwick_mcp::{GatewayError, Method, Refusal};
use bailiwick_model::Record;
use bailiwick_model::definition::{Definition, DefinitionKind};
use bailiwick_model::grant::Action;
use bailiwick_model::record::{Denied, Subject, Why};
use bailiwick_policy::{CatalogueServer, Decision, Denial, Permit, Target};

use crate::facts::{Facts, cut, who};
use crate::reply::audit_unavailable;
use crate::visit::Visit;

/// What a request is about, found in the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) server: Arc<CatalogueServer>,
    /// The definition that covers it; none if it is a URI that nothing listed covers, or the server as a whole.
    pub(crate) definition: Option<Arc<Definition>>,
    /// The name or URI as the server knows it; none if it concerns the server as a whole.
    pub(crate) own: Option<Box<str>>,
}

impl Found {
    /// The server as a whole.
    pub(crate) fn server(server: &Arc<CatalogueServer>) -> Self {
        Self { server: Arc::clone(server), definition: None, own: None }
    }

    /// What handles that the server gives out belong to: the definition, or the URI that nothing listed covers.
    pub(crate) fn handle_subject(&self) -> Option<(DefinitionKind, &str)> {
        match (&self.definition, &self.own) {
            (Some(definition), _) => Some((definition.kind, &definition.key)),
            (None, Some(uri)) => Some((DefinitionKind::Resource, uri)),
            (None, None) => None,
        }
    }

    pub(crate) fn target(&self) -> Target<'_> {
        match (&self.definition, &self.own) {
            (Some(definition), _) => Target::Definition(&self.server, definition),
            (None, Some(uri)) => Target::Uri(&self.server, uri),
            (None, None) => Target::Server(&self.server),
        }
    }
}

/// The permit to do this, or the recorded refusal. `asked` is the name that the client wrote.
pub(crate) async fn decide(
    visit: &Visit,
    facts: &Facts<'_>,
    action: Action,
    found: &Found,
    asked: &str,
) -> Result<Permit, Refusal> {
    let denial = match visit.snapshot.decide(&visit.caller, action, found.target(), visit.now) {
        Decision::Allow(permit) => return Ok(permit),
        Decision::Deny(denial) => denial,
    };
    let reason = if denial.visible { GatewayError::PolicyDenied.reason() } else { "not_found" };
    let subject = Subject {
        server: found.server.server.id,
        name: found.server.server.name.as_str(),
        kind: found.definition.as_ref().map(|d| d.kind),
        key: found.own.as_deref().map(cut),
        hash: found.definition.as_ref().map(|d| d.hash),
    };
    let no = No { subject: Some(subject), asked, why: denial.why(), reason };
    record(visit, facts, no).await?;
    Err(tell(facts, &denial, asked))
}

/// The recorded refusal of something that is not in the catalogue.
pub(crate) async fn absent(visit: &Visit, facts: &Facts<'_>, action: Action, asked: &str) -> Refusal {
    let snapshot = &visit.snapshot;
    let why = Why { action, generation: snapshot.generation, policy: snapshot.rules.hash(), rules: &[] };
    let no = No { subject: None, asked, why, reason: "not_found" };
    match record(visit, facts, no).await {
        Ok(()) => not_found(facts, asked),
        Err(refusal) => refusal,
    }
}

/// What a refusal's record says.
struct No<'a> {
    subject: Option<Subject<'a>>,
    asked: &'a str,
    why: Why<'a>,
    reason: &'a str,
}

async fn record(visit: &Visit, facts: &Facts<'_>, no: No<'_>) -> Result<(), Refusal> {
    let denied = Record::Denied(Denied {
        call: visit.gateway.next_call(visit.now),
        who: who(&visit.caller),
        what: facts.what(visit),
        subject: no.subject,
        asked: Some(cut(no.asked)),
        why: no.why,
        reason: no.reason,
    });
    let recording = visit.gateway.parts.recorder.append(&denied);
    recording.settled().await.map(|_| ()).map_err(|_| audit_unavailable(false))
}

fn tell(facts: &Facts<'_>, denial: &Denial, asked: &str) -> Refusal {
    if denial.visible {
        GatewayError::PolicyDenied.refusal(&denial.explanation, &[])
    } else {
        not_found(facts, asked)
    }
}

/// What a client hears of a thing that does not exist, in the words of its era.
fn not_found(facts: &Facts<'_>, asked: &str) -> Refusal {
    let asked = cut(asked);
    match Method::parse(facts.method) {
        Method::ToolsCall => Refusal::invalid_params(format!("Unknown tool: {asked}")),
        Method::PromptsGet => Refusal::invalid_params(format!("Unknown prompt: {asked}")),
        Method::CompletionComplete => Refusal::invalid_params("Unknown reference"),
        Method::ResourcesRead | Method::ResourcesSubscribe | Method::ResourcesUnsubscribe => {
            let mut data = b"{\"uri\":".to_vec();
            bailiwick_mcp::json::write_string(&mut data, asked);
            data.push(b'}');
            let mut refusal = Refusal::invalid_params("Resource not found");
            refusal.code = facts.era.resource_not_found();
            refusal.data = Some(data);
            refusal
        }
        Method::TasksGet | Method::TasksUpdate | Method::TasksCancel | Method::TasksResult => {
            Refusal::invalid_params("Unknown task")
        }
        _ => Refusal::invalid_params("Not found"),
    }
}

/// The kind of definition that a method names.
pub(crate) const fn kind_of(method: Method) -> Option<DefinitionKind> {
    match method {
        Method::ToolsCall => Some(DefinitionKind::Tool),
        Method::PromptsGet => Some(DefinitionKind::Prompt),
        Method::ResourcesRead | Method::ResourcesSubscribe | Method::ResourcesUnsubscribe => {
            Some(DefinitionKind::Resource)
        }
        _ => None,
    }
}
