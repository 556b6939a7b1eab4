//! `GET /api/v1/groups/{group}`: shows a group.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::GroupView;

/// Shows a group.
#[utoipa::path(
    get,
    path = "/api/v1/groups/{group}",
    operation_id = "groups.show",
    tag = "groups",
    params(("group" = String, Path, description = "The group's id or name.")),
    responses((status = 200, description = "Shows a group.", body = GroupView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(group): Path<String>,
) -> Result<Json<GroupView>, Problem> {
    Ok(Json(control.show_group(&actor, &group).await?.into()))
}
