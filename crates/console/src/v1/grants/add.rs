//! `POST /api/v1/grants`: makes a grant.

use axum::Json;
use axum::extract::State;
use bailiwick_control::{Control, NewGrant};
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::{Body, lifetime};
use crate::problem::Problem;
use crate::wire::{AddGrant, GrantView};

/// Makes a grant.
#[utoipa::path(
    post,
    path = "/api/v1/grants",
    operation_id = "grants.add",
    tag = "grants",
    request_body = AddGrant,
    responses((status = 201, description = "Makes a grant.", body = GrantView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<AddGrant>,
) -> Result<(StatusCode, Json<GrantView>), Problem> {
    let new = NewGrant {
        principal: body.principal,
        group: body.group,
        scope: body.scope.into(),
        actions: body.actions,
        expires_in: lifetime(body.expires_in_seconds)?,
    };
    Ok((StatusCode::CREATED, Json(control.add_grant(&actor, new).await?.into())))
}
