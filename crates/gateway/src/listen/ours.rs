//! Streams that the gateway itself feeds: what changed in what this caller may see.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_mcp::envelope::Id;
use bailiwick_mcp::error::{call, result_response};
use bailiwick_mcp::headers::meta;
use bailiwick_mcp::sse::{Outgoing, encode, encode_comment};
use bailiwick_mcp::{Method, Refusal};
use bailiwick_model::definition::DefinitionKind;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::OwnedSemaphorePermit;

use crate::body::Pieces;
use crate::dispatch::Asked;
use crate::endpoint::Endpoint;
use crate::lists::Listing;
use crate::place::Place;
use crate::stream_end::StreamEnd;
use crate::visit::Visit;

/// How often an idle stream is given a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// Most resources, and most tasks, of one subscription.
const MAX_FOLLOWED: usize = 1_000;

/// What a client wants to hear of.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The listen request's id; none on a GET stream.
    subscription: Option<Id>,
    tools: bool,
    prompts: bool,
    resource_lists: bool,
    /// Resources to follow.
    pub(crate) resources: Vec<String>,
    /// Tasks to follow (SEP-2663), by the ids that the client knows.
    pub(crate) tasks: Vec<String>,
}

impl Wanted {
    /// All changes of lists.
    pub(crate) const fn all(subscription: Option<Id>) -> Self {
        Self {
            subscription,
            tools: true,
            prompts: true,
            resource_lists: true,
            resources: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// The filter of a listen request (spec 2026-07-28 basic/patterns/subscriptions).
    pub(crate) fn read(asked: &Asked<'_>) -> Result<Self, Refusal> {
        let invalid = || Refusal::invalid_params("params.notifications is missing or not a filter");
        let filter = asked.request.param("notifications").ok_or_else(invalid)?;
        let filter = filter.object().map_err(|_| invalid())?;
        let flag = |name| filter.get(name).and_then(|raw| raw.boolean()).unwrap_or(false);
        let texts = |name| -> Result<Vec<String>, Refusal> {
            let Some(list) = filter.get(name) else { return Ok(Vec::new()) };
            let list = list.items().map_err(|_| invalid())?;
            if list.len() > MAX_FOLLOWED {
                return Err(Refusal::invalid_params(format!("Too many {name}; at most {MAX_FOLLOWED}")));
            }
            list.iter().map(|raw| raw.string().map(Cow::into_owned).ok_or_else(invalid)).collect()
        };
        Ok(Self {
            subscription: Some(asked.request.id.to_id()),
            tools: flag("toolsListChanged"),
            prompts: flag("promptsListChanged"),
            resource_lists: flag("resourcesListChanged"),
            resources: texts("resourceSubscriptions")?,
            tasks: texts("taskIds")?,
        })
    }

    /// Without the changes that the visit's server does not announce: its clients do not expect them.
    fn announced(self, visit: &Visit) -> Self {
        let hello = visit.place.server.as_ref().and_then(|server| server.hello.as_deref());
        let announces = |what: &str| -> Option<bool> {
            let capabilities = bailiwick_mcp::member(hello?.get(), "capabilities").ok()??;
            capabilities.member(what).ok()??.member("listChanged").ok()??.boolean()
        };
        Self {
            tools: self.tools && announces("tools") == Some(true),
            prompts: self.prompts && announces("prompts") == Some(true),
            resource_lists: self.resource_lists && announces("resources") == Some(true),
            ..self
        }
    }

    fn wants(&self, kind: DefinitionKind) -> Option<Method> {
        match kind {
            DefinitionKind::Tool => self.tools.then_some(Method::ToolsListChanged),
            DefinitionKind::Prompt => self.prompts.then_some(Method::PromptsListChanged),
            DefinitionKind::Resource | DefinitionKind::ResourceTemplate => {
                self.resource_lists.then_some(Method::ResourcesListChanged)
            }
        }
    }

    /// The first message of a listen stream: what of the filter is honoured.
    fn acknowledged(&self) -> Option<Bytes> {
        let id = self.subscription.as_ref()?;
        let mut honoured = Vec::new();
        for (name, on) in [
            ("toolsListChanged", self.tools),
            ("promptsListChanged", self.prompts),
            ("resourcesListChanged", self.resource_lists),
        ] {
            if on {
                honoured.push(format!("\"{name}\":true"));
            }
        }
        let more = format!(",\"notifications\":{{{}}}", honoured.join(","));
        Some(event(&notification(Method::SubscriptionsAcknowledged, Some(id), &more)))
    }
}

/// A server's own stream, and beside it what the server cannot know: that this caller sees more or less now,
/// and that the gateway has read a changed list anew.
struct Beside {
    server: Pieces,
    feed: Feed,
    /// The first word on a listen stream is the server's acknowledgement.
    begun: bool,
}

struct Feed {
    visit: Arc<Visit>,
    wanted: Wanted,
    end: StreamEnd,
    snapshots: tokio::sync::watch::Receiver<Arc<bailiwick_policy::Snapshot>>,
    seen: Vec<Arc<Listing>>,
    begun: bool,
    over: bool,
    _slot: OwnedSemaphorePermit,
}

/// A stream of changes of what the visit's caller sees.
pub(crate) fn stream(visit: &Arc<Visit>, wanted: Wanted, slot: OwnedSemaphorePermit) -> Pieces {
    let feed = feed(visit, wanted, slot);
    Box::pin(futures_util::stream::unfold(feed, |mut feed| async move {
        let piece = feed.next_piece().await?;
        Some((piece, feed))
    }))
}

/// A server's stream with the changes of what the visit's caller sees of that server; it ends with the server's.
pub(crate) fn beside(
    server: Pieces,
    visit: &Arc<Visit>,
    wanted: Wanted,
    slot: OwnedSemaphorePermit,
) -> Pieces {
    let begun = wanted.subscription.is_none();
    let beside = Beside { server, feed: feed(visit, wanted.announced(visit), slot), begun };
    Box::pin(futures_util::stream::unfold(beside, |mut beside| async move {
        let piece = beside.next_piece().await?;
        Some((piece, beside))
    }))
}

fn feed(visit: &Arc<Visit>, wanted: Wanted, slot: OwnedSemaphorePermit) -> Feed {
    let seen = listings(visit);
    let mut snapshots = visit.gateway.parts.snapshot.clone();
    snapshots.mark_changed();
    Feed {
        visit: Arc::clone(visit),
        wanted,
        end: StreamEnd::new(visit, None),
        snapshots,
        seen,
        begun: false,
        over: false,
        _slot: slot,
    }
}

fn listings(visit: &Visit) -> Vec<Arc<Listing>> {
    DefinitionKind::ALL.iter().map(|kind| visit.gateway.lists.get(visit, *kind)).collect()
}

impl Beside {
    async fn next_piece(&mut self) -> Option<Bytes> {
        loop {
            tokio::select! {
                biased;
                piece = self.server.next() => {
                    self.begun = true;
                    return piece;
                }
                changed = self.feed.snapshots.changed(), if self.begun => {
                    changed.ok()?;
                    if let Some(told) = self.feed.changes() {
                        return Some(told);
                    }
                }
            }
        }
    }
}

impl Feed {
    async fn next_piece(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            return Some(self.wanted.acknowledged().unwrap_or_else(comment));
        }
        while !self.over {
            let stopping = self.visit.gateway.parts.tasks.stop_token();
            tokio::select! {
                biased;
                () = self.end.revoked() => return self.finish(),
                () = stopping.cancelled() => return self.finish(),
                changed = self.snapshots.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                    if let Some(told) = self.changes() {
                        return Some(told);
                    }
                }
                () = tokio::time::sleep(SIGN_OF_LIFE) => return Some(comment()),
            }
        }
        None
    }

    /// The graceful end of a listen stream (spec "Graceful Closure").
    fn finish(&mut self) -> Option<Bytes> {
        self.over = true;
        self.wanted.subscription.as_ref().map(|id| event(&graceful_end(id)))
    }

    fn changes(&mut self) -> Option<Bytes> {
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        let endpoint = Endpoint::parse(&self.visit.path)?;
        let place = Place::find(&self.visit.gateway, &snapshot, endpoint)?;
        let now = Visit {
            gateway: Arc::clone(&self.visit.gateway),
            snapshot,
            caller: self.visit.caller.clone(),
            place,
            path: self.visit.path.clone(),
            now: self.visit.gateway.parts.clock.now(),
            started: self.visit.gateway.parts.clock.monotonic(),
        };
        let new = listings(&now);
        let mut told: Vec<Method> = Vec::new();
        for (kind, (old, new)) in DefinitionKind::ALL.iter().zip(self.seen.iter().zip(&new)) {
            if let Some(method) = self.wanted.wants(*kind)
                && !old.same_content(new)
                && !told.contains(&method)
            {
                told.push(method);
            }
        }
        self.seen = new;
        let subscription = self.wanted.subscription.as_ref();
        let events: Vec<u8> =
            told.into_iter().flat_map(|method| event(&notification(method, subscription, ""))).collect();
        if events.is_empty() { None } else { Some(events.into()) }
    }
}

/// The result that ends a listen stream (spec 2026-07-28 basic/patterns/subscriptions "Graceful Closure").
pub(crate) fn graceful_end(id: &Id) -> Bytes {
    let result = format!(
        "{{\"resultType\":\"complete\",\"_meta\":{{\"{}\":{}}}}}",
        meta::SUBSCRIPTION_ID,
        id.as_str()
    );
    result_response(id.as_raw(), result.as_bytes()).into()
}

fn notification(method: Method, subscription: Option<&Id>, more: &str) -> Vec<u8> {
    match subscription {
        Some(id) => {
            let params = format!("{{\"_meta\":{{\"{}\":{}}}{more}}}", meta::SUBSCRIPTION_ID, id.as_str());
            call(None, method.as_str(), Some(params.as_bytes()))
        }
        None => call(None, method.as_str(), None),
    }
}

fn event(message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(message.len() + 16);
    encode(&Outgoing { data: Some(message), ..Outgoing::default() }, &mut out);
    out.into()
}

fn comment() -> Bytes {
    let mut out = Vec::new();
    encode_comment("", &mut out);
    out.into()
}
