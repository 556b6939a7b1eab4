//! `GET /api/v1/audit/records`: reads records of the ledger: the last ones, or those behind one.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::input::Params;
use crate::problem::Problem;
use crate::wire::{AuditQuery, AuditRecords};

/// Reads records of the ledger: the last ones, or those behind one.
#[utoipa::path(
    get,
    path = "/api/v1/audit/records",
    operation_id = "audit.records",
    tag = "audit",
    params(AuditQuery),
    responses((status = 200, description = "Reads records of the ledger: the last ones, or those behind one.", body = AuditRecords)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Params(query): Params<AuditQuery>,
) -> Result<Json<AuditRecords>, Problem> {
    let limit = query.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(Problem::invalid("limit", "1 to 1000"));
    }
    let tail = control.audit_records(&actor, query.after, limit).await?;
    Ok(Json(tail.try_into()?))
}
