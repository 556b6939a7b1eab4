//! Payment cards: 13 to 19 digits of a known network with a right check digit (ISO/IEC 7812-1, annex B).

use super::{Cluster, Found};
use crate::Kind;
use crate::find::byte;

pub(super) fn find(cluster: &Cluster<'_>) -> Found {
    for count in (13..=19.min(cluster.count())).rev() {
        let digits = cluster.digits(count);
        if !network(digits) || !luhn(digits) {
            continue;
        }
        let Some((end, groups)) = cluster.end_of(count) else { continue };
        let bounded = !byte(cluster.bytes, end).is_ascii_hexdigit();
        if bounded && plausible(cluster, groups) {
            return Some((Kind::Card, cluster.start, end));
        }
    }
    None
}

/// Whether somebody would write a card like this: groups of three and more with one separator, each digit by itself, or all
/// together and then not as the decimals of a number.
fn plausible(cluster: &Cluster<'_>, groups: usize) -> bool {
    if groups == 1 {
        return !cluster.is_fraction();
    }
    let mut lengths = cluster.lengths(groups);
    let single = lengths.clone().all(|length| length == 1);
    let large = lengths.by_ref().take(groups - 1).all(|length| length >= 3);
    cluster.separator(groups).is_some() && (single || large)
}

/// Which networks have numbers of this length and beginning.
fn network(digits: &[u8]) -> bool {
    let begin =
        |count: usize| digits.iter().take(count).fold(0_u32, |value, digit| value * 10 + u32::from(*digit));
    matches!(
        (digits.len(), begin(2), begin(4)),
        (13 | 16 | 19, 40..=49, _)
            | (16, 51..=55 | 60, _)
            | (16, _, 2221..=2720)
            | (15, 34 | 37, _)
            | (16..=19, 65 | 62, _)
            | (16..=19, _, 6011 | 6440..=6499 | 3528..=3589)
            | (16 | 18 | 19, 50 | 56..=58 | 63 | 67, _)
            | (14, 36 | 38 | 39, _)
            | (14, _, 3000..=3059)
    )
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit @ 5..) => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}
