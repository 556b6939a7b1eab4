//! `POST /api/v1/servers`: registers a server and asks it at once what it offers.

use axum::Json;
use axum::extract::State;
use bailiwick_control::{Control, NewServer};
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::{Body, name};
use crate::problem::Problem;
use crate::wire::{AddServer, ServerAddedView};

/// Registers a server and asks it at once what it offers.
#[utoipa::path(
    post,
    path = "/api/v1/servers",
    operation_id = "servers.add",
    tag = "servers",
    request_body = AddServer,
    responses((status = 201, description = "Registers a server and asks it at once what it offers.", body = ServerAddedView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<AddServer>,
) -> Result<(StatusCode, Json<ServerAddedView>), Problem> {
    let (transport, secrets) = body.transport.take_apart();
    let new = NewServer {
        name: name(body.name.as_deref())?,
        registry_name: body.registry_name,
        team: body.team,
        description: body.description,
        transport,
        secrets,
        timeouts: body.timeouts.unwrap_or_default().into(),
        capture: body.capture.unwrap_or_default().into(),
        enabled: body.enabled,
    };
    let added = control.add_server(&actor, new).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}
