//! `GET /api/v1/audit/calls`: finds records by who, what, when and how they ended, newest first.

use axum::Json;
use axum::extract::State;
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::input::{Params, limit, list};
use crate::problem::Problem;
use crate::wire::{CallQuery, CallView, List};

/// Finds records by who, what, when and how they ended, newest first.
///
/// A piece may be shorter than was asked for, or empty, and still have a next one: each looks at a bounded number of
/// records. The index is a moment behind the ledger; `audit.status` says by how much.
#[utoipa::path(
    get,
    path = "/api/v1/audit/calls",
    operation_id = "audit.calls",
    tag = "audit",
    params(CallQuery),
    responses((status = 200, description = "Finds records by who, what, when and how they ended, newest first.", body = List<CallView>)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Params(query): Params<CallQuery>,
) -> Result<Json<List<CallView>>, Problem> {
    let limit = limit(query.limit)?;
    let after = query.after.clone();
    Ok(list(control.audit_calls(&actor, query.into(), after.as_deref(), limit).await?))
}
