//! `POST /api/v1/audit/erase`: destroys the keys of a principal's encrypted bodies.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{EraseBodies, ErasedView};

/// Destroys the keys of a principal's encrypted bodies, for good: nobody can read them any more. The ledger stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/audit/erase",
    operation_id = "audit.erase",
    tag = "audit",
    request_body = EraseBodies,
    responses((status = 200, description = "Destroys the keys of a principal's encrypted bodies.", body = ErasedView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<EraseBodies>,
) -> Result<Json<ErasedView>, Problem> {
    Ok(Json(control.erase_bodies(&actor, body.into()).await?.into()))
}
