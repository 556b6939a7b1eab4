//! `POST /api/v1/audit/archive`: copies closed segments to the archive now.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::ArchiveView;

/// Copies closed segments to the archive now. Answers at once; `audit.status` says how far it is.
#[utoipa::path(
    post,
    path = "/api/v1/audit/archive",
    operation_id = "audit.archive",
    tag = "audit",
    responses((status = 200, description = "Copies closed segments to the archive now.", body = ArchiveView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
) -> Result<Json<ArchiveView>, Problem> {
    control.audit_archive(&actor)?;
    let state = control.archive_state(&actor)?.unwrap_or_default();
    Ok(Json(state.into()))
}
