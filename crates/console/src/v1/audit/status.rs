//! `GET /api/v1/audit/status`: says how the ledger of this node is.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::AuditStatus;

/// Says how the ledger of this node is.
#[utoipa::path(
    get,
    path = "/api/v1/audit/status",
    operation_id = "audit.status",
    tag = "audit",
    responses((status = 200, description = "Says how the ledger of this node is.", body = AuditStatus)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
) -> Result<Json<AuditStatus>, Problem> {
    let index = control.index_state(&actor)?;
    let mut status: AuditStatus = (control.audit_status(&actor).await?, index).into();
    status.archive = control.archive_state(&actor)?.map(Into::into);
    status.restored = control.restoration(&actor).await?.map(Into::into);
    Ok(Json(status))
}
