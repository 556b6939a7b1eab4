//! What a call brings along from the edge, and takes along to its server: its trace.

/// W3C trace context as it goes to a server (spec: SEP-414; W3C Trace Context).
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace<'a> {
    /// `traceparent`: the trace, and the span of the call that goes there.
    pub parent: Option<TraceParent>,
    /// `tracestate`, as received.
    pub state: Option<&'a str>,
    /// `baggage`, as received.
    pub baggage: Option<&'a str>,
}

/// A `traceparent` of version 00: a trace, a span in it, and flags (W3C Trace Context section 3.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent([u8; Self::LENGTH]);

impl TraceParent {
    const LENGTH: usize = 55;

    /// The flags that this version knows: sampled, and random trace id (W3C Trace Context Level 2).
    const KNOWN_FLAGS: u8 = 0b11;

    /// Reads one of any version, of which the part that version 00 knows is kept, as the specification has it for those
    /// who send it on (section 3.2.2, "Versioning of traceparent").
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (known, rest) = bytes.split_first_chunk::<{ Self::LENGTH }>()?;
        let version = known.get(..2)?;
        let ends = rest.is_empty() || (version != b"00" && rest.first() == Some(&b'-'));
        let hex = |at: usize, byte: u8| match at {
            2 | 35 | 52 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        };
        let well_formed = known.iter().enumerate().all(|(at, byte)| hex(at, *byte));
        let nonzero = |part: Option<&[u8]>| part.is_some_and(|part| part.iter().any(|byte| *byte != b'0'));
        if !ends
            || !well_formed
            || version == b"ff"
            || !nonzero(known.get(3..35))
            || !nonzero(known.get(36..52))
        {
            return None;
        }
        let mut kept = Self(*known);
        let flags = u8::from_str_radix(text.get(53..)?.get(..2)?, 16).ok()?;
        kept.put(0, b"00");
        kept.digits(53, &[flags & Self::KNOWN_FLAGS]);
        Some(kept)
    }

    /// One of a trace that begins here; its calls are on record, so it is a sampled one. Zeros, which are not valid, become ones.
    pub fn new(trace: u128, span: u64) -> Self {
        let mut new = Self(*b"00-00000000000000000000000000000000-0000000000000000-01");
        new.digits(3, &trace.max(1).to_be_bytes());
        new.with_span(span)
    }

    /// The same trace and flags, with another span.
    #[must_use]
    pub fn with_span(mut self, span: u64) -> Self {
        self.digits(36, &span.max(1).to_be_bytes());
        self
    }

    /// As it goes into a header or `_meta`.
    pub fn as_str(&self) -> &str {
        // It is made of ASCII only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The trace: 32 hexadecimal digits.
    pub fn trace(&self) -> &str {
        self.as_str().get(3..35).unwrap_or_default()
    }

    /// The span: 16 hexadecimal digits.
    pub fn span(&self) -> &str {
        self.as_str().get(36..52).unwrap_or_default()
    }

    fn digits(&mut self, mut at: usize, bytes: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for byte in bytes {
            self.put(at, &[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            at += 2;
        }
    }

    fn put(&mut self, at: usize, two: &[u8; 2]) {
        if let Some(place) = self.0.get_mut(at..at + 2) {
            place.copy_from_slice(two);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn only_well_formed_traceparents_are_taken() {
        for (text, kept) in [
            (format!("00-{TRACE}-b7ad6b7169203331-01"), Some("01")),
            (format!("00-{TRACE}-b7ad6b7169203331-ff"), Some("03")),
            (format!("01-{TRACE}-b7ad6b7169203331-00-more"), Some("00")),
            (format!("01-{TRACE}-b7ad6b7169203331-01more"), None),
            (format!("00-{TRACE}-b7ad6b7169203331-01-more"), None),
            (format!("00-{TRACE}-b7ad6b7169203331-0"), None),
            (format!("00-{TRACE}-0000000000000000-01"), None),
            (format!("00-{TRACE}-b7ad6b716920333é-1"), None),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01".to_owned(), None),
            (format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()), None),
            (format!("ff-{TRACE}-b7ad6b7169203331-01"), None),
            (String::new(), None),
        ] {
            let expected = kept.map(|flags| format!("00-{TRACE}-b7ad6b7169203331-{flags}"));
            assert_eq!(TraceParent::parse(&text).map(|found| found.as_str().to_owned()), expected, "{text}");
        }
    }

    #[test]
    fn a_span_is_replaced_and_a_trace_begun() {
        let given = TraceParent::parse(&format!("00-{TRACE}-b7ad6b7169203331-01")).unwrap();
        let own = given.with_span(0x00f0_67aa_0ba9_02b7);
        assert_eq!((own.trace(), own.span()), (TRACE, "00f067aa0ba902b7"));
        let new = TraceParent::new(0, 0);
        assert_eq!(TraceParent::parse(new.as_str()), Some(new), "{new:?}");
    }
}
