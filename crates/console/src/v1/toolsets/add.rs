//! `POST /api/v1/toolsets`: makes a toolset.

use axum::Json;
use axum::extract::State;
use bailiwick_control::{Control, NewToolset};
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::{Body, parse};
use crate::problem::Problem;
use crate::wire::{AddToolset, ToolsetView};

/// Makes a toolset.
#[utoipa::path(
    post,
    path = "/api/v1/toolsets",
    operation_id = "toolsets.add",
    tag = "toolsets",
    request_body = AddToolset,
    responses((status = 201, description = "Makes a toolset.", body = ToolsetView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<AddToolset>,
) -> Result<(StatusCode, Json<ToolsetView>), Problem> {
    let new = NewToolset {
        name: parse("name", &body.name)?,
        team: body.team,
        description: body.description,
        selections: body.selections.into_iter().map(Into::into).collect(),
    };
    Ok((StatusCode::CREATED, Json(control.add_toolset(&actor, new).await?.into())))
}
