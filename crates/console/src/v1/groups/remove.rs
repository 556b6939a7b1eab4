//! `DELETE /api/v1/groups/{group}`: removes a group with the grants that it has.

use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;
use http::StatusCode;

use crate::gate::Admitted;
use crate::problem::Problem;

/// Removes a group with the grants that it has.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{group}",
    operation_id = "groups.remove",
    tag = "groups",
    params(("group" = String, Path, description = "The group's id or name.")),
    responses((status = 204, description = "Removes a group with the grants that it has.")),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(group): Path<String>,
) -> Result<StatusCode, Problem> {
    control.remove_group(&actor, &group).await?;
    Ok(StatusCode::NO_CONTENT)
}
