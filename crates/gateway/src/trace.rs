//! W3C trace context of a request: from `_meta` (spec SEP-414) or the headers, the body's word first.

use bailiwick_mcp::Request;
use bailiwick_mcp::headers::meta;
use bailiwick_model::call::Trace;
use http::{HeaderMap, HeaderName};

static TRACEPARENT: HeaderName = HeaderName::from_static(meta::TRACEPARENT);
static TRACESTATE: HeaderName = HeaderName::from_static(meta::TRACESTATE);
static BAGGAGE: HeaderName = HeaderName::from_static(meta::BAGGAGE);

/// Longest `tracestate` or `baggage` that is passed on, in bytes (W3C: at least 512 and 8192).
const MAX_STATE: usize = 8192;

/// The trace of a request; none of it if `traceparent` is absent or invalid.
pub(crate) fn of(headers: &HeaderMap, request: &Request<'_>) -> Trace {
    let word = |name: &HeaderName| -> Option<Box<str>> {
        match request.meta(name.as_str()) {
            Some(raw) => raw.string().map(|text| text.into()),
            None => headers.get(name).and_then(|value| value.to_str().ok()).map(Into::into),
        }
    };
    let parent = word(&TRACEPARENT).filter(|text| is_traceparent(text));
    if parent.is_none() {
        return Trace { baggage: word(&BAGGAGE).filter(|t| fits(t)), ..Trace::default() };
    }
    Trace {
        parent,
        state: word(&TRACESTATE).filter(|t| fits(t)),
        baggage: word(&BAGGAGE).filter(|t| fits(t)),
    }
}

fn fits(text: &str) -> bool {
    text.len() <= MAX_STATE && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// `00-{32 hex, not all zero}-{16 hex, not all zero}-{2 hex}` (W3C Trace Context section 3.2.2).
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str, len: usize| {
        part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next(), parts.next(), parts.next(), parts.next());
    let good = |part: Option<&str>, len| part.is_some_and(|p| hex(p, len));
    let nonzero = |part: Option<&str>| part.is_some_and(|p| p.bytes().any(|b| b != b'0'));
    good(version, 2)
        && version != Some("ff")
        && good(trace, 32)
        && nonzero(trace)
        && good(span, 16)
        && nonzero(span)
        && good(flags, 2)
        && (version != Some("00") || parts.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_traceparents_are_taken() {
        for (text, good) in [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
            ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
            ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false),
            ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("", false),
        ] {
            assert_eq!(is_traceparent(text), good, "{text}");
        }
    }
}
