//! Values of mirrored headers: plain, or `=?base64?…?=` (streamable-http "Value Encoding").

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// The header value for a text: plain if that is unambiguous, else in its base64 form.
pub fn encode(text: &str) -> HeaderValue {
    let ascii = text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t'));
    let padded = text.trim_matches([' ', '\t']) != text;
    let sentinel = text.starts_with(PREFIX) && text.ends_with(SUFFIX);
    let value = if ascii && !padded && !sentinel {
        HeaderValue::from_str(text)
    } else {
        HeaderValue::try_from(format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(text)))
    };
    // Both forms are visible ASCII, spaces and tabs, which is all that a value may hold.
    value.unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The text that a header value stands for, without surrounding white space. `None` if it holds bytes that no value may
/// hold, or broken base64.
pub fn decode(value: &HeaderValue) -> Option<Cow<'_, str>> {
    let plain = plain(value)?;
    let Some(inner) = plain.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX)) else {
        return Some(Cow::Borrowed(plain));
    };
    let bytes = STANDARD.decode(inner).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The value as visible ASCII, spaces and tabs, trimmed; `None` if it holds anything else.
pub(super) fn plain(value: &HeaderValue) -> Option<&str> {
    let ascii = value.as_bytes().iter().all(|b| matches!(b, b' '..=b'~' | b'\t'));
    let text = std::str::from_utf8(value.as_bytes()).ok().filter(|_| ascii)?;
    Some(text.trim_matches([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_as_the_specs_table_says() {
        for (text, header) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("", ""),
        ] {
            let value = encode(text);
            assert_eq!(value, header);
            assert_eq!(decode(&value).as_deref(), Some(text));
        }
    }

    #[test]
    fn broken_or_foreign_values_are_refused() {
        for bytes in [&b"=?base64?***?="[..], b"=?base64?/w==?=", b"caf\xc3\xa9", b"=?base64?YQ?="] {
            let value = HeaderValue::from_bytes(bytes).unwrap();
            assert_eq!(decode(&value), None, "{value:?}");
        }
        assert_eq!(decode(&HeaderValue::from_static(" x\t")).as_deref(), Some("x"));
        // The markers are case-sensitive, so this is plain text.
        assert_eq!(decode(&HeaderValue::from_static("=?BASE64?YQ==?=")).as_deref(), Some("=?BASE64?YQ==?="));
    }
}
