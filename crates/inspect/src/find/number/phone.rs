//! Telephone numbers: international (ITU-T E.164) with any usual separators, and the common national ways of writing one with
//! groups. Digits without any sign are not taken for one.

use super::Found;
use crate::Kind;
use crate::find::{before, byte, end_of};

/// E.164 allows 15; fewer than 8 are no number with its country.
const INTERNATIONAL: std::ops::RangeInclusive<usize> = 8..=15;

/// The one whose first digit is here.
pub(super) fn find(bytes: &[u8], at: usize) -> Found {
    match before(bytes, at) {
        b'+' => international(bytes, at, at - 1),
        b'(' => parenthesised(bytes, at),
        b'.' | b'-' | b'/' | b'_' | b',' => None,
        _ if bytes[at..].starts_with(b"00") => {
            international(bytes, at + 2, at).filter(|_| grouped(bytes, at))
        }
        _ => national(bytes, at),
    }
}

/// Digits that begin with a country: `+49 (0)30 901820`.
fn international(bytes: &[u8], at: usize, start: usize) -> Found {
    if byte(bytes, at) == b'0'
        || matches!(before(bytes, start), b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'/' | b'+')
    {
        return None;
    }
    let (mut place, mut count, mut end) = (at, 0, at);
    loop {
        let group = end_of(bytes, place, |b| b.is_ascii_digit());
        if group == place || count + group - place > *INTERNATIONAL.end() {
            break;
        }
        count += group - place;
        end = group;
        place = end_of(bytes, group, |b| matches!(b, b' ' | b'-' | b'.' | b'/' | b'(' | b')'));
        if place - group > 3 {
            break;
        }
    }
    let bounded = !byte(bytes, end).is_ascii_alphanumeric();
    (bounded && INTERNATIONAL.contains(&count)).then_some((Kind::Phone, start, end))
}

/// Whether there is a separator soon: `0044 20 …`.
fn grouped(bytes: &[u8], at: usize) -> bool {
    let end = end_of(bytes, at, |b| b.is_ascii_digit());
    end - at <= 7 && matches!(byte(bytes, end), b' ' | b'-')
}

/// `(415) 555-2671`, `(030) 901820`.
fn parenthesised(bytes: &[u8], at: usize) -> Found {
    let area = end_of(bytes, at, |b| b.is_ascii_digit());
    let length = area - at;
    if byte(bytes, area) != b')' || !(2..=5).contains(&length) {
        return None;
    }
    let open = at.checked_sub(1)?;
    let start = if before(bytes, open) == b'+' { open - 1 } else { open };
    if before(bytes, start).is_ascii_alphanumeric() {
        return None;
    }
    let from = end_of(bytes, area + 1, |b| b == b' ');
    let end = end_of(bytes, from, |b| b.is_ascii_digit() || matches!(b, b'-' | b' ' | b'.'));
    let end = super::super::start_of(bytes, end, |b| !b.is_ascii_digit());
    let rest = bytes.get(from..end)?.iter().filter(|b| b.is_ascii_digit()).count();
    let american = length == 3 && bytes[at] >= b'2' && rest == 7;
    let trunk = bytes[at] == b'0' && (4..=9).contains(&rest) || start < open && (6..=12).contains(&rest);
    let bounded = !byte(bytes, end).is_ascii_alphanumeric();
    ((american || trunk) && bounded).then_some((Kind::Phone, start, end))
}

/// `415-555-2671`, `1-800-555-0199`, `020 7946 0958`, `01 42 68 53 00`.
fn national(bytes: &[u8], at: usize) -> Found {
    let mut lengths = [0_usize; 6];
    let (mut place, mut end, mut groups, mut separator) = (at, at, 0, 0);
    while groups < lengths.len() {
        end = end_of(bytes, place, |b| b.is_ascii_digit());
        lengths[groups] = end - place;
        groups += 1;
        let sign = byte(bytes, end);
        let more = matches!(sign, b' ' | b'-' | b'.' | b'/') && byte(bytes, end + 1).is_ascii_digit();
        // The trunk code may be set off in its own way: `030/901820-0`.
        if !more || separator != 0 && sign != separator && groups > 2 {
            break;
        }
        separator = sign;
        place = end + 1;
    }
    let bounded = !byte(bytes, end).is_ascii_alphanumeric() && !joined(bytes, end);
    let written = match lengths.get(..groups)? {
        [3, 3, 4] => american(bytes, at) && separator != b' ' && separator != b'/',
        [1, 3, 3, 4] => {
            bytes[at] == b'1' && american(bytes, at + 2) && separator != b' ' && separator != b'/'
        }
        [2, 2, 2, 2, 2] => trunk(bytes, at) && separator != b'/' && !continues(bytes, at),
        [3..=6, rest @ ..] if separator != b'.' && !rest.is_empty() && rest.len() <= 3 => {
            let total: usize = 3.max(lengths[0]) + rest.iter().sum::<usize>();
            trunk(bytes, at) && rest.iter().all(|length| *length >= 2) && (9..=12).contains(&total)
        }
        _ => false,
    };
    (bounded && written).then_some((Kind::Phone, at, end))
}

/// Whether more digits follow behind a sign.
fn joined(bytes: &[u8], end: usize) -> bool {
    matches!(byte(bytes, end), b'-' | b'.' | b'/' | b':') && byte(bytes, end + 1).is_ascii_digit()
}

/// Whether this group only goes on with a list of others.
fn continues(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|space| before(bytes, space).is_ascii_digit())
}

/// A national prefix and no second zero.
fn trunk(bytes: &[u8], at: usize) -> bool {
    byte(bytes, at) == b'0' && matches!(byte(bytes, at + 1), b'1'..=b'9')
}

/// North American numbering plan: neither area nor exchange begins with 0 or 1.
fn american(bytes: &[u8], at: usize) -> bool {
    byte(bytes, at) >= b'2' && byte(bytes, at + 4) >= b'2' && byte(bytes, at + 4) <= b'9'
}
