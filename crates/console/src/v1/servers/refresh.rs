//! `POST /api/v1/servers/{server}/refresh`: asks a server now what it offers.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::ServerView;

/// Asks a server now what it offers.
#[utoipa::path(
    post,
    path = "/api/v1/servers/{server}/refresh",
    operation_id = "servers.refresh",
    tag = "servers",
    params(("server" = String, Path, description = "The server's id or name.")),
    responses((status = 200, description = "Asks a server now what it offers.", body = ServerView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(server): Path<String>,
) -> Result<Json<ServerView>, Problem> {
    Ok(Json(control.refresh_server(&actor, &server).await?.into()))
}
