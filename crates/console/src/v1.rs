//! Version 1 of the admin API.

mod audit;
mod backups;
mod grants;
mod groups;
mod keys;
mod links;
mod principals;
mod servers;
mod teams;
mod toolsets;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// All operations.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(audit::routes())
        .merge(backups::routes())
        .merge(grants::routes())
        .merge(groups::routes())
        .merge(keys::routes())
        .merge(links::routes())
        .merge(principals::routes())
        .merge(servers::routes())
        .merge(teams::routes())
        .merge(toolsets::routes())
}
