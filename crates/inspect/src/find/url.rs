//! Credentials in URLs: the user part of the authority (RFC 3986, section 3.2.1), as in database URLs.

use super::{Finding, end_of};
use crate::Kind;
use crate::kind::is_mark;

/// A user part without a password is one token if it is as long as this.
const TOKEN: usize = 16;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    // Where the text without spaces that was looked at ends, and its last `@`.
    let mut run = (0, None);
    for colon in memchr::memchr_iter(b':', bytes).filter(|colon| bytes[*colon..].starts_with(b"://")) {
        let start = colon + 3;
        let authority = end_of(bytes, start, |b| !matches!(b, b'/' | b'?' | b'#') && in_url(b));
        let mut end = memchr::memrchr(b'@', &bytes[start..authority]).map(|at| start + at);
        if end.is_none() && careless(&bytes[start..authority]) {
            if run.0 < start {
                let stop = end_of(bytes, start, in_url);
                run = (stop, memchr::memrchr(b'@', &bytes[start..stop]).map(|at| start + at));
            }
            end = run.1.filter(|at| *at > start);
        }
        let Some(end) = end else { continue };
        let user = &text[start..end];
        let password = user.split_once(':').is_some_and(|(_, password)| !password.is_empty());
        if (password || user.len() >= TOKEN) && !is_mark(user) && !masked(user) {
            found.push(Finding { kind: Kind::Credential, range: start..end });
        }
    }
}

fn in_url(b: u8) -> bool {
    !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`' | 0..=b' ')
}

/// Whether this is no authority but the beginning of a password in which somebody left `/`, `?` or `#` as they are: what stands
/// behind the colon is no port.
fn careless(authority: &[u8]) -> bool {
    let colon = memchr::memchr(b':', authority).filter(|_| !authority.starts_with(b"["));
    colon.is_some_and(|colon| !authority[colon + 1..].iter().all(u8::is_ascii_digit))
}

/// Whether the password, or all but the name, is masked already.
fn masked(user: &str) -> bool {
    user.split_once(':').is_some_and(|(_, password)| is_mark(password))
}
