//! `POST /api/v1/audit/reindex`: drops the index over the ledger and makes it anew.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::IndexView;

/// Drops the index over the ledger and makes it anew from the segments, while calls go on. Answers at once;
/// `audit.status` says how far it is.
#[utoipa::path(
    post,
    path = "/api/v1/audit/reindex",
    operation_id = "audit.reindex",
    tag = "audit",
    responses((status = 200, description = "Drops the index over the ledger and makes it anew.", body = IndexView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
) -> Result<Json<IndexView>, Problem> {
    control.audit_reindex(&actor).await?;
    Ok(Json(control.index_state(&actor)?.into()))
}
