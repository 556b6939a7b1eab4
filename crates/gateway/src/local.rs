//! The record of what the gateway answers itself: one line, no intent, since no server acts.

use bailiwick_mcp::Refusal;
use bailiwick_model::Record;
use bailiwick_model::record::{Local, Status};

use crate::facts::{Facts, who};
use crate::reply::audit_unavailable;
use crate::visit::Visit;

/// Records a local answer. It may go down when this returned well.
pub(crate) async fn record(visit: &Visit, facts: &Facts<'_>) -> Result<(), Refusal> {
    let local = Record::Local(Local {
        call: visit.gateway.next_call(visit.now),
        who: who(&visit.caller),
        what: facts.what(visit),
        status: Status::Ok,
        code: None,
        generation: visit.snapshot.generation,
    });
    let recording = visit.gateway.parts.recorder.append(&local);
    recording.settled().await.map(|_| ()).map_err(|_| audit_unavailable(false))
}
