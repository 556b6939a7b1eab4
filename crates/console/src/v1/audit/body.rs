//! `POST /api/v1/audit/bodies/{call}`: reads what is held of the payloads of a call, on record.

use axum::Json;
use axum::extract::{Path, State};
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{BodiesView, ReadBodies};

/// Reads what is held of the payloads of a call.
///
/// Who reads what, and why, is in the ledger before anything is shown; that is why this is no GET.
#[utoipa::path(
    post,
    path = "/api/v1/audit/bodies/{call}",
    operation_id = "audit.read_bodies",
    tag = "audit",
    params(("call" = String, Path, description = "The call's id.")),
    request_body = ReadBodies,
    responses((status = 200, description = "Reads what is held of the payloads of a call.", body = BodiesView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(call): Path<String>,
    Body(body): Body<ReadBodies>,
) -> Result<Json<BodiesView>, Problem> {
    let bodies = control.read_bodies(&actor, &call, body.reason).await?;
    Ok(Json(BodiesView { call, bodies: bodies.into_iter().map(Into::into).collect() }))
}
