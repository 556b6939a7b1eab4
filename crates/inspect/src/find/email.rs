//! E-mail addresses (RFC 5321, section 4.1.2, but with the usual characters only), also internationalised ones.

use super::{Finding, before, byte, end_of, start_of};
use crate::Kind;

/// RFC 5321, section 4.5.3.1: 64 bytes before the `@`; more is still masked.
const LOCAL: usize = 256;
const DOMAIN: usize = 255;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    for at in memchr::memchr_iter(b'@', bytes) {
        let floor = text.floor_char_boundary(at.saturating_sub(LOCAL));
        let start = floor + start_of(&bytes[floor..], at - floor, is_local);
        let start = end_of(bytes, start, |b| matches!(b, b'.' | b'\''));
        let ceiling = text.floor_char_boundary(bytes.len().min(at + 1 + DOMAIN));
        let end = domain_end(&bytes[..ceiling], at + 1);
        let Some(end) = end.filter(|_| start < at) else { continue };
        // `git@host:path` and `ssh://git@host/path` are how repositories are named.
        let repository =
            &bytes[start..at] == b"git" && (byte(bytes, end) == b':' || bytes[..start].ends_with(b"://"));
        if !repository {
            found.push(Finding { kind: Kind::Email, range: start..end });
        }
    }
}

fn is_local(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b >= 0x80 || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'~')
}

/// Where the domain that begins here ends, if it is one: labels, of which the last is a word.
fn domain_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut end = end_of(bytes, from, |b| b.is_ascii_alphanumeric() || b >= 0x80 || matches!(b, b'-' | b'.'));
    while end > from && matches!(before(bytes, end), b'.' | b'-') {
        end -= 1;
    }
    let domain = bytes.get(from..end)?;
    let mut labels = domain.split(|b| *b == b'.');
    let last = labels.next_back()?;
    let word = last.len() >= 2
        && (last.starts_with(b"xn--") || last.iter().all(|b| b.is_ascii_alphabetic() || *b >= 0x80));
    let mut count = 0;
    let whole = labels.all(|label| {
        count += 1;
        !label.is_empty()
    });
    (word && whole && count > 0).then_some(end)
}
