//! What a stranger is told: the challenge of a 401 (RFC 6750) that points to the protected resource metadata
//! (RFC 9728; spec: authorization, "Authorization Server Location"), and that document.
//!
//! Both are made from the path alone, so an endpoint that does not exist answers like one that does. The
//! document names no authorization server until there is one.

use http::HeaderValue;
use serde_json::{Value, json};

use crate::AuthError;

/// Where the metadata of all our resources is; the resource's own path follows (RFC 9728 section 3.1).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Longest path that is repeated to a stranger, in bytes; longer ones are answered for `/`.
const MAX_PATH: usize = 256;

/// Makes challenges and documents for one public URL.
#[derive(Debug, Clone)]
pub struct ResourceMetadata {
    base: Box<str>,
}

impl ResourceMetadata {
    /// For a gateway that is reached at this URL.
    pub fn new(public_url: &str) -> Self {
        Self { base: public_url.trim_end_matches('/').into() }
    }

    /// The `WWW-Authenticate` header for a request to this path that failed so.
    pub fn challenge(&self, path: &str, error: AuthError) -> HeaderValue {
        let mut text = format!("Bearer resource_metadata=\"{}{WELL_KNOWN}{}\"", self.base, written(path));
        if let Some(code) = error.code() {
            text.push_str(", error=\"");
            text.push_str(code);
            text.push('"');
        }
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
    }

    /// The document for the resource at this path.
    pub fn document(&self, path: &str) -> Value {
        json!({
            "resource": format!("{}{}", self.base, written(path)),
            "resource_name": "Bailiwick",
            "bearer_methods_supported": ["header"],
        })
    }

    /// The path of the resource whose metadata is asked for by this request path; `None` if it asks for
    /// something else.
    pub fn resource_of(request_path: &str) -> Option<&str> {
        request_path.strip_prefix(WELL_KNOWN).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The path with everything percent-encoded that could end a quoted string, a header or a URL's path.
fn written(path: &str) -> String {
    if path.len() > MAX_PATH || !path.starts_with('/') {
        return String::new();
    }
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'%' => {
                out.push(char::from(byte));
            }
            other => {
                out.push('%');
                for nibble in [other >> 4, other & 15] {
                    out.extend(char::from_digit(u32::from(nibble), 16).map(|c| c.to_ascii_uppercase()));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://gw.example";

    #[test]
    fn a_challenge_points_to_the_metadata_of_its_own_endpoint() {
        let metadata = ResourceMetadata::new("https://gw.example/");
        let at = |error| metadata.challenge("/servers/files/mcp", error).to_str().unwrap().to_owned();
        let url = format!("{BASE}{WELL_KNOWN}/servers/files/mcp");
        assert_eq!(at(AuthError::Missing), format!("Bearer resource_metadata=\"{url}\""));
        assert_eq!(
            at(AuthError::Revoked),
            format!("Bearer resource_metadata=\"{url}\", error=\"invalid_token\"")
        );
        assert_eq!(at(AuthError::Revoked), at(AuthError::Unknown), "a stranger cannot tell them apart");
    }

    #[test]
    fn a_path_cannot_break_out_of_the_quotes() {
        let metadata = ResourceMetadata::new(BASE);
        for path in ["/mcp\", error=\"x", "/a\r\nSet-Cookie: b", "/ä", "/a b", "/\\"] {
            let value = metadata.challenge(path, AuthError::Missing);
            assert_eq!(value.to_str().unwrap().matches('"').count(), 2, "{path}");
        }
        let long = format!("/{}", "a".repeat(1000));
        assert!(metadata.challenge(&long, AuthError::Missing).len() < 200);
    }

    #[test]
    fn metadata_answers_alike_for_names_that_do_not_exist() {
        let metadata = ResourceMetadata::new(BASE);
        let path = ResourceMetadata::resource_of("/.well-known/oauth-protected-resource/servers/no-such/mcp");
        let document = metadata.document(path.unwrap());
        assert_eq!(document["resource"], "https://gw.example/servers/no-such/mcp");
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));
        assert!(document.get("authorization_servers").is_none());
        assert_eq!(ResourceMetadata::resource_of("/.well-known/oauth-protected-resourceful"), None);
        assert_eq!(ResourceMetadata::resource_of("/.well-known/oauth-protected-resource"), Some(""));
    }
}
