//! The API's own description, made from the operations' annotations.

use axum::Json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, Ref, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::v1;
use crate::wire::ProblemDetails;

/// `GET /api/openapi.json`: for whoever may use the API.
pub(crate) async fn handler() -> Json<OpenApi> {
    Json(openapi())
}

/// The description of every operation of the admin API.
pub fn openapi() -> OpenApi {
    let mut api = v1::routes().split_for_parts().1;
    api.info = InfoBuilder::new()
        .title("Bailiwick admin API")
        .version("v1")
        .description(Some(
            "Every operation needs `Authorization: Bearer <key>` with an admin key of a user whose role is \
             `auditor` (reads) or `admin` (everything). Errors are problem details (RFC 9457) with a stable \
             `reason`. Every change is in the audit ledger before it is in force.",
        ))
        .build();
    api.servers = None;
    let components = api.components.get_or_insert_with(Components::new);
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.security_schemes.insert("key".into(), SecurityScheme::Http(scheme).into());
    components.schemas.insert(ProblemDetails::name().into(), ProblemDetails::schema());
    api.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    for item in api.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete] {
            operation.iter_mut().for_each(with_problem);
        }
    }
    api
}

fn with_problem(operation: &mut Operation) {
    let schema = Ref::from_schema_name(ProblemDetails::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description("What went wrong.")
        .content("application/problem+json", content)
        .build();
    operation.responses.responses.insert("default".into(), response.into());
}
