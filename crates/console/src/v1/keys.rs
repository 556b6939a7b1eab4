//! Keys: one file per operation.

mod issue;
mod list;
mod revoke;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list::handler, issue::handler)).routes(routes!(revoke::handler))
}
