//! What may pass from a server's answer to its reader: the check of every message, and its translation where a session
//! is shared.

use std::sync::Arc;

use bailiwick_mcp::envelope::Id;
use bailiwick_mcp::error::error_response;
use bailiwick_mcp::frame::Spots;
use bailiwick_mcp::{Era, Frame, Method, Outcome, RawId};
use bytes::Bytes;

use super::Wire;
use super::pool::Session;
use crate::UpstreamError;
use crate::exchange::Inbound;

/// Which messages may pass.
#[derive(Debug)]
pub(super) enum Passage {
    /// A notification or response was sent: no message is expected.
    Told,
    /// The client's own: ids are its own. With an id, only the answer to it may pass; without (GET stream), any, since
    /// all of the session is the client's.
    Direct { id: Option<Id>, era: Era, listens: bool },
    /// A pooled session.
    Shared(SharedPassage),
}

/// A client's part of a pooled session.
#[derive(Debug)]
pub(super) struct SharedPassage {
    session: Arc<Session>,
    wire: Arc<Wire>,
    client: u128,
    number: u64,
}

/// A message that passed.
#[derive(Debug)]
pub(super) struct Passed {
    /// The message for the reader; none if it was dropped.
    pub(super) body: Option<Bytes>,
    /// Whether it is the answer, after which nothing is expected.
    pub(super) last: bool,
    /// Where its parts stand, if that is known.
    pub(super) spots: Option<Spots>,
}

impl Passed {
    const DROPPED: Self = Self { body: None, last: false, spots: None };

    fn on(body: Option<Bytes>, last: bool) -> Self {
        Self { body, last, spots: None }
    }
}

impl Passage {
    pub(super) fn direct(id: Option<RawId<'_>>, era: Era) -> Self {
        Self::Direct { id: id.map(|id| id.to_id()), era, listens: id.is_none() }
    }

    /// For `subscriptions/listen`.
    pub(super) fn listening(id: RawId<'_>, era: Era) -> Self {
        Self::Direct { id: Some(id.to_id()), era, listens: true }
    }

    /// The headers with which a stream that ended before its answer is taken up again: on a pooled session that is this
    /// room's duty, elsewhere the client's.
    pub(super) fn resumption(&self, wire: &Wire) -> Option<http::HeaderMap> {
        match self {
            Self::Shared(shared) => Some(shared.session.headers(wire)),
            _ => None,
        }
    }

    /// Whether nothing may happen for as long as the server likes.
    pub(super) fn is_patient(&self) -> bool {
        match self {
            Self::Told => false,
            Self::Direct { listens, .. } => *listens,
            Self::Shared(_) => false,
        }
    }

    pub(super) fn shared(session: &Arc<Session>, wire: &Arc<Wire>, client: u128, number: u64) -> Self {
        Self::Shared(SharedPassage { session: Arc::clone(session), wire: Arc::clone(wire), client, number })
    }

    /// Whether batches may come.
    pub(super) fn era(&self) -> Option<Era> {
        match self {
            Self::Told => None,
            Self::Direct { era, .. } => Some(*era),
            Self::Shared(shared) => Some(shared.session.era),
        }
    }

    /// Whether a stream that ends without an answer is broken. In legacy eras it may be resumed.
    pub(super) fn must_answer(&self) -> bool {
        match self {
            Self::Told => false,
            Self::Direct { id, era, .. } => id.is_some() && !era.resumes_streams(),
            Self::Shared(_) => true,
        }
    }

    /// Whether it is for one request, so that what it may carry is bounded.
    pub(super) fn answers_one(&self) -> bool {
        match self {
            Self::Told => true,
            Self::Direct { listens, .. } => !listens,
            Self::Shared(_) => true,
        }
    }

    /// Judges one message; `whole` is the message as it came, if it is the only one.
    pub(super) fn judge(
        &self,
        frame: Frame<'_>,
        whole: Option<&Bytes>,
        wire: &Wire,
    ) -> Result<Passed, UpstreamError> {
        if let Frame::Notification(told) = &frame {
            wire.shared.heard(Method::parse(&told.method));
        }
        match self {
            Self::Told => Ok(Passed::DROPPED),
            Self::Direct { id, era, .. } => direct(id.as_ref(), *era, &frame, whole, wire),
            Self::Shared(shared) => shared.judge(frame, wire),
        }
    }
}

fn direct(
    id: Option<&Id>,
    era: Era,
    frame: &Frame<'_>,
    whole: Option<&Bytes>,
    wire: &Wire,
) -> Result<Passed, UpstreamError> {
    let as_it_came = |raw: &[u8]| Some(whole.cloned().unwrap_or_else(|| Bytes::copy_from_slice(raw)));
    match (frame, id) {
        (Frame::Answer(answer), Some(id)) => match (answer.id, answer.outcome) {
            (Some(theirs), _) if theirs.same(&id.as_raw()) => {
                let spots = whole.and_then(|whole| answer.spots(whole));
                Ok(Passed { body: as_it_came(answer.raw()), last: true, spots })
            }
            // An error that came too early for the server to know the id still is the answer to this request.
            (None, Outcome::Error(error)) => {
                let data = error.data().map(|data| data.as_bytes());
                let body = error_response(Some(id.as_raw()), error.code(), &error.message(), data);
                Ok(Passed::on(Some(body.into()), true))
            }
            _ => {
                wire.shared.stray();
                Ok(Passed::DROPPED)
            }
        },
        (Frame::Answer(answer), None) => Ok(Passed::on(as_it_came(answer.raw()), false)),
        // Modern servers ask by `input_required` only (SEP-2322); a request here would reach a client that cannot answer.
        (Frame::Request(_), _) if era.is_modern() => {
            wire.shared.stray();
            Ok(Passed::DROPPED)
        }
        (Frame::Request(request), _) => Ok(Passed::on(as_it_came(request.raw()), false)),
        (Frame::Notification(told), _) => Ok(Passed::on(as_it_came(told.raw()), false)),
    }
}

impl SharedPassage {
    fn judge(&self, frame: Frame<'_>, wire: &Wire) -> Result<Passed, UpstreamError> {
        let pass = |body| Ok(Passed::on(Some(body), false));
        match self.session.exchange.sort(frame)? {
            Inbound::Final(number, body) if number == self.number => Ok(Passed::on(Some(body), true)),
            Inbound::About(number, body) if number == self.number => pass(body),
            Inbound::Asks(request) => pass(self.session.exchange.ask(self.client, &request)?),
            Inbound::TakenBack(client, body) if client == self.client => pass(body),
            Inbound::Loose(told) => pass(Bytes::copy_from_slice(told.raw())),
            _ => {
                wire.shared.stray();
                Ok(Passed::DROPPED)
            }
        }
    }
}

impl Drop for SharedPassage {
    /// A request that is given up before its answer is cancelled; on a pooled session closing the stream is not enough.
    fn drop(&mut self) {
        if !self.session.exchange.end(self.number) {
            return;
        }
        let (session, wire) = (Arc::clone(&self.session), Arc::clone(&self.wire));
        let body = crate::wire::cancelled(self.number);
        self.wire.shared.parts.tasks.spawn_until_stop("cancel", async move {
            if let Err(error) = wire.post(session.headers(&wire), body).await {
                tracing::debug!(%error, "a cancellation was not taken");
            }
        });
    }
}
