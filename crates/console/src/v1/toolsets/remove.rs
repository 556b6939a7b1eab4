//! `DELETE /api/v1/toolsets/{toolset}`: removes a toolset with the grants on it.

use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;
use http::StatusCode;

use crate::gate::Admitted;
use crate::problem::Problem;

/// Removes a toolset with the grants on it.
#[utoipa::path(
    delete,
    path = "/api/v1/toolsets/{toolset}",
    operation_id = "toolsets.remove",
    tag = "toolsets",
    params(("toolset" = String, Path, description = "The toolset's id or name.")),
    responses((status = 204, description = "Removes a toolset with the grants on it.")),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(toolset): Path<String>,
) -> Result<StatusCode, Problem> {
    control.remove_toolset(&actor, &toolset).await?;
    Ok(StatusCode::NO_CONTENT)
}
