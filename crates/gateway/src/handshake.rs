//! How a client and the gateway learn of each other: `initialize` of legacy eras, `server/discover` of modern ones.
//!
//! At a transparent endpoint whose server has a legacy era, `initialize` goes to the server, so that the session is
//! the server's own; everything else is answered here, and so is that while the server is away.

use std::collections::VecDeque;
use std::sync::Arc;

use bailiwick_mcp::bridge::{discover_from_initialize, initialize_from_discover};
use bailiwick_mcp::error::result_response;
use bailiwick_mcp::{Edits, Era, Frame, GatewayError, ObjectPatch, Patch, Raw, Refusal};
use bailiwick_model::grant::Action;
use bailiwick_model::server::Transport;
use bailiwick_policy::CatalogueServer;
use bailiwick_upstream::{
    Answer, AnswerBody, Conversation, Event, EventStream, Kind, Request as Carried, UpstreamError,
};
use bytes::Bytes;
use http::HeaderValue;

use crate::carrier::{Bridge, Carrier, eras};
use crate::complete::{complete, fail, frame_limits};
use crate::decide::{Found, decide};
use crate::dispatch::{Asked, bad_request};
use crate::forward::passage;
use crate::list::TTL_MS;
use crate::local;
use crate::open_call::OpenCall;
use crate::relay::Relay;
use crate::reply::Reply;
use crate::session::{Session, SessionKind};

/// Most events that may come before the answer to `initialize`.
const MAX_EARLY: usize = 64;

/// `initialize`.
pub(crate) async fn initialize(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let params =
        asked.request.params.as_ref().ok_or_else(|| Refusal::invalid_params("params are missing"))?;
    let raw = asked.body.slice_ref(params.raw().as_bytes());
    match &asked.visit.place.server {
        Some(server) if eras(server).any(|era| !era.is_modern()) => own(asked, server, raw).await,
        server => {
            let result = match server {
                Some(server) => of_server(server, asked.era)?,
                None => of_aggregate(asked, asked.era),
            };
            let session = Session::new(asked.visit, asked.era, SessionKind::Ours, raw);
            let id = sealed(asked, &session)?;
            local::record(asked.visit, &asked.facts()).await?;
            Ok(Reply::ok(result_response(asked.request.id, &result)).with_session(id))
        }
    }
}

/// Opens the server's own session.
async fn own(asked: &Asked<'_>, server: &Arc<CatalogueServer>, params: Bytes) -> Result<Reply, Refusal> {
    let found = Found::server(server);
    let mut facts = asked.facts();
    let permit = decide(asked.visit, &facts, Action::List, &found, server.server.name.as_str()).await?;
    let session = Session::new(asked.visit, asked.era, SessionKind::Own { upstream: None }, params.clone());
    let conversation = Conversation {
        server: server.server.id,
        era: asked.era,
        principal: session.principal,
        client: session.nonce,
        kind: Kind::Own { initialize: params.clone(), session: None },
    };
    let carrier = Carrier { conversation, bridge: Bridge::None, traces_inside: false };
    let span = asked.visit.gateway.begin_span(asked, Some(&session));
    facts.span = Some(&span);
    let carried = Carried {
        body: asked.body.clone(),
        id: asked.request.id,
        method: &asked.request.method,
        name: None,
        params: Vec::new(),
        trace: &asked.trace.onward(&span),
    };
    let mut call = OpenCall::open(asked.visit, &facts, &permit, &params).await?;
    let upstreams = &asked.visit.gateway.parts.upstreams;
    let (answer, upstream) = match upstreams.initialize(&permit, &carrier.conversation, carried).await {
        Ok(opened) => opened,
        Err(error) => {
            let refusal = fail(&mut call, &error).await;
            return away(asked, server, params, (refusal, &error)).await;
        }
    };
    let session = Session { kind: SessionKind::Own { upstream }, ..session };
    let passage = passage(asked, &found, &carrier);
    match answer {
        Answer { status, body: AnswerBody::Json(body), .. } => {
            call.answered(status);
            let era = era_of(asked, &body);
            let bytes = complete(asked.visit, &passage, &mut call, (body, None)).await?;
            let status = http::StatusCode::from_u16(status).unwrap_or_default();
            with_session(asked, session, era, Reply::json(status, bytes))
        }
        Answer { status, body: AnswerBody::Stream(mut events), .. } => {
            call.answered(status);
            let (early, era) = read_answer(asked, &mut events).await;
            let request = Some((asked.request.id.to_id(), call));
            let relay = Relay {
                visit: Arc::clone(asked.visit),
                found,
                passage,
                carrier,
                permit,
                request,
                events,
                early,
                entry: None,
            };
            with_session(asked, session, era, Reply::events(relay.into_pieces()))
        }
        Answer { body: AnswerBody::Empty, .. } => {
            let error = UpstreamError::Invalid("it is empty");
            Err(fail(&mut call, &error).await)
        }
    }
}

/// The answer of a server that is not there, as it was last known: a client that cannot connect would give up all of
/// the server until somebody restarts it. What it calls is refused until the server is back, and opens the session then.
async fn away(
    asked: &Asked<'_>,
    server: &CatalogueServer,
    params: Bytes,
    (refusal, error): (Refusal, &UpstreamError),
) -> Result<Reply, Refusal> {
    let is_away = matches!(
        error,
        UpstreamError::Unreachable(_)
            | UpstreamError::BackingOff
            | UpstreamError::Timeout(_)
            | UpstreamError::Cut
            | UpstreamError::Failed(_)
    );
    let unrecorded = refusal.code == GatewayError::AuditUnavailable.code();
    if unrecorded || !is_away || server.hello.is_none() {
        return Err(refusal);
    }
    let legacy = || eras(server).filter(|era| !era.is_modern());
    let own = legacy().find(|era| *era == asked.era);
    let era = own.or_else(|| legacy().max()).unwrap_or(asked.era);
    let result = last_known(server, era)?;
    // A child starts when it is next asked, with the same parameters. Over HTTP the server has given no session id that
    // could be sealed, so the session is one that this gateway keeps.
    let kind = match server.server.transport {
        Transport::Stdio { .. } => SessionKind::Own { upstream: None },
        Transport::Http { .. } => SessionKind::Ours,
    };
    let session = Session::new(asked.visit, era, kind, params);
    let id = sealed(asked, &session)?;
    local::record(asked.visit, &asked.facts()).await?;
    Ok(Reply::ok(result_response(asked.request.id, &result)).with_session(id))
}

/// The `InitializeResult` that a legacy server gave when it was last asked, for another revision.
fn last_known(server: &CatalogueServer, era: Era) -> Result<Vec<u8>, Refusal> {
    let hello = hello(server)?;
    if is_discover(hello) {
        return of_server(server, era);
    }
    let unreadable = || crate::complete::invalid("its description of itself cannot be read");
    let object = hello.object().map_err(|_| unreadable())?;
    let mut patch = ObjectPatch::new();
    patch.set_string("protocolVersion", era.as_str());
    let mut edits = Edits::new();
    patch.edit(&object, &mut edits);
    edits.apply(hello.as_bytes()).map_err(|_| unreadable())
}

/// Reads events up to the answer, whose era the session id has to hold; the relay repeats them.
async fn read_answer(asked: &Asked<'_>, events: &mut EventStream) -> (VecDeque<Event>, Option<Era>) {
    let mut early = VecDeque::new();
    while early.len() < MAX_EARLY {
        // An error or the end comes again when the relay reads on.
        let Some(Ok(event)) = events.next().await else { break };
        let era = event.data.as_ref().and_then(|data| era_of(asked, data));
        let answered = era.is_some();
        early.push_back(event);
        if answered {
            return (early, era);
        }
    }
    (early, None)
}

/// The era that an `InitializeResult` names; none if it is an error or something else.
fn era_of(asked: &Asked<'_>, body: &[u8]) -> Option<Era> {
    let Ok(Frame::Answer(answer)) = bailiwick_mcp::frame(body, &frame_limits(asked.visit)) else {
        return None;
    };
    let version = answer.result()?.member("protocolVersion").ok()??.string()?;
    Era::parse(&version).filter(|era| era.is_supported() && !era.is_modern()).or(Some(Era::V2025_03_26))
}

fn with_session(
    asked: &Asked<'_>,
    session: Session,
    era: Option<Era>,
    reply: Reply,
) -> Result<Reply, Refusal> {
    match era {
        Some(era) => Ok(reply.with_session(sealed(asked, &Session { era, ..session })?)),
        None => Ok(reply),
    }
}

fn sealed(asked: &Asked<'_>, session: &Session) -> Result<HeaderValue, Refusal> {
    asked
        .visit
        .gateway
        .sessions
        .seal(asked.visit, session)
        .ok_or_else(|| bad_request("The client's capabilities are too large to keep in a session"))
}

/// `server/discover`.
pub(crate) async fn discover(asked: &Asked<'_>) -> Result<Reply, Refusal> {
    let result = match &asked.visit.place.server {
        Some(server) => discovered(server)?,
        None => aggregate_discover(asked),
    };
    local::record(asked.visit, &asked.facts()).await?;
    Ok(Reply::ok(result_response(asked.request.id, &result)))
}

fn hello(server: &CatalogueServer) -> Result<Raw<'_>, Refusal> {
    let undiscovered = || {
        GatewayError::UpstreamUnreachable.refusal(
            "The server has not answered since it was registered, so nothing is known of it yet.",
            &[],
        )
    };
    server.hello.as_deref().map(|raw| Raw::new(raw.get())).ok_or_else(undiscovered)
}

/// A server's discovery result with what the gateway speaks for it; nothing of it is for shared caches.
fn discovered(server: &CatalogueServer) -> Result<Vec<u8>, Refusal> {
    let hello = hello(server)?;
    let unreadable = |_| crate::complete::invalid("its description of itself cannot be read");
    if !is_discover(hello) {
        return discover_from_initialize(hello, &Era::SUPPORTED).map_err(unreadable);
    }
    let object = hello.object().map_err(unreadable)?;
    let mut patch = Patch::new().body;
    patch.set("supportedVersions", versions()).set("cacheScope", &b"\"private\""[..]);
    let mut edits = Edits::new();
    patch.edit(&object, &mut edits);
    edits.apply(hello.as_bytes()).map_err(|_| crate::complete::invalid("its description cannot be read"))
}

fn is_discover(hello: Raw<'_>) -> bool {
    matches!(hello.member("supportedVersions"), Ok(Some(_)))
}

fn of_server(server: &CatalogueServer, era: Era) -> Result<Vec<u8>, Refusal> {
    initialize_from_discover(hello(server)?, era, server.server.name.as_str())
        .map_err(|_| crate::complete::invalid("its description of itself cannot be read"))
}

fn versions() -> Vec<u8> {
    let quoted: Vec<String> = Era::SUPPORTED.iter().map(|era| format!("\"{era}\"")).collect();
    format!("[{}]", quoted.join(",")).into_bytes()
}

/// What an aggregate offers. Lists change with grants, so all of them announce changes.
const CAPABILITIES: &str = r#"{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"listChanged":true},"completions":{}}"#;

fn server_info() -> String {
    format!(r#"{{"name":"bailiwick","title":"Bailiwick","version":"{}"}}"#, env!("CARGO_PKG_VERSION"))
}

fn of_aggregate(asked: &Asked<'_>, era: Era) -> Vec<u8> {
    let mut instructions = Vec::new();
    bailiwick_mcp::json::write_string(&mut instructions, &instructions_for(asked));
    let mut out = format!(
        r#"{{"protocolVersion":"{era}","capabilities":{CAPABILITIES},"serverInfo":{},"instructions":"#,
        server_info()
    )
    .into_bytes();
    out.extend_from_slice(&instructions);
    out.push(b'}');
    out
}

fn aggregate_discover(asked: &Asked<'_>) -> Vec<u8> {
    let mut out = br#"{"resultType":"complete","supportedVersions":"#.to_vec();
    out.extend_from_slice(&versions());
    let rest = format!(
        r#","capabilities":{CAPABILITIES},"ttlMs":{TTL_MS},"cacheScope":"private","_meta":{{"io.modelcontextprotocol/serverInfo":{}}},"instructions":"#,
        server_info()
    );
    out.extend_from_slice(rest.as_bytes());
    bailiwick_mcp::json::write_string(&mut out, &instructions_for(asked));
    out.push(b'}');
    out
}

fn instructions_for(asked: &Asked<'_>) -> String {
    let what = match asked.visit.place.key {
        crate::place::PlaceKey::Toolset(_) => "a toolset",
        _ => "all servers that you may use",
    };
    format!(
        "This endpoint serves {what}. Names of tools and prompts begin with the name of their server and two underscores."
    )
}
