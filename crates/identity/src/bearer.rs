//! The one place where a credential may stand: a single `Authorization: Bearer …` header (RFC 6750 section
//! 2.1). Headers that claim an identity (`X-Forwarded-User` and its kind) are never read by anything.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};

use crate::AuthError;

/// The token of the only `Authorization` header.
///
/// # Errors
/// If there is none, more than one, or another scheme.
pub fn bearer(headers: &HeaderMap) -> Result<&str, AuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    if values.next().is_some() {
        return Err(AuthError::Ambiguous);
    }
    let text = value.to_str().map_err(|_| AuthError::NotBearer)?;
    let (scheme, token) = text.split_once(' ').ok_or(AuthError::NotBearer)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthError::NotBearer);
    }
    let token = token.trim_matches(' ');
    if token.is_empty() { Err(AuthError::NotBearer) } else { Ok(token) }
}

/// Whether the query carries something that is meant as a credential: RFC 6750's `access_token`, or a value
/// that begins like one of our keys. Such a request is refused with [`AuthError::InQuery`] even if its header
/// is good, so that nobody gets used to it.
pub fn query_has_token(uri: &Uri) -> bool {
    const NAMES: [&str; 5] = ["access_token", "token", "api_key", "apikey", "authorization"];
    let Some(query) = uri.query() else { return false };
    query.split('&').any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) || value.starts_with(crate::key::MARK)
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn exactly_one_bearer_header_counts() {
        let cases: [(&[&'static str], Result<&str, AuthError>); 9] = [
            (&[], Err(AuthError::Missing)),
            (&["Bearer abc"], Ok("abc")),
            (&["bearer  abc "], Ok("abc")),
            (&["Bearer abc", "Bearer abc"], Err(AuthError::Ambiguous)),
            (&["Basic abc"], Err(AuthError::NotBearer)),
            (&["Bearer"], Err(AuthError::NotBearer)),
            (&["Bearer "], Err(AuthError::NotBearer)),
            (&["abc"], Err(AuthError::NotBearer)),
            (&[""], Err(AuthError::NotBearer)),
        ];
        for (values, expected) in cases {
            assert_eq!(bearer(&headers(values)), expected, "{values:?}");
        }
    }

    #[test]
    fn headers_that_look_trusted_are_no_credential() {
        let mut headers = HeaderMap::new();
        for name in
            ["x-forwarded-user", "x-auth-request-user", "x-remote-user", "proxy-authorization", "x-api-key"]
        {
            headers.insert(name, HeaderValue::from_static("admin"));
        }
        assert_eq!(bearer(&headers), Err(AuthError::Missing));
    }

    #[test]
    fn tokens_in_the_query_are_noticed() {
        for (uri, found) in [
            ("/mcp", false),
            ("/mcp?cursor=abc", false),
            ("/mcp?access_token=x", true),
            ("/mcp?a=b&ACCESS_TOKEN=x", true),
            ("/mcp?anything=bwk_0123456789_x", true),
            ("/mcp?token", true),
        ] {
            assert_eq!(query_has_token(&uri.parse().unwrap()), found, "{uri}");
        }
    }
}
