//! A call between its two records: the intent is in the ledger before this exists, and exactly one outcome
//! follows, whatever happens; a call that is dropped half-way closes itself with the reason.

use std::sync::Arc;

use bailiwick_mcp::{GatewayError, Refusal};
use bailiwick_model::body_key::BodyPart;
use bailiwick_model::record::{Intent, Outcome, Secrets, Status, Timing, Upstream};
use bailiwick_model::server::Transport;
use bailiwick_model::{CallId, Record, RecordFailed, Recording};
use bailiwick_policy::Permit;
use tokio::sync::OwnedSemaphorePermit;

use crate::captures::Plan;
use crate::credential;
use crate::facts::{Facts, who};
use crate::held::{Held, Place};
use crate::reply::audit_unavailable;
use crate::visit::Visit;

/// A call under way.
#[derive(Debug)]
pub(crate) struct OpenCall {
    visit: Arc<Visit>,
    id: CallId,
    policy_us: u64,
    sent_us: u64,
    over_http: bool,
    /// The HTTP status of the server's answer.
    http: Option<u16>,
    /// What is recorded if this is dropped: leaving cancels in some eras, in others not.
    abandoned: Status,
    /// What is captured of the answer.
    plan: Option<Arc<Plan>>,
    closed: bool,
    /// One of the places for calls under way.
    slot: Option<OwnedSemaphorePermit>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) status: Status,
    pub(crate) code: Option<i64>,
    pub(crate) detail: Option<&'a str>,
    /// The sort of failure on the server's side.
    pub(crate) failure: Option<&'static str>,
    /// A tool's own word on whether it failed.
    pub(crate) is_error: Option<bool>,
    /// The `result` or `error` that the server answered with, as it stands.
    pub(crate) result: Option<&'a [u8]>,
}

impl End<'_> {
    /// Of an answer that cannot be passed on.
    pub(crate) fn invalid(refusal: &Refusal) -> Self {
        Self { code: Some(refusal.code), failure: Some("invalid"), ..Self::of(Status::UpstreamInvalid) }
    }

    pub(crate) const fn of(status: Status) -> Self {
        Self { status, code: None, detail: None, failure: None, is_error: None, result: None }
    }
}

impl OpenCall {
    /// Records the intent. Nothing may go to the server before this returned.
    pub(crate) async fn open(
        visit: &Arc<Visit>,
        facts: &Facts<'_>,
        permit: &Permit,
        arguments: &[u8],
    ) -> Result<Self, Refusal> {
        let inner = &visit.gateway;
        let slot = Arc::clone(&inner.slots).try_acquire_owned().map_err(|_| overloaded())?;
        let id = facts.span.map_or_else(|| inner.next_call(visit.now), |span| span.call);
        let policy_us = visit.elapsed_us();
        let recorder = &inner.parts.recorder;
        let plan = inner.captures.plan(permit);
        let place = Place { principal: permit.principal(), call: id, part: BodyPart::Arguments };
        let held = Held::new(inner, plan.as_ref(), place, arguments).await;
        let intent = Record::Intent(Intent {
            call: id,
            who: who(&visit.caller),
            what: facts.what(visit),
            subject: permit.subject(),
            why: permit.why(),
            credential: Secrets::of(permit.registered()),
            arguments: held.payload(),
        });
        credential::note(visit, permit).await?;
        // INVARIANT: the intent is in the ledger before the first byte goes upstream.
        recorder.append(&intent).settled().await.map_err(|_| audit_unavailable(false))?;
        let abandoned = if facts.era.disconnect_cancels() { Status::Cancelled } else { Status::ClientGone };
        let sent_us = visit.elapsed_us();
        Ok(Self {
            visit: Arc::clone(visit),
            id,
            policy_us,
            sent_us,
            over_http: matches!(permit.registered().transport, Transport::Http { .. }),
            http: None,
            abandoned,
            plan,
            closed: false,
            slot: Some(slot),
        })
    }

    /// Gives the call's place to others: from now on it is a stream that waits, bounded by other means.
    pub(crate) fn idle(&mut self) {
        self.slot = None;
    }

    /// Notes the status with which the server answered; stdio servers have none of their own.
    pub(crate) fn answered(&mut self, status: u16) {
        self.http = self.over_http.then_some(status);
    }

    /// Records the outcome. The last byte of the answer may go down when this returned well.
    pub(crate) async fn close(&mut self, end: End<'_>) -> Result<(), RecordFailed> {
        let held = match end.result {
            Some(result) => {
                let principal = self.visit.caller.principal.id;
                let place = Place { principal, call: self.id, part: BodyPart::Result };
                Some(Held::new(&self.visit.gateway, self.plan.as_ref(), place, result).await)
            }
            None => None,
        };
        self.append(end, held.as_ref()).settled().await.map(|_| ())
    }

    fn append(&mut self, end: End<'_>, held: Option<&Held>) -> Recording {
        self.closed = true;
        let recorder = &self.visit.gateway.parts.recorder;
        let total_us = self.visit.elapsed_us();
        let outcome = Record::Outcome(Outcome {
            call: self.id,
            status: end.status,
            code: end.code,
            detail: end.detail,
            upstream: Upstream { http: self.http, failure: end.failure },
            is_error: end.is_error,
            result: held.map(Held::payload),
            timing: Timing {
                policy_us: self.policy_us,
                queue_us: self.sent_us.saturating_sub(self.policy_us),
                upstream_us: total_us.saturating_sub(self.sent_us),
                total_us,
            },
        });
        recorder.append(&outcome)
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if self.closed {
            return;
        }
        if let Recording::Settled(Err(error)) = self.append(End::of(self.abandoned), None) {
            // The intent stays open; the ledger closes it as unknown at the next start.
            tracing::error!(call = %self.id, %error, "the outcome of an abandoned call is not in the ledger");
        }
    }
}

/// Too much is under way.
pub(crate) fn overloaded() -> Refusal {
    GatewayError::Overloaded.refusal(
        "The gateway has as many calls under way as it may have. Nothing was sent to the server; try again in a moment.",
        &[],
    )
}
