//! `PATCH /api/v1/toolsets/{toolset}`: changes a toolset.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::{Control, ToolsetChange};

use crate::gate::Admitted;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{ToolsetView, UpdateToolset};

/// Changes a toolset.
#[utoipa::path(
    patch,
    path = "/api/v1/toolsets/{toolset}",
    operation_id = "toolsets.update",
    tag = "toolsets",
    params(("toolset" = String, Path, description = "The toolset's id or name.")),
    request_body = UpdateToolset,
    responses((status = 200, description = "Changes a toolset.", body = ToolsetView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(toolset): Path<String>,
    Body(body): Body<UpdateToolset>,
) -> Result<Json<ToolsetView>, Problem> {
    let wanted = ToolsetChange {
        description: body.description,
        selections: body.selections.map(|selections| selections.into_iter().map(Into::into).collect()),
    };
    Ok(Json(control.update_toolset(&actor, &toolset, wanted).await?.into()))
}
