//! `DELETE /api/v1/groups/{group}/members/{principal}`: takes a principal out of a group.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::GroupView;

/// Takes a principal out of a group.
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{group}/members/{principal}",
    operation_id = "groups.remove_member",
    tag = "groups",
    params(("group" = String, Path, description = "The group's id or name."), ("principal" = String, Path, description = "The principal's id or name.")),
    responses((status = 200, description = "Takes a principal out of a group.", body = GroupView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path((group, principal)): Path<(String, String)>,
) -> Result<Json<GroupView>, Problem> {
    let change = (group.as_str(), principal.as_str());
    Ok(Json(control.set_member(&actor, change, false).await?.into()))
}
