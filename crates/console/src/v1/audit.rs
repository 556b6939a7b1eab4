//! The ledger: one file per operation.

mod archive;
mod body;
mod calls;
mod erase;
mod evidence;
mod prune;
mod records;
mod reindex;
mod status;
mod trace;
mod verify;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(status::handler))
        .routes(routes!(records::handler))
        .routes(routes!(calls::handler))
        .routes(routes!(trace::handler))
        .routes(routes!(evidence::handler))
        .routes(routes!(body::handler))
        .routes(routes!(erase::handler))
        .routes(routes!(reindex::handler))
        .routes(routes!(archive::handler))
        .routes(routes!(prune::handler))
        .routes(routes!(verify::handler))
}
