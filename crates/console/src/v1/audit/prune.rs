//! `POST /api/v1/audit/prune`: removes the oldest segments that are old enough and in the archive.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{PruneSegments, PruneView};

/// Removes the oldest segments that are old enough and in the archive, a bounded number at once.
#[utoipa::path(
    post,
    path = "/api/v1/audit/prune",
    operation_id = "audit.prune",
    tag = "audit",
    request_body = PruneSegments,
    responses((status = 200, description = "Removes the oldest segments that are old enough and in the archive.", body = PruneView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<PruneSegments>,
) -> Result<Json<PruneView>, Problem> {
    Ok(Json(control.audit_prune(&actor, body.before, body.dry_run).await?.into()))
}
