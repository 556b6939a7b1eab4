use proptest::prelude::*;

use super::*;

/// What is left of the bytes: whole, or up to the first overwritten one.
fn follow(bytes: &[u8], cut: usize) -> (Vec<u8>, Phase) {
    let mut framing = Framing::new();
    let mut out = Vec::new();
    for part in bytes.chunks(cut.max(1)) {
        let mut part = part.to_vec();
        framing.follow(&mut part);
        out.extend(part);
    }
    (out, framing.phase())
}

const HONEST: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: a\r\ncontent-length:0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=\"b\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\nPOST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 31\r\n\r\n\nTransfer-Encoding: chunked\r\n\r\nGET / HTTP/1.1\r\n\r\n",
];

const AMBIGUOUS: &[&str] = &[
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\ncontent-LENGTH: 0\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: \r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nX: a\r\n Content-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nX: a\r\n\tfolded\r\n\r\n",
    "POST / HTTP/1.1\nHost: a\n\n",
    "POST / HTTP/1.1\r\nHost: a\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n;\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
];

#[test]
fn honest_requests_pass_unchanged_however_they_are_cut() {
    for text in HONEST {
        for cut in 1..=text.len() {
            let (out, phase) = follow(text.as_bytes(), cut);
            assert_eq!(out, text.as_bytes(), "{text:?} cut at {cut}");
            assert_eq!(phase, Phase::Idle, "{text:?} cut at {cut}");
        }
    }
}

#[test]
fn ambiguous_requests_are_refused_however_they_are_cut() {
    for text in AMBIGUOUS {
        for cut in 1..=text.len() {
            let (out, phase) = follow(text.as_bytes(), cut);
            assert_eq!(phase, Phase::Refused, "{text:?} cut at {cut}");
            assert_eq!(out.last(), Some(&0), "{text:?} cut at {cut}");
        }
    }
}

#[test]
fn long_headers_pass_but_not_as_lengths_or_with_bare_line_feeds() {
    let long = "x".repeat(5000);
    for (text, phase) in [
        (format!("GET /{long} HTTP/1.1\r\nX: {long}\r\n\r\n"), Phase::Idle),
        (format!("GET / HTTP/1.1\r\nContent-Length: {}5\r\n\r\n", " ".repeat(5000)), Phase::Refused),
        (format!("GET / HTTP/1.1\r\nX: {long}\n\r\n"), Phase::Refused),
        (format!("CONNECT {long} HTTP/1.1\r\n\r\n"), Phase::Refused),
    ] {
        for cut in [1, 7, 255, 256, 257, 4096] {
            assert_eq!(follow(text.as_bytes(), cut).1, phase, "{} cut at {cut}", &text[..40]);
        }
    }
}

proptest! {
    #[test]
    fn cutting_never_changes_the_verdict(
        text in r"(GET / HTTP/1.1\r\n|POST / HTTP/1.1\r\n|Content-Length: [0-9]{1,2}\r\n|Transfer-Encoding: chunked\r\n|X: y\r\n|\r\n|\n|[0-9a-f]\r\n| |;|[a-z]{0,9}){0,12}",
        cut in 1usize..40,
    ) {
        let whole = follow(text.as_bytes(), text.len());
        prop_assert_eq!(follow(text.as_bytes(), cut), whole);
    }
}
