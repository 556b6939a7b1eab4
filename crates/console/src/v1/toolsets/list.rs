//! `GET /api/v1/toolsets`: lists toolsets.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use bailiwick_model::ToolsetId;

use crate::gate::Admitted;
use crate::input::{Params, list, page};
use crate::problem::Problem;
use crate::wire::{List, Paging, ToolsetView};

/// Lists toolsets.
#[utoipa::path(
    get,
    path = "/api/v1/toolsets",
    operation_id = "toolsets.list",
    tag = "toolsets",
    params(Paging),
    responses((status = 200, description = "Lists toolsets.", body = List<ToolsetView>)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Params(paging): Params<Paging>,
) -> Result<Json<List<ToolsetView>>, Problem> {
    let page = page::<ToolsetId>(&paging)?;
    Ok(list(control.list_toolsets(&actor, page).await?))
}
