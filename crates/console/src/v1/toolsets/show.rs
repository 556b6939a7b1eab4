//! `GET /api/v1/toolsets/{toolset}`: shows a toolset.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::ToolsetView;

/// Shows a toolset.
#[utoipa::path(
    get,
    path = "/api/v1/toolsets/{toolset}",
    operation_id = "toolsets.show",
    tag = "toolsets",
    params(("toolset" = String, Path, description = "The toolset's id or name.")),
    responses((status = 200, description = "Shows a toolset.", body = ToolsetView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(toolset): Path<String>,
) -> Result<Json<ToolsetView>, Problem> {
    Ok(Json(control.show_toolset(&actor, &toolset).await?.into()))
}
