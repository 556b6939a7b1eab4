//! `DELETE /api/v1/keys/{key}`: revokes a key, for good.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::input::parse;
use crate::problem::Problem;
use crate::wire::KeyView;

/// Revokes a key, for good.
#[utoipa::path(
    delete,
    path = "/api/v1/keys/{key}",
    operation_id = "keys.revoke",
    tag = "keys",
    params(("key" = String, Path, description = "The key's id.")),
    responses((status = 200, description = "Revokes a key, for good.", body = KeyView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(key): Path<String>,
) -> Result<Json<KeyView>, Problem> {
    // The role first: what is wrong with the request is for those who may make it.
    actor.may_change()?;
    Ok(Json(control.revoke_key(&actor, parse("key", &key)?).await?.into()))
}
