//! `DELETE /api/v1/servers/{server}`: removes a server with its definitions, secrets, selections and grants.

use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;
use http::StatusCode;

use crate::gate::Admitted;
use crate::problem::Problem;

/// Removes a server with its definitions, secrets, selections and grants.
#[utoipa::path(
    delete,
    path = "/api/v1/servers/{server}",
    operation_id = "servers.remove",
    tag = "servers",
    params(("server" = String, Path, description = "The server's id or name.")),
    responses((status = 204, description = "Removes a server with its definitions, secrets, selections and grants.")),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(server): Path<String>,
) -> Result<StatusCode, Problem> {
    control.remove_server(&actor, &server).await?;
    Ok(StatusCode::NO_CONTENT)
}
