//! Groups: one file per operation.

mod add;
mod add_member;
mod list;
mod remove;
mod remove_member;
mod show;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::handler, add::handler))
        .routes(routes!(show::handler, remove::handler))
        .routes(routes!(add_member::handler, remove_member::handler))
}
