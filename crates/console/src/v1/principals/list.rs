//! `GET /api/v1/principals`: lists users and agents.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;
use bailiwick_model::PrincipalId;
use bailiwick_model::principal::PrincipalKind;

use crate::gate::Admitted;
use crate::input::{Params, list, page};
use crate::problem::Problem;
use crate::wire::{List, Paging, PrincipalQuery, PrincipalView};

/// Lists users and agents.
#[utoipa::path(
    get,
    path = "/api/v1/principals",
    operation_id = "principals.list",
    tag = "principals",
    params(PrincipalQuery),
    responses((status = 200, description = "Lists users and agents.", body = List<PrincipalView>)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Params(query): Params<PrincipalQuery>,
) -> Result<Json<List<PrincipalView>>, Problem> {
    let kind = match query.kind.as_deref() {
        None => None,
        Some("user") => Some(PrincipalKind::User),
        Some("agent") => Some(PrincipalKind::Agent),
        Some(_) => return Err(Problem::invalid("kind", "user or agent")),
    };
    let page = page::<PrincipalId>(&Paging { after: query.after, limit: query.limit })?;
    Ok(list(control.list_principals(&actor, kind, page).await?))
}
