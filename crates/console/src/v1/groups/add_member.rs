//! `PUT /api/v1/groups/{group}/members/{principal}`: puts a principal into a group.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::GroupView;

/// Puts a principal into a group.
#[utoipa::path(
    put,
    path = "/api/v1/groups/{group}/members/{principal}",
    operation_id = "groups.add_member",
    tag = "groups",
    params(("group" = String, Path, description = "The group's id or name."), ("principal" = String, Path, description = "The principal's id or name.")),
    responses((status = 200, description = "Puts a principal into a group.", body = GroupView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path((group, principal)): Path<(String, String)>,
) -> Result<Json<GroupView>, Problem> {
    let change = (group.as_str(), principal.as_str());
    Ok(Json(control.set_member(&actor, change, true).await?.into()))
}
