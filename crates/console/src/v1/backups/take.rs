//! `POST /api/v1/backups`: takes a backup into a new directory of the gateway's machine.

use std::path::Path;

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use http::StatusCode;

use crate::gate::Admitted;
use crate::input::Body;
use crate::problem::Problem;
use crate::wire::{BackupView, TakeBackup};

/// Takes a backup into a new directory of the gateway's machine.
#[utoipa::path(
    post,
    path = "/api/v1/backups",
    operation_id = "backups.take",
    tag = "backups",
    request_body = TakeBackup,
    responses((
        status = 201,
        description = "Takes a backup into a new directory of the gateway's machine.",
        body = BackupView,
    )),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Body(body): Body<TakeBackup>,
) -> Result<(StatusCode, Json<BackupView>), Problem> {
    let manifest = control.take_backup(&actor, Path::new(&body.path)).await?;
    Ok((StatusCode::CREATED, Json(BackupView::new(body.path, manifest))))
}
