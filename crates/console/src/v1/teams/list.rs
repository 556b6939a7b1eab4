//! `GET /api/v1/teams`: lists teams.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use bailiwick_model::TeamId;

use crate::gate::Admitted;
use crate::input::{Params, list, page};
use crate::problem::Problem;
use crate::wire::{List, Paging, TeamView};

/// Lists teams.
#[utoipa::path(
    get,
    path = "/api/v1/teams",
    operation_id = "teams.list",
    tag = "teams",
    params(Paging),
    responses((status = 200, description = "Lists teams.", body = List<TeamView>)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Params(paging): Params<Paging>,
) -> Result<Json<List<TeamView>>, Problem> {
    let page = page::<TeamId>(&paging)?;
    Ok(list(control.list_teams(&actor, page).await?))
}
