//! Which credential a server is shown on whose behalf: on record before it is shown for the first time, by name only.
//! Each intent names it too, so that a call costs no record more.

use bailiwick_mcp::Refusal;
use bailiwick_model::Record;
use bailiwick_model::record::{Credential, Secrets, Subject};
use bailiwick_policy::Permit;

use crate::facts::who;
use crate::reply::audit_unavailable;
use crate::visit::Visit;

/// Records that a server will be shown its credential for this caller, unless that is known. Nothing may go to the
/// server before this returned.
pub(crate) async fn note(visit: &Visit, permit: &Permit) -> Result<(), Refusal> {
    let names = Secrets::of(permit.registered());
    let upstreams = &visit.gateway.parts.upstreams;
    if names.is_empty() || upstreams.is_introduced(permit) {
        return Ok(());
    }
    let record = Record::Credential(Credential {
        who: who(&visit.caller),
        subject: Subject {
            server: permit.server(),
            name: permit.server_name(),
            kind: None,
            key: None,
            hash: None,
        },
        credential: names,
    });
    let recording = visit.gateway.parts.recorder.append(&record);
    recording.settled().await.map_err(|_| audit_unavailable(false))?;
    upstreams.introduce(permit);
    Ok(())
}
