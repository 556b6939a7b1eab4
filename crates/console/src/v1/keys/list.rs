//! `GET /api/v1/keys`: lists keys, revoked ones included.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use bailiwick_model::KeyId;

use crate::gate::Admitted;
use crate::input::{Params, list, page};
use crate::problem::Problem;
use crate::wire::{KeyView, List, Paging};

/// Lists keys, revoked ones included.
#[utoipa::path(
    get,
    path = "/api/v1/keys",
    operation_id = "keys.list",
    tag = "keys",
    params(Paging),
    responses((status = 200, description = "Lists keys, revoked ones included.", body = List<KeyView>)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Params(paging): Params<Paging>,
) -> Result<Json<List<KeyView>>, Problem> {
    let page = page::<KeyId>(&paging)?;
    Ok(list(control.list_keys(&actor, page).await?))
}
