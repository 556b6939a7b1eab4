//! `POST /api/v1/teams`: makes a team.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::{Body, parse};
use crate::problem::Problem;
use crate::wire::{AddTeam, TeamView};

/// Makes a team.
#[utoipa::path(
    post,
    path = "/api/v1/teams",
    operation_id = "teams.add",
    tag = "teams",
    request_body = AddTeam,
    responses((status = 201, description = "Makes a team.", body = TeamView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<AddTeam>,
) -> Result<(StatusCode, Json<TeamView>), Problem> {
    let team = control.add_team(&actor, parse("name", &body.name)?).await?;
    Ok((StatusCode::CREATED, Json(team.into())))
}
