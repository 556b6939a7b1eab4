//! `GET /api/v1/groups`: lists groups.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use bailiwick_model::GroupId;

use crate::gate::Admitted;
use crate::input::{Params, list, page};
use crate::problem::Problem;
use crate::wire::{GroupView, List, Paging};

/// Lists groups.
#[utoipa::path(
    get,
    path = "/api/v1/groups",
    operation_id = "groups.list",
    tag = "groups",
    params(Paging),
    responses((status = 200, description = "Lists groups.", body = List<GroupView>)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Params(paging): Params<Paging>,
) -> Result<Json<List<GroupView>>, Problem> {
    let page = page::<GroupId>(&paging)?;
    Ok(list(control.list_groups(&actor, page).await?))
}
