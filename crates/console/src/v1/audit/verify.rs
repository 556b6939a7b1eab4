//! `POST /api/v1/audit/verify`: reads the whole ledger and checks every record, link and checkpoint.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::AuditReport;

/// Reads the whole ledger and checks every record, link and checkpoint.
#[utoipa::path(
    post,
    path = "/api/v1/audit/verify",
    operation_id = "audit.verify",
    tag = "audit",
    responses((status = 200, description = "Reads the whole ledger and checks every record, link and checkpoint.", body = AuditReport)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
) -> Result<Json<AuditReport>, Problem> {
    Ok(Json(control.audit_verify(&actor).await?.into()))
}
