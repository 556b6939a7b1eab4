//! `POST /api/v1/principals`: makes a user or an agent.

use axum::Json;
use axum::extract::State;
use bailiwick_control::{Control, NewPrincipal};
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{AddPrincipal, PrincipalView};

/// Makes a user or an agent.
#[utoipa::path(
    post,
    path = "/api/v1/principals",
    operation_id = "principals.add",
    tag = "principals",
    request_body = AddPrincipal,
    responses((status = 201, description = "Makes a user or an agent.", body = PrincipalView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<AddPrincipal>,
) -> Result<(StatusCode, Json<PrincipalView>), Problem> {
    let new = NewPrincipal {
        kind: body.kind,
        name: body.name,
        display_name: body.display_name,
        team: body.team,
        role: body.role,
    };
    Ok((StatusCode::CREATED, Json(control.add_principal(&actor, new).await?.into())))
}
