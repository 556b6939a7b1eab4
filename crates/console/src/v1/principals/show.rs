//! `GET /api/v1/principals/{principal}`: shows a user or an agent.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::PrincipalView;

/// Shows a user or an agent.
#[utoipa::path(
    get,
    path = "/api/v1/principals/{principal}",
    operation_id = "principals.show",
    tag = "principals",
    params(("principal" = String, Path, description = "The principal's id or name.")),
    responses((status = 200, description = "Shows a user or an agent.", body = PrincipalView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(principal): Path<String>,
) -> Result<Json<PrincipalView>, Problem> {
    Ok(Json(control.show_principal(&actor, &principal).await?.into()))
}
