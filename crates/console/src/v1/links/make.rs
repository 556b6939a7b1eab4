//! `POST /api/v1/links`: makes a one-time login link for a user. It is in this answer only.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{LoginLinkView, MakeLink};

/// Makes a one-time login link for a user. It is in this answer only.
#[utoipa::path(
    post,
    path = "/api/v1/links",
    operation_id = "links.make",
    tag = "links",
    request_body = MakeLink,
    responses((status = 201, description = "Makes a one-time login link for a user. It is in this answer only.", body = LoginLinkView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<MakeLink>,
) -> Result<(StatusCode, Json<LoginLinkView>), Problem> {
    let link = control.make_link(&actor, &body.user).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}
