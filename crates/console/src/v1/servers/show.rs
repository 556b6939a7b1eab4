//! `GET /api/v1/servers/{server}`: shows a server, how it is, and what it offers.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::ServerView;

/// Shows a server, how it is, and what it offers.
#[utoipa::path(
    get,
    path = "/api/v1/servers/{server}",
    operation_id = "servers.show",
    tag = "servers",
    params(("server" = String, Path, description = "The server's id or name.")),
    responses((status = 200, description = "Shows a server, how it is, and what it offers.", body = ServerView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(server): Path<String>,
) -> Result<Json<ServerView>, Problem> {
    Ok(Json(control.show_server(&actor, &server).await?.into()))
}
