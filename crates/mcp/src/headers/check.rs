//! Check of a modern request's headers against its body (streamable-http "Server Validation").

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::param::{Kind, ParamHeader, safe_integer, scalar_text};
use super::{MCP_METHOD, MCP_NAME, MCP_PROTOCOL_VERSION, ParamHeaders, decode, meta, value};
use crate::error::{HEADER_MISMATCH, Refusal};
use crate::{Method, Request};

/// What is wrong with a header. Answered with -32020 and HTTP 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderMismatch {
    /// A required header is absent.
    #[error("Header mismatch: {0} is missing")]
    Missing(Box<str>),
    /// A header is there twice.
    #[error("Header mismatch: {0} is given more than once")]
    Repeated(Box<str>),
    /// A header holds invalid characters or broken base64.
    #[error("Header mismatch: {0} holds an invalid value")]
    Invalid(Box<str>),
    /// A header says something else than the body.
    #[error("Header mismatch: {0} does not match the body")]
    Differs(Box<str>),
}

impl HeaderMismatch {
    /// The refusal to answer.
    pub fn refusal(&self) -> Refusal {
        Refusal::new(HEADER_MISMATCH, StatusCode::BAD_REQUEST, self.to_string())
    }
}

/// Checks `MCP-Protocol-Version`, `Mcp-Method` and `Mcp-Name` of a modern request.
///
/// # Errors
/// [`HeaderMismatch`] for the first header that is missing, malformed, or says something else than the body.
pub fn check(headers: &HeaderMap, request: &Request<'_>) -> Result<(), HeaderMismatch> {
    let version = required(headers, &MCP_PROTOCOL_VERSION)?;
    let body_version = request.meta(meta::PROTOCOL_VERSION).and_then(|raw| raw.string());
    if body_version.as_deref() != Some(plain(version, &MCP_PROTOCOL_VERSION)?) {
        return Err(HeaderMismatch::Differs(MCP_PROTOCOL_VERSION.as_str().into()));
    }
    let method = required(headers, &MCP_METHOD)?;
    if plain(method, &MCP_METHOD)? != request.method {
        return Err(HeaderMismatch::Differs(MCP_METHOD.as_str().into()));
    }
    let mirrored = Method::parse(&request.method).mirrored_param();
    match mirrored.and_then(|param| request.param(param)).and_then(|raw| raw.string()) {
        Some(name) => same_text(required(headers, &MCP_NAME)?, &MCP_NAME, &name),
        // Nothing to mirror: a header that claims something contradicts the body.
        None if mirrored.is_some() && headers.contains_key(&MCP_NAME) => {
            Err(HeaderMismatch::Differs(MCP_NAME.as_str().into()))
        }
        None => Ok(()),
    }
}

/// Checks the `Mcp-Param-…` headers that a tool's schema asks for against the call's arguments. Unknown ones are ignored.
///
/// # Errors
/// [`HeaderMismatch`] for the first that is missing, malformed, not expected, or says something else.
pub fn check_params(
    headers: &HeaderMap,
    request: &Request<'_>,
    params: &ParamHeaders,
) -> Result<(), HeaderMismatch> {
    let arguments = request.params.as_ref().and_then(|params| params.arguments());
    params.list.iter().try_for_each(|param| {
        let name = &param.header;
        let argument =
            param.argument(arguments).map_err(|_| HeaderMismatch::Differs(name.as_str().into()))?;
        match argument {
            Some(argument) => check_param(required(headers, name)?, param, argument),
            None if headers.contains_key(name) => Err(HeaderMismatch::Differs(name.as_str().into())),
            None => Ok(()),
        }
    })
}

fn check_param(
    header: &HeaderValue,
    param: &ParamHeader,
    argument: crate::Raw<'_>,
) -> Result<(), HeaderMismatch> {
    let name = param.header.as_str();
    let said = decode(header).ok_or_else(|| HeaderMismatch::Invalid(name.into()))?;
    if param.kind == Kind::Integer && !argument.as_str().starts_with('"') {
        let body = safe_integer(argument.as_str());
        return if body.is_some() && safe_integer(&said) == body {
            Ok(())
        } else {
            Err(HeaderMismatch::Differs(name.into()))
        };
    }
    match scalar_text(argument) {
        Some(text) if text == said => Ok(()),
        _ => Err(HeaderMismatch::Differs(name.into())),
    }
}

fn same_text(header: &HeaderValue, name: &HeaderName, body: &str) -> Result<(), HeaderMismatch> {
    match decode(header) {
        None => Err(HeaderMismatch::Invalid(name.as_str().into())),
        Some(said) if said == body => Ok(()),
        Some(_) => Err(HeaderMismatch::Differs(name.as_str().into())),
    }
}

/// The only value of a header.
pub(super) fn single<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h HeaderValue>, HeaderMismatch> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(HeaderMismatch::Repeated(name.as_str().into())),
        (value, None) => Ok(value),
    }
}

fn required<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h HeaderValue, HeaderMismatch> {
    single(headers, name)?.ok_or_else(|| HeaderMismatch::Missing(name.as_str().into()))
}

pub(super) fn plain<'h>(value: &'h HeaderValue, name: &HeaderName) -> Result<&'h str, HeaderMismatch> {
    value::plain(value).ok_or_else(|| HeaderMismatch::Invalid(name.as_str().into()))
}
