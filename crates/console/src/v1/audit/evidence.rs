//! `GET /api/v1/audit/evidence/{call}`: makes one file of everything that shows what became of a call and why.

use axum::Json;
use axum::extract::{Path, State};
use bailiwick_control::Control;

use crate::gate::Admitted;
use crate::problem::Problem;
use crate::wire::EvidenceView;

/// Makes one file of everything that shows what became of a call and why.
///
/// It is checked without a gateway, by `bailiwick audit check-evidence`. Waits up to half a minute for the checkpoint
/// that signs the records.
#[utoipa::path(
    get,
    path = "/api/v1/audit/evidence/{call}",
    operation_id = "audit.evidence",
    tag = "audit",
    params(("call" = String, Path, description = "The call's id.")),
    responses((status = 200, description = "Makes one file of everything that shows what became of a call and why.", body = EvidenceView)),
)]
pub(crate) async fn handler(
    State(control): State<Control>,
    Admitted(actor): Admitted,
    Path(call): Path<String>,
) -> Result<Json<EvidenceView>, Problem> {
    Ok(Json(control.audit_evidence(&actor, &call).await?.try_into()?))
}
