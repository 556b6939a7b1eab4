//! The ids of one shared link to a server: a stdio child or a pooled session.
//!
//! Several clients share such a link, and each chooses its own JSON-RPC ids and progress tokens. So the room gives every
//! request a number of its own and maps it back: no mix of client ids can deliver another client's answer (CVE-2026-111770).
//! Requests of the server get numbers too, and only the client session that was asked may answer one.
//! Pure: no I/O. Called by the stdio link and by pooled HTTP sessions.

use std::collections::{BTreeMap, HashMap};

use bailiwick_mcp::envelope::Id;
use bailiwick_mcp::frame::{FrameNotification, FrameRequest};
use bailiwick_mcp::headers::meta;
use bailiwick_mcp::json::Raw;
use bailiwick_mcp::{Answer, Frame, Limits, Method, Patch, RawId, frame};
use bytes::Bytes;
use parking_lot::Mutex;

use crate::UpstreamError;

/// Most requests under way on one link, and most unanswered requests of its server.
const MOST: usize = 4_096;

/// The ids of one link.
#[derive(Debug, Default)]
pub(crate) struct Exchange(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    pending: HashMap<u64, Pending>,
    questions: BTreeMap<u64, Question>,
}

/// A request of a client that is under way.
#[derive(Debug, Clone)]
struct Pending {
    client: u128,
    id: Id,
    token: Option<Box<str>>,
    listens: bool,
    /// Its client has told the server that it is not wanted any more.
    cancelled: bool,
}

/// A request of the server that a client was asked to answer.
#[derive(Debug)]
struct Question {
    client: u128,
    id: Id,
}

/// What a message of the server is, translated for its reader.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inbound<'a> {
    /// The answer to the request of this number, which is finished.
    Final(u64, Bytes),
    /// A notification that belongs to the request of this number.
    About(u64, Bytes),
    /// A request: [`Exchange::ask`] translates it for the client that it goes to.
    Asks(FrameRequest<'a>),
    /// The server takes one of its requests back, which went to this client session.
    TakenBack(u128, Bytes),
    /// A notification that belongs to no request.
    Loose(FrameNotification<'a>),
    /// Nobody waits for it.
    Stray,
}

impl Exchange {
    /// Takes a client's request: its number on this link, and the message with it.
    pub(crate) fn begin(&self, client: u128, body: &[u8]) -> Result<(u64, Bytes), UpstreamError> {
        let Frame::Request(request) = ours(body)? else {
            return Err(UpstreamError::Request("it is no request"));
        };
        let mut inner = self.0.lock();
        if inner.pending.len() >= MOST {
            return Err(UpstreamError::Overloaded);
        }
        inner.last += 1;
        let number = inner.last;
        let digits = number.to_string();
        let mut patch = Patch::new();
        patch.id = Some(digits.as_str().into());
        let token = progress_token(&request);
        if token.is_some() {
            patch.meta.set(meta::PROGRESS_TOKEN, digits.as_bytes());
        }
        let body = patch.apply(&request).map_err(|_| UpstreamError::Request("its inside cannot be read"))?;
        let listens = request.method == Method::SubscriptionsListen.as_str();
        let id = request.id.to_id();
        inner.pending.insert(number, Pending { client, id, token, listens, cancelled: false });
        Ok((number, body.into()))
    }

    /// Lets a request's number go. Whether the server has to hear that nobody waits for its answer: not if it came
    /// before, nor if the client has said so.
    pub(crate) fn end(&self, number: u64) -> bool {
        self.0.lock().pending.remove(&number).is_some_and(|pending| !pending.cancelled)
    }

    /// Sorts a message of the server, and translates what belongs to a request.
    pub(crate) fn sort<'a>(&self, frame: Frame<'a>) -> Result<Inbound<'a>, UpstreamError> {
        Ok(match frame {
            Frame::Answer(answer) => self.answer(&answer)?,
            Frame::Request(request) => Inbound::Asks(request),
            Frame::Notification(notification) => self.notification(notification)?,
        })
    }

    fn answer(&self, answer: &Answer<'_>) -> Result<Inbound<'static>, UpstreamError> {
        let number = answer.id.and_then(|id| id.as_u64());
        let pending = number.and_then(|number| self.0.lock().pending.remove(&number));
        let (Some(number), Some(pending)) = (number, pending) else { return Ok(Inbound::Stray) };
        let mut patch = Patch::new().with_id(pending.id.as_raw());
        if pending.listens && answer.result().is_some() {
            patch.meta.set(meta::SUBSCRIPTION_ID, pending.id.as_str().as_bytes());
        }
        Ok(Inbound::Final(number, patched(&patch, answer)?))
    }

    fn notification<'a>(&self, told: FrameNotification<'a>) -> Result<Inbound<'a>, UpstreamError> {
        let member = |name| told.params.and_then(|params| params.member(name).ok().flatten());
        match Method::parse(&told.method) {
            Method::Progress => {
                let Some((number, pending)) = self.pending(member("progressToken")) else {
                    return Ok(Inbound::Stray);
                };
                let Some(token) = pending.token else { return Ok(Inbound::Stray) };
                let mut patch = Patch::new();
                patch.body.set("progressToken", token.as_bytes());
                Ok(Inbound::About(number, patched(&patch, &told)?))
            }
            Method::Cancelled => {
                let Some((number, client)) = self.question(member("requestId")) else {
                    return Ok(Inbound::Stray);
                };
                let mut patch = Patch::new();
                patch.body.set("requestId", number.to_string().into_bytes());
                Ok(Inbound::TakenBack(client, patched(&patch, &told)?))
            }
            _ => self.subscribed(told),
        }
    }

    /// A notification of a listen stream names it in `_meta` (spec 2026-07-28 basic/patterns/subscriptions).
    fn subscribed<'a>(&self, told: FrameNotification<'a>) -> Result<Inbound<'a>, UpstreamError> {
        let inner = |name| told.params.and_then(|params| params.member(name).ok().flatten());
        let id = inner("_meta").and_then(|meta| meta.member(meta::SUBSCRIPTION_ID).ok().flatten());
        if id.is_none() {
            return Ok(Inbound::Loose(told));
        }
        let Some((number, pending)) = self.pending(id).filter(|(_, pending)| pending.listens) else {
            return Ok(Inbound::Stray);
        };
        let mut patch = Patch::new();
        patch.meta.set(meta::SUBSCRIPTION_ID, pending.id.as_str().as_bytes());
        Ok(Inbound::About(number, patched(&patch, &told)?))
    }

    /// The request that goes by this number. A server may turn our number into a string.
    fn pending(&self, number: Option<Raw<'_>>) -> Option<(u64, Pending)> {
        let number = number?;
        let number: u64 = number.string().as_deref().unwrap_or(number.as_str()).parse().ok()?;
        self.0.lock().pending.get(&number).map(|pending| (number, pending.clone()))
    }

    fn question(&self, id: Option<Raw<'_>>) -> Option<(u64, u128)> {
        let id = RawId::new(id?.as_str())?;
        let inner = self.0.lock();
        inner
            .questions
            .iter()
            .find(|(_, asked)| asked.id.as_raw().same(&id))
            .map(|(number, asked)| (*number, asked.client))
    }

    /// Translates a request of the server for the client session that shall answer it. Of too many unanswered ones the
    /// oldest is forgotten: a server that asks and asks shall not silence itself for good.
    pub(crate) fn ask(&self, client: u128, request: &FrameRequest<'_>) -> Result<Bytes, UpstreamError> {
        let mut inner = self.0.lock();
        if inner.questions.len() >= MOST {
            inner.questions.pop_first();
        }
        inner.last += 1;
        let number = inner.last;
        let id = Id::number(number);
        let body = patched(&Patch::new().with_id(id.as_raw()), request)?;
        inner.questions.insert(number, Question { client, id: request.id.to_id() });
        Ok(body)
    }

    /// Translates a client's response; none unless it answers a request that this very client session was sent.
    pub(crate) fn respond(&self, client: u128, body: &[u8]) -> Result<Option<Bytes>, UpstreamError> {
        let Frame::Answer(answer) = ours(body)? else {
            return Err(UpstreamError::Request("it is no response"));
        };
        let Some(number) = answer.id.and_then(|id| id.as_u64()) else { return Ok(None) };
        let mut inner = self.0.lock();
        if inner.questions.get(&number).is_none_or(|asked| asked.client != client) {
            return Ok(None);
        }
        let Some(asked) = inner.questions.remove(&number) else { return Ok(None) };
        Patch::new()
            .with_id(asked.id.as_raw())
            .apply(&answer)
            .map(|body| Some(body.into()))
            .map_err(unreadable)
    }

    /// Translates a client's notification; none if it is about nothing that goes on here.
    pub(crate) fn tell(&self, client: u128, body: &Bytes) -> Result<Option<Bytes>, UpstreamError> {
        let Frame::Notification(told) = ours(body)? else {
            return Err(UpstreamError::Request("it is no notification"));
        };
        match Method::parse(&told.method) {
            // The link was opened by the room, which said so itself.
            Method::Initialized => Ok(None),
            Method::Cancelled => {
                let id = told.params.and_then(|params| params.member("requestId").ok().flatten());
                let Some(number) = id.and_then(|id| self.cancel(client, id)) else { return Ok(None) };
                let mut patch = Patch::new();
                patch.body.set("requestId", number.to_string().into_bytes());
                patch.apply(&told).map(|body| Some(body.into())).map_err(unreadable)
            }
            _ => Ok(Some(body.clone())),
        }
    }

    /// Marks a client's request as cancelled; its number.
    fn cancel(&self, client: u128, id: Raw<'_>) -> Option<u64> {
        let id = RawId::new(id.as_str())?;
        let mut inner = self.0.lock();
        let mut pending = inner.pending.iter_mut();
        let (number, pending) =
            pending.find(|(_, pending)| pending.client == client && pending.id.as_raw().same(&id))?;
        pending.cancelled = true;
        Some(*number)
    }

    /// Forgets what a client session was asked.
    pub(crate) fn forget(&self, client: u128) {
        self.0.lock().questions.retain(|_, asked| asked.client != client);
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.lock().pending.is_empty()
    }
}

/// The framing of a message that our own side made or has checked.
fn ours(body: &[u8]) -> Result<Frame<'_>, UpstreamError> {
    let limits = Limits { max_bytes: usize::MAX, max_depth: u8::MAX, max_id_bytes: usize::MAX, max_batch: 0 };
    frame(body, &limits).map_err(|_| UpstreamError::Request("it is no JSON-RPC message"))
}

fn progress_token(request: &FrameRequest<'_>) -> Option<Box<str>> {
    let meta = request.params?.member("_meta").ok()??;
    let token = meta.member(meta::PROGRESS_TOKEN).ok()??;
    Some(token.as_str().into())
}

fn patched(
    patch: &Patch<'_>,
    message: &impl bailiwick_mcp::splice::Editable,
) -> Result<Bytes, UpstreamError> {
    patch.apply(message).map(Bytes::from).map_err(|_| UpstreamError::Invalid("its inside cannot be read"))
}

fn unreadable(_: bailiwick_mcp::splice::SpliceError) -> UpstreamError {
    UpstreamError::Request("its inside cannot be read")
}

#[cfg(test)]
mod tests;
