//! A payload as it is recorded: size and digest, and what the capture policy holds of it.

use std::sync::Arc;

use bailiwick_inspect::{Redacted, follow_rules, redact};
use bailiwick_model::body_key::BodyPart;
use bailiwick_model::capture::CaptureMode;
use bailiwick_model::record::{Payload, PayloadDigest, RawJson, SealedBody};
use bailiwick_model::{BodyKeyId, CallId, PrincipalId};
use bailiwick_runtime::{BodySealer, base64url};

use crate::Inner;
use crate::captures::Plan;

/// Why a body of mode `full` is held redacted.
const NO_KEY: &str = "body_key_unavailable";

/// Whose payload of which call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) principal: PrincipalId,
    pub(crate) call: CallId,
    pub(crate) part: BodyPart,
}

/// A payload with what is held of it.
pub(crate) struct Held {
    bytes: u64,
    hmac: PayloadDigest,
    kept: Option<Kept>,
}

/// What is held, by which plan.
struct Kept {
    plan: Arc<Plan>,
    body: Body,
    found: Vec<(&'static str, u32)>,
    cut: bool,
}

enum Body {
    /// One JSON value.
    Redacted { body: String, instead_of_full: bool },
    /// One JSON value, encrypted.
    Sealed { key: BodyKeyId, data: String },
}

impl Held {
    /// Takes down what the plan says.
    pub(crate) async fn new(gateway: &Inner, plan: Option<&Arc<Plan>>, place: Place, bytes: &[u8]) -> Self {
        let hmac = gateway.parts.recorder.digest(bytes);
        let kept = match plan {
            Some(plan) => keep(gateway, plan, place, bytes).await,
            None => None,
        };
        Self { bytes: bytes.len() as u64, hmac, kept }
    }

    /// What the record says.
    pub(crate) fn payload(&self) -> Payload<'_> {
        let bare = Payload::bare(self.bytes, self.hmac);
        let Some(kept) = &self.kept else { return bare };
        let class = kept.plan.class();
        let retention = (!class.is_standard()).then_some(class);
        let payload = Payload { retention, found: &kept.found, cut: kept.cut, ..bare };
        match &kept.body {
            Body::Redacted { body, instead_of_full } => {
                let fallback = instead_of_full.then_some(NO_KEY);
                Payload { body: Some(RawJson(body)), fallback, ..payload }
            }
            Body::Sealed { key, data } => Payload { sealed: Some(SealedBody { key: *key, data }), ..payload },
        }
    }
}

async fn keep(gateway: &Inner, plan: &Arc<Plan>, place: Place, bytes: &[u8]) -> Option<Kept> {
    let mode = plan.mode(place.part);
    let sealer = match mode {
        CaptureMode::None => return None,
        CaptureMode::Redacted => None,
        CaptureMode::Full => gateway.body_sealer(place.principal, plan.class()).await,
    };
    let Redacted { body, findings, cut, .. } = match sealer {
        Some(_) => follow_rules(bytes, plan.rules(), plan.cap()),
        None => redact(bytes, plan.rules(), plan.cap()),
    };
    let body = match sealer {
        Some(sealer) => sealed(&sealer, &gateway.parts.bodies.ledger, place, &body),
        None => Body::Redacted { body, instead_of_full: mode == CaptureMode::Full },
    };
    let found = findings.iter().map(|(kind, count)| (kind.name(), count)).collect();
    Some(Kept { plan: Arc::clone(plan), body, found, cut })
}

fn sealed(sealer: &BodySealer, ledger: &str, place: Place, body: &str) -> Body {
    let data = sealer.seal(place.call, &place.part.place(ledger, place.call), body.as_bytes());
    Body::Sealed { key: sealer.id(), data: base64url(data) }
}
