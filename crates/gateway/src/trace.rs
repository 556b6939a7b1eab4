//! W3C trace context: what a request brings, from `_meta` (spec SEP-414) or the headers, the body's word first; and
//! what goes on to the server, in which the call is a span of its own.

use std::borrow::Cow;

use bailiwick_mcp::Request;
use bailiwick_mcp::headers::meta;
use bailiwick_model::CallId;
use bailiwick_model::Entropy;
use bailiwick_model::call::{Trace, TraceParent};
use http::{HeaderMap, HeaderName};

use crate::session::Session;

static TRACEPARENT: HeaderName = HeaderName::from_static(meta::TRACEPARENT);
static TRACESTATE: HeaderName = HeaderName::from_static(meta::TRACESTATE);
static BAGGAGE: HeaderName = HeaderName::from_static(meta::BAGGAGE);

/// Longest `tracestate` or `baggage` that is passed on, in bytes (W3C: at least 512 and 8192).
const MAX_STATE: usize = 8192;

/// The trace context of a request; no trace if `traceparent` is absent or invalid.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) parent: Option<TraceParent>,
    state: Option<Box<str>>,
    baggage: Option<Box<str>>,
}

/// What a request brings.
pub(crate) fn of(headers: &HeaderMap, request: &Request<'_>) -> Received {
    let word = |name: &HeaderName| -> Option<Cow<'_, str>> {
        match request.meta(name.as_str()) {
            Some(raw) => raw.string(),
            None => headers.get(name).and_then(|value| value.to_str().ok()).map(Cow::Borrowed),
        }
    };
    let kept = |name| word(name).filter(|text| fits(text)).map(Into::into);
    let parent = word(&TRACEPARENT).and_then(|text| TraceParent::parse(&text));
    Received { parent, state: parent.and_then(|_| kept(&TRACESTATE)), baggage: kept(&BAGGAGE) }
}

fn fits(text: &str) -> bool {
    text.len() <= MAX_STATE && text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

impl Received {
    /// What goes to the server with a call.
    pub(crate) fn onward(&self, sent: &Span) -> Trace<'_> {
        Trace { parent: Some(sent.at), state: self.state.as_deref(), baggage: self.baggage.as_deref() }
    }
}

/// The span that a call is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) call: CallId,
    /// The trace and the span in it.
    pub(crate) at: TraceParent,
}

/// Makes spans, and traces for callers that name none.
///
/// They are counted, as calls are, and hidden by keys of chance (Even and Mansour's construction over a fixed
/// permutation): unique in a process, not guessed by servers, and cheaper than asking for chance with each call.
#[derive(Debug)]
pub(crate) struct Spans([u64; 4]);

impl Spans {
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        Self(std::array::from_fn(|_| {
            let mut key = [0; 8];
            entropy.fill(&mut key);
            u64::from_be_bytes(key)
        }))
    }

    /// The span of a call: in its caller's trace; else in its session's own, so that the calls of a session belong
    /// together; else in one of its own.
    pub(crate) fn of(&self, call: CallId, received: &Received, session: Option<&Session>) -> Span {
        let [before, after, first, second] = self.0;
        let [_, count] = halves(call.to_bits());
        let span = mix(count ^ before) ^ after;
        let at = match (&received.parent, session) {
            (Some(parent), _) => parent.with_span(span),
            (None, Some(session)) => TraceParent::new(of_session(session.nonce), span),
            (None, None) => {
                TraceParent::new(join(mix(count ^ first) ^ second, mix(span ^ second) ^ first), span)
            }
        };
        Span { call, at }
    }
}

/// The trace of a session whose client names none. It is the same on every node and after a restart, and does not show
/// the session's nonce as it stands.
fn of_session(nonce: u128) -> u128 {
    let [high, low] = halves(nonce);
    let low = mix(low ^ high);
    join(mix(high ^ low), low)
}

fn halves(bits: u128) -> [u64; 2] {
    [bits >> 64, bits].map(|half| u64::try_from(half & u128::from(u64::MAX)).unwrap_or_default())
}

fn join(high: u64, low: u64) -> u128 {
    (u128::from(high) << 64) | u128::from(low)
}

/// A fixed permutation of 64 bits that leaves no pattern of a count: the finalizer of SplitMix64 (Steele, Lea and Flood).
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_call_is_a_span_of_its_own() {
        let spans = Spans([1, 2, 3, 4]);
        let given = TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
        let received = Received { parent: given, ..Received::default() };
        let mut seen = HashSet::new();
        for count in 0..1_000 {
            let call = CallId::from_bits((7 << 80) | count);
            let inside = spans.of(call, &received, None).at;
            assert!(inside.as_str().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
            assert!(inside.as_str().ends_with("-00"));
            let alone = spans.of(call, &Received::default(), None).at;
            assert_eq!(alone.span(), inside.span());
            assert!(seen.insert(inside.span().to_owned()) && seen.insert(alone.trace().to_owned()));
        }
    }

    #[test]
    fn sessions_have_traces_that_are_not_their_nonces() {
        let traces: HashSet<u128> = (0..1_000_u128).map(|n| of_session(n << 60)).collect();
        assert_eq!(traces.len(), 1_000);
        assert_eq!(halves(join(5, 6)), [5, 6]);
    }
}
