//! Credentials in URLs: the user part of the authority (RFC 3986, section 3.2.1), as in database URLs.

use super::{Finding, end_of};
use crate::Kind;
use crate::kind::is_mark;

/// A user part without a password is one token if it is as long as this.
const TOKEN: usize = 16;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    for colon in memchr::memchr_iter(b':', bytes).filter(|colon| bytes[*colon..].starts_with(b"://")) {
        let start = colon + 3;
        let run = end_of(bytes, start, |b| !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`' | 0..=b' '));
        let authority = end_of(&bytes[..run], start, |b| !matches!(b, b'/' | b'?' | b'#'));
        let end = memchr::memrchr(b'@', &bytes[start..authority])
            .or_else(|| careless(&bytes[start..run]))
            .map(|at| start + at);
        let Some(end) = end else { continue };
        let user = &text[start..end];
        let password = user.split_once(':').is_some_and(|(_, password)| !password.is_empty());
        if (password || user.len() >= TOKEN) && !is_mark(user) && !masked(user) {
            found.push(Finding { kind: Kind::Credential, range: start..end });
        }
    }
}

/// The `@` behind a password in which somebody left `/`, `?` or `#` as they are: what stands behind the first colon is no port then.
fn careless(rest: &[u8]) -> Option<usize> {
    let colon = memchr::memchr3(b':', b'/', b'?', rest).filter(|at| rest[*at] == b':')?;
    let port = end_of(rest, colon + 1, |b| b.is_ascii_digit());
    if matches!(rest.get(port), None | Some(b'/' | b'?' | b'#')) {
        return None;
    }
    memchr::memrchr(b'@', rest)
}

/// Whether the password, or all but the name, is masked already.
fn masked(user: &str) -> bool {
    user.split_once(':').is_some_and(|(_, password)| is_mark(password))
}
