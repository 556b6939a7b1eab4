//! `POST /api/v1/keys`: makes a key. Its text is in this answer only.

use axum::Json;
use axum::extract::State;
use bailiwick_control::{Control, NewKey};
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::{Body, lifetime};
use crate::problem::Problem;
use crate::wire::{IssueKey, IssuedKeyView};

/// Makes a key. Its text is in this answer only.
#[utoipa::path(
    post,
    path = "/api/v1/keys",
    operation_id = "keys.issue",
    tag = "keys",
    request_body = IssueKey,
    responses((status = 201, description = "Makes a key. Its text is in this answer only.", body = IssuedKeyView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<IssueKey>,
) -> Result<(StatusCode, Json<IssuedKeyView>), Problem> {
    let new = NewKey {
        principal: body.principal,
        label: body.label,
        audience: body.audience,
        expires_in: lifetime(body.expires_in_seconds)?,
    };
    Ok((StatusCode::CREATED, Json(control.issue_key(&actor, new).await?.into())))
}
