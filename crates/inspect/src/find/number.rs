//! Numbers of people and accounts. The anchor is the first digit of a group; what must stand around it decides.

mod card;
mod group;
mod iban;
mod national;
mod phone;

use super::{Finding, before, byte, end_of};
use crate::Kind;
use group::Cluster;

/// Numbers without letters or a sign in front have no fewer digits.
const LEAST: usize = 8;

/// What was recognised, and where.
type Found = Option<(Kind, usize, usize)>;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(offset) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = at + offset;
        at = match recognise(bytes, start) {
            Some((kind, from, end)) => {
                found.push(Finding { kind, range: from..end });
                end_of(bytes, end.max(start), |b| b.is_ascii_digit())
            }
            None => end_of(bytes, start, |b| b.is_ascii_digit()),
        };
    }
}

/// What the group of digits that begins here is the first of.
fn recognise(bytes: &[u8], at: usize) -> Found {
    let previous = before(bytes, at);
    let lettered = if may_follow_letters(bytes, at, previous) {
        iban::find(bytes, at).or_else(|| national::lettered(bytes, at))
    } else {
        None
    };
    if lettered.is_some() || previous.is_ascii_hexdigit() {
        return lettered;
    }
    // Telephone numbers may have other signs between their groups, and fewer digits.
    if matches!(previous, b'+' | b'(') {
        return phone::find(bytes, at);
    }
    let end = end_of(bytes, at, |b| b.is_ascii_digit());
    let grouped = group::is_separator(byte(bytes, end)) && byte(bytes, end + 1).is_ascii_digit();
    if end - at < LEAST && !grouped {
        return None;
    }
    let cluster = Cluster::at(bytes, at);
    if cluster.count() < LEAST {
        return None;
    }
    card::find(&cluster).or_else(|| national::numeric(&cluster)).or_else(|| phone::find(bytes, at))
}

/// Whether as many letters stand before this digit as some number begins with, and nothing before them.
fn may_follow_letters(bytes: &[u8], at: usize, previous: u8) -> bool {
    let letters = if matches!(previous, b' ' | b'-') { at - 1 } else { at };
    let seen = &bytes[letters.saturating_sub(7)..letters];
    let count = seen.iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
    matches!(count, 1 | 2 | 6) && !before(bytes, letters - count).is_ascii_digit()
}
