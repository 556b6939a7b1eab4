//! `GET /api/v1/servers`: lists servers.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use bailiwick_model::ServerId;

use crate::gate::Admitted;
use crate::input::{Params, list, page};
use crate::problem::Problem;
use crate::wire::{List, Paging, ServerView};

/// Lists servers.
#[utoipa::path(
    get,
    path = "/api/v1/servers",
    operation_id = "servers.list",
    tag = "servers",
    params(Paging),
    responses((status = 200, description = "Lists servers.", body = List<ServerView>)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Params(paging): Params<Paging>,
) -> Result<Json<List<ServerView>>, Problem> {
    let page = page::<ServerId>(&paging)?;
    Ok(list(control.list_servers(&actor, page).await?))
}
