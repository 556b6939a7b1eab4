//! `GET /api/v1/grants`: lists grants.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use bailiwick_model::GrantId;

use crate::gate::Admitted;
use crate::input::{Params, list, page};
use crate::problem::Problem;
use crate::wire::{GrantView, List, Paging};

/// Lists grants.
#[utoipa::path(
    get,
    path = "/api/v1/grants",
    operation_id = "grants.list",
    tag = "grants",
    params(Paging),
    responses((status = 200, description = "Lists grants.", body = List<GrantView>)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Params(paging): Params<Paging>,
) -> Result<Json<List<GrantView>>, Problem> {
    let page = page::<GrantId>(&paging)?;
    Ok(list(control.list_grants(&actor, page).await?))
}
