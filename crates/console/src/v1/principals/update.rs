//! `PATCH /api/v1/principals/{principal}`: changes a user or an agent, or switches it on or off.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::{Control, PrincipalChange};

use crate::gate::Admitted;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{PrincipalView, UpdatePrincipal};

/// Changes a user or an agent, or switches it on or off.
#[utoipa::path(
    patch,
    path = "/api/v1/principals/{principal}",
    operation_id = "principals.update",
    tag = "principals",
    params(("principal" = String, Path, description = "The principal's id or name.")),
    request_body = UpdatePrincipal,
    responses((status = 200, description = "Changes a user or an agent, or switches it on or off.", body = PrincipalView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(principal): Path<String>,
    Body(body): Body<UpdatePrincipal>,
) -> Result<Json<PrincipalView>, Problem> {
    let wanted = PrincipalChange { display_name: body.display_name, role: body.role, enabled: body.enabled };
    Ok(Json(control.update_principal(&actor, &principal, wanted).await?.into()))
}
