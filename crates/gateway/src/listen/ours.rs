//! Streams that the gateway itself feeds: what changed in what this caller may see.

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
/// Most resources of one subscription.
const MAX_RESOURCES: usize = 1_000;

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
}

impl Wanted {
    /// All changes of lists.
    pub(crate) const fn all(subscription: Option<Id>) -> Self {
        Self { subscription, tools: true, prompts: true, resource_lists: true, resources: Vec::new() }
    }

    /// The filter of a listen request (spec 2026-07-28 basic/patterns/subscriptions).
    pub(crate) fn read(asked: &Asked<'_>) -> Result<Self, Refusal> {
        let invalid = || Refusal::invalid_params("params.notifications is missing or not a filter");
        let filter = asked.request.param("notifications").ok_or_else(invalid)?;
        let filter = filter.object().map_err(|_| invalid())?;
        let flag = |name| filter.get(name).and_then(|raw| raw.boolean()).unwrap_or(false);
        let resources = match filter.get("resourceSubscriptions") {
            Some(list) => list.items().map_err(|_| invalid())?,
            None => Vec::new(),
        };
        if resources.len() > MAX_RESOURCES {
            return Err(Refusal::invalid_params("Too many resourceSubscriptions; at most 1000"));
        }
        let resources = resources
            .iter()
            .map(|raw| raw.string().map(std::borrow::Cow::into_owned).ok_or_else(invalid))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            subscription: Some(asked.request.id.to_id()),
            tools: flag("toolsListChanged"),
            prompts: flag("promptsListChanged"),
            resource_lists: flag("resourcesListChanged"),
            resources,
        })
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
    let seen = listings(visit);
    let mut snapshots = visit.gateway.parts.snapshot.clone();
    snapshots.mark_changed();
    let feed = Feed {
        visit: Arc::clone(visit),
        wanted,
        end: StreamEnd::new(visit, None),
        snapshots,
        seen,
        begun: false,
        over: false,
        _slot: slot,
    };
    Box::pin(futures_util::stream::unfold(feed, |mut feed| async move {
        let piece = feed.next_piece().await?;
        Some((piece, feed))
    }))
}

/// A stream that keeps its slot until it ends.
pub(crate) fn holding(pieces: Pieces, slot: OwnedSemaphorePermit) -> Pieces {
    Box::pin(pieces.map(move |piece| {
        let _held = &slot;
        piece
    }))
}

fn listings(visit: &Visit) -> Vec<Arc<Listing>> {
    DefinitionKind::ALL.iter().map(|kind| visit.gateway.lists.get(visit, *kind)).collect()
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
        let id = self.wanted.subscription.as_ref()?;
        let result = format!(
            "{{\"resultType\":\"complete\",\"_meta\":{{\"{}\":{}}}}}",
            meta::SUBSCRIPTION_ID,
            id.as_str()
        );
        Some(event(&result_response(id.as_raw(), result.as_bytes())))
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
