//! Servers: one file per operation.

mod add;
mod list;
mod refresh;
mod remove;
mod show;
mod update;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::handler, add::handler))
        .routes(routes!(show::handler, update::handler, remove::handler))
        .routes(routes!(refresh::handler))
}
