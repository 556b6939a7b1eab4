//! `DELETE /api/v1/grants/{grant}`: takes a grant back.

use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::parse;
use crate::problem::Problem;

/// Takes a grant back.
#[utoipa::path(
    delete,
    path = "/api/v1/grants/{grant}",
    operation_id = "grants.revoke",
    tag = "grants",
    params(("grant" = String, Path, description = "The grant's id.")),
    responses((status = 204, description = "Takes a grant back.")),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(grant): Path<String>,
) -> Result<StatusCode, Problem> {
    // The role first: what is wrong with the request is for those who may make it.
    actor.may_change()?;
    control.revoke_grant(&actor, parse("grant", &grant)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
