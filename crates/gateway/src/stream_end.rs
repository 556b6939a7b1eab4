//! When a stream has to end: its caller's credential or rights are gone, or the gateway stops. Streams outlive
//! the request that opened them, so what was decided then is decided again with every change.

use std::sync::Arc;

use bailiwick_model::Timestamp;
use bailiwick_model::grant::Action;
use bailiwick_policy::{Decision, Permit, Snapshot, Target};
use tokio::sync::watch;

use crate::decide::Found;
use crate::place::PlaceKey;
use crate::visit::Visit;

/// Watches over one stream.
#[derive(Debug)]
pub(crate) struct StreamEnd {
    visit: Arc<Visit>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    /// What the stream was permitted for; none for a stream of the gateway's own.
    subject: Option<(Permit, Found)>,
}

impl StreamEnd {
    pub(crate) fn new(visit: &Arc<Visit>, subject: Option<(Permit, Found)>) -> Self {
        let mut snapshots = visit.gateway.parts.snapshot.clone();
        // What changed while the stream was opened is looked at too.
        snapshots.mark_changed();
        Self { visit: Arc::clone(visit), snapshots, subject }
    }

    /// Resolves when the caller may not have this stream any more. Cancel-safe.
    pub(crate) async fn revoked(&mut self) {
        loop {
            let end = [self.visit.caller.expires_at, self.permitted_until()].into_iter().flatten().min();
            let expiry = until(Arc::clone(&self.visit), end);
            tokio::select! {
                changed = self.snapshots.changed() => {
                    if changed.is_err() || !self.still_allowed() {
                        return;
                    }
                }
                // A grant that ended may not be the only one.
                () = expiry => if !self.still_allowed() { return },
            }
        }
    }

    fn permitted_until(&self) -> Option<Timestamp> {
        self.subject.as_ref().and_then(|(permit, _)| permit.valid_until())
    }

    fn now(&self) -> Timestamp {
        self.visit.gateway.parts.clock.now()
    }

    fn still_allowed(&mut self) -> bool {
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        let caller = &self.visit.caller;
        let holds = caller.expires_at.is_none_or(|end| self.now() < end);
        let key_holds = holds
            && caller.key.is_none_or(|key| {
                snapshot.keys.by_id(key).is_some_and(|entry| !entry.revoked && entry.principal.enabled)
            });
        key_holds && self.subject_holds(&snapshot) && self.place_holds(&snapshot)
    }

    /// Decides the subject anew, and keeps the new permit.
    fn subject_holds(&mut self, snapshot: &Snapshot) -> bool {
        let now = self.now();
        let Some((permit, found)) = &mut self.subject else { return true };
        match snapshot.decide(&self.visit.caller, permit.action(), found.target(), now) {
            Decision::Allow(renewed) => {
                *permit = renewed;
                true
            }
            Decision::Deny(_) => false,
        }
    }

    fn place_holds(&self, snapshot: &Snapshot) -> bool {
        let catalogue = &snapshot.catalogue;
        match self.visit.place.key {
            PlaceKey::All => true,
            PlaceKey::Toolset(id) => catalogue.toolset_by_id(id).is_some(),
            PlaceKey::Server(id) => catalogue.server_by_id(id).is_some_and(|server| {
                snapshot
                    .decide(&self.visit.caller, Action::List, Target::Server(server), self.now())
                    .is_allow()
            }),
        }
    }
}

/// Resolves at this moment.
async fn until(visit: Arc<Visit>, end: Option<Timestamp>) {
    match end {
        Some(end) => {
            let now = visit.gateway.parts.clock.now();
            tokio::time::sleep(end.saturating_since(now)).await;
        }
        None => std::future::pending().await,
    }
}
