//! `PATCH /api/v1/servers/{server}`: changes a server.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::{Control, ServerChange};

use crate::gate::Admitted;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{ServerAddedView, Transport, UpdateServer};

/// Changes a server.
#[utoipa::path(
    patch,
    path = "/api/v1/servers/{server}",
    operation_id = "servers.update",
    tag = "servers",
    params(("server" = String, Path, description = "The server's id or name.")),
    request_body = UpdateServer,
    responses((status = 200, description = "Changes a server.", body = ServerAddedView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(server): Path<String>,
    Body(body): Body<UpdateServer>,
) -> Result<Json<ServerAddedView>, Problem> {
    let (transport, secrets) = body.transport.map(Transport::take_apart).unzip();
    let wanted = ServerChange {
        description: body.description,
        transport,
        secrets: secrets.unwrap_or_default(),
        timeouts: body.timeouts.map(Into::into),
        capture: body.capture.map(Into::into),
        enabled: body.enabled,
    };
    Ok(Json(control.update_server(&actor, &server, wanted).await?.into()))
}
