//! Bodies of mode `full`: encrypted before they are recorded, with the key of the principal and class.
//!
//! Keys are known beforehand. Only the first such call of a principal and class waits for its key to be made, and not for
//! long: without it the body is held redacted, and the record says so. No call fails for it, and nothing is held in plain.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bailiwick_model::{BodyKeyMaker, PrincipalId, RetentionClass};
use bailiwick_runtime::{BodySealer, BodySealers};
use tokio::sync::watch;

use crate::Inner;

/// How long a call waits for its principal's first key.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long nobody waits again after a key could not be had: else every call would, while the database is away.
const PAUSE: Duration = Duration::from_secs(2);

/// What bodies are encrypted with.
#[derive(Debug)]
pub struct Bodies {
    /// The ledger's name: ciphertexts are bound to it.
    pub ledger: String,
    /// The keys that are known.
    pub sealers: watch::Receiver<Arc<BodySealers>>,
    /// Makes those that are not.
    pub maker: Arc<dyn BodyKeyMaker>,
}

/// Until when nobody waits for a key: microseconds of the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Pause(AtomicU64);

impl Inner {
    /// The key for a principal's bodies of a class, if it can be had now.
    pub(crate) async fn body_sealer(
        &self,
        principal: PrincipalId,
        class: &RetentionClass,
    ) -> Option<Arc<BodySealer>> {
        let bodies = &self.parts.bodies;
        let known = || bodies.sealers.borrow().get(principal, class).map(Arc::clone);
        if let Some(sealer) = known() {
            return Some(sealer);
        }
        let micros = |moment: Duration| u64::try_from(moment.as_micros()).unwrap_or(u64::MAX);
        let clock = &self.parts.clock;
        if micros(clock.monotonic()) < self.body_keys.0.load(Ordering::Relaxed) {
            return None;
        }
        let made = tokio::time::timeout(PATIENCE, bodies.maker.make(principal, class.clone())).await;
        let sealer = known();
        if sealer.is_none() {
            tracing::warn!(%principal, %class, ?made, "there is no key for bodies: they are held redacted");
            self.body_keys.0.store(micros(clock.monotonic() + PAUSE), Ordering::Relaxed);
        }
        sealer
    }
}
