//! What a server's transport may say, checked before it is registered.
//!
//! The URL is what a client would dial, so it holds no credential and nothing that is not sent. Headers that
//! the gateway itself writes cannot be set, or a registration could change what a request means.

use std::collections::BTreeMap;

use bailiwick_model::server::{Transport, Value};
use http::{HeaderName, HeaderValue, Uri};
use secrecy::{ExposeSecret as _, SecretString};

use crate::ControlError;

/// Most headers or variables of one server.
const MAX_ENTRIES: usize = 64;
/// Longest value, in bytes.
const MAX_VALUE: usize = 16 << 10;
/// Most arguments of a command.
const MAX_ARGS: usize = 256;

/// Headers that belong to the connection or to the protocol, and those by which others are told where a
/// request comes from.
const RESERVED: &[&str] = &[
    "accept",
    "accept-encoding",
    "baggage",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "last-event-id",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const RESERVED_PREFIXES: &[&str] = &["mcp-", "x-forwarded-", "sec-"];

/// Checks a transport and the secret values that come with it; header names are put into lower case.
///
/// # Errors
/// [`ControlError::Invalid`] with the member and what would be right.
pub(super) fn check(
    transport: Transport,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Transport, ControlError> {
    match transport {
        Transport::Http { url, headers } => {
            check_url(&url)?;
            let headers = check_headers(headers, secrets)?;
            Ok(Transport::Http { url, headers })
        }
        Transport::Stdio { ref command, ref args, ref env, ref cwd, .. } => {
            check_command(command, args)?;
            check_env(env, secrets)?;
            if cwd.as_deref().is_some_and(|cwd| !cwd.starts_with('/') || cwd.contains('\0')) {
                return Err(ControlError::invalid("transport.cwd", "write an absolute path"));
            }
            Ok(transport)
        }
    }
}

fn check_url(text: &str) -> Result<(), ControlError> {
    let wrong = |problem: &str| ControlError::invalid("transport.url", problem);
    if text.contains('#') {
        return Err(wrong("a URL with a fragment cannot be dialled"));
    }
    let uri: Uri = text.parse().map_err(|_| wrong("not a URL such as https://mcp.example/mcp"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("the scheme must be https or http"));
    }
    let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("user and password do not belong into a URL; use a header with a secret value"));
    }
    if authority.host().is_empty() || authority.as_str().ends_with(':') || authority.port_u16() == Some(0) {
        return Err(wrong("it names no host and port that could be dialled"));
    }
    Ok(())
}

fn check_headers(
    headers: BTreeMap<String, Value>,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<BTreeMap<String, Value>, ControlError> {
    const FIELD: &str = "transport.headers";
    check_count(FIELD, headers.len())?;
    let mut checked = BTreeMap::new();
    for (name, value) in headers {
        let parsed = HeaderName::try_from(name.as_str())
            .map_err(|_| ControlError::invalid(FIELD, format!("{name:?} is no header name")))?;
        let lower = parsed.as_str().to_owned();
        if RESERVED.contains(&lower.as_str()) || RESERVED_PREFIXES.iter().any(|p| lower.starts_with(p)) {
            return Err(ControlError::invalid(FIELD, format!("{lower} is written by the gateway itself")));
        }
        let text = value_text(&value, secrets.get(&name));
        if text.is_some_and(|text| HeaderValue::from_str(text).is_err()) {
            return Err(ControlError::invalid(
                FIELD,
                format!("the value of {lower} cannot stand in a header"),
            ));
        }
        check_length(FIELD, &lower, text)?;
        if checked.insert(lower, value).is_some() {
            return Err(ControlError::invalid(FIELD, format!("{name} is there twice")));
        }
    }
    Ok(checked)
}

fn check_env(
    env: &BTreeMap<String, Value>,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<(), ControlError> {
    const FIELD: &str = "transport.env";
    check_count(FIELD, env.len())?;
    for (name, value) in env {
        let good = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty();
        if !good {
            return Err(ControlError::invalid(FIELD, format!("{name:?} is no name of a variable")));
        }
        // These make the loader run code of whoever wrote the value, before any confinement of ours.
        if name.starts_with("LD_") {
            return Err(ControlError::invalid(FIELD, format!("{name} would change the loader")));
        }
        let text = value_text(value, secrets.get(name));
        if text.is_some_and(|text| text.contains('\0')) {
            return Err(ControlError::invalid(FIELD, format!("the value of {name} contains a NUL")));
        }
        check_length(FIELD, name, text)?;
    }
    Ok(())
}

fn check_command(command: &str, args: &[String]) -> Result<(), ControlError> {
    if command.is_empty() || command.contains('\0') || command.len() > 4096 {
        return Err(ControlError::invalid("transport.command", "name a program, such as npx or /opt/tool"));
    }
    if args.len() > MAX_ARGS || args.iter().any(|arg| arg.contains('\0') || arg.len() > MAX_VALUE) {
        return Err(ControlError::invalid("transport.args", "too many, too long or with a NUL"));
    }
    Ok(())
}

fn value_text<'a>(value: &'a Value, secret: Option<&'a SecretString>) -> Option<&'a str> {
    match value {
        Value::Plain { value } => Some(value),
        Value::Secret => secret.map(|secret| secret.expose_secret()),
    }
}

fn check_count(field: &'static str, count: usize) -> Result<(), ControlError> {
    if count <= MAX_ENTRIES {
        return Ok(());
    }
    Err(ControlError::invalid(field, format!("{count} are too many; {MAX_ENTRIES} is the most")))
}

fn check_length(field: &'static str, name: &str, text: Option<&str>) -> Result<(), ControlError> {
    if text.is_none_or(|text| text.len() <= MAX_VALUE) {
        return Ok(());
    }
    Err(ControlError::invalid(field, format!("the value of {name} is longer than {MAX_VALUE} bytes")))
}

#[cfg(test)]
mod tests;
