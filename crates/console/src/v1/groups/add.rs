//! `POST /api/v1/groups`: makes a group.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::{Body, parse};
use crate::problem::Problem;
use crate::wire::{AddGroup, GroupView};

/// Makes a group.
#[utoipa::path(
    post,
    path = "/api/v1/groups",
    operation_id = "groups.add",
    tag = "groups",
    request_body = AddGroup,
    responses((status = 201, description = "Makes a group.", body = GroupView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<AddGroup>,
) -> Result<(StatusCode, Json<GroupView>), Problem> {
    let group = control.add_group(&actor, parse("name", &body.name)?, &body.members).await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}
