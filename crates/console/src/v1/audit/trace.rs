//! `GET /api/v1/audit/trace/{id}`: shows the calls of a trace or session as a tree.

use axum::Json;
use axum::extract::{Path, State};
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::CallTreeView;

/// Shows the calls of a trace or session as a tree: which call led to which.
#[utoipa::path(
    get,
    path = "/api/v1/audit/trace/{id}",
    operation_id = "audit.trace",
    tag = "audit",
    params(("id" = String, Path, description = "A trace id, a session as records name it, or the id of one of its calls.")),
    responses((status = 200, description = "Shows the calls of a trace or session as a tree.", body = CallTreeView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(id): Path<String>,
) -> Result<Json<CallTreeView>, Problem> {
    Ok(Json(control.audit_trace(&actor, &id).await?.into()))
}
