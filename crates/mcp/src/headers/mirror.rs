//! Headers for a request to a modern server, built from what the request says.

use http::{HeaderMap, HeaderValue};

use super::{MCP_METHOD, MCP_NAME, MCP_PROTOCOL_VERSION, ParamHeaders, encode};
use crate::json::{Malformed, Raw};
use crate::{Era, Method};

/// What the headers of one request mirror. Names are those that the server knows, after any renaming.
#[derive(Debug, Clone, Copy)]
pub struct Mirror<'a> {
    /// The version that the request's `_meta` names.
    pub era: Era,
    /// The method.
    pub method: &'a str,
    /// Name, uri or task id, for methods that mirror one.
    pub name: Option<&'a str>,
    /// The annotated parameters of the tool, for `tools/call`.
    pub params: Option<&'a ParamHeaders>,
    /// The arguments of the call.
    pub arguments: Option<Raw<'a>>,
}

/// Puts the mirrored headers into `headers`, in the place of any that are there. Legacy eras get the version only, and
/// 2025-03-26 not even that.
///
/// # Errors
/// [`Malformed`] if the arguments cannot be read.
pub fn mirror(headers: &mut HeaderMap, what: &Mirror<'_>) -> Result<(), Malformed> {
    if what.era.requires_version_header() {
        headers.insert(&MCP_PROTOCOL_VERSION, HeaderValue::from_static(what.era.as_str()));
    }
    if !what.era.mirrors_headers() {
        return Ok(());
    }
    let method = Method::parse(what.method);
    let method_value = match method {
        Method::Unknown => encode(what.method),
        known => HeaderValue::from_static(known.as_str()),
    };
    headers.insert(&MCP_METHOD, method_value);
    if let Some(name) = what.name.filter(|_| method.mirrored_param().is_some()) {
        headers.insert(&MCP_NAME, encode(name));
    }
    if let Some(params) = what.params {
        for (name, text) in params.values(what.arguments)? {
            headers.insert(name.clone(), encode(&text));
        }
    }
    Ok(())
}
