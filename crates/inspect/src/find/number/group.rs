//! Groups of digits with single separators between them.

use crate::find::{before, byte, end_of};

/// No number that is looked for has more digits.
const DIGITS: usize = 24;

/// Whether this may stand between two groups.
pub(super) const fn is_separator(b: u8) -> bool {
    matches!(b, b' ' | b'-' | b'.' | b'/' | b'_')
}

/// A cluster is shorter than 256 bytes.
fn small(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

/// Groups of digits that may be one number.
pub(super) struct Cluster<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) start: usize,
    digits: [u8; DIGITS],
    count: usize,
    /// For each group: how many digits it has, how far from the start it ends, and what stands before it.
    groups: [(u8, u8, u8); DIGITS],
    groups_count: usize,
}

impl<'a> Cluster<'a> {
    /// The groups from this digit on; groups that do not fit are left out.
    pub(super) fn at(bytes: &'a [u8], start: usize) -> Self {
        let mut cluster = Self {
            bytes,
            start,
            digits: [0; DIGITS],
            count: 0,
            groups: [(0, 0, 0); DIGITS],
            groups_count: 0,
        };
        let (mut at, mut separator) = (start, 0);
        loop {
            let end = end_of(bytes, at, |b| b.is_ascii_digit());
            let group = &bytes[at..end];
            if cluster.count + group.len() > DIGITS {
                return cluster;
            }
            for (to, digit) in cluster.digits[cluster.count..].iter_mut().zip(group) {
                *to = digit - b'0';
            }
            cluster.count += group.len();
            cluster.groups[cluster.groups_count] = (small(group.len()), small(end - start), separator);
            cluster.groups_count += 1;
            separator = byte(bytes, end);
            if !is_separator(separator) || !byte(bytes, end + 1).is_ascii_digit() {
                return cluster;
            }
            at = end + 1;
        }
    }

    /// How many digits there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The first digits, as values.
    pub(super) fn digits(&self, count: usize) -> &[u8] {
        self.digits.get(..count).unwrap_or_default()
    }

    fn groups(&self) -> &[(u8, u8, u8)] {
        self.groups.get(..self.groups_count).unwrap_or_default()
    }

    /// Where the first `count` digits end, if that is the end of a group; with how many groups these are.
    pub(super) fn end_of(&self, count: usize) -> Option<(usize, usize)> {
        let mut sum = 0;
        for (index, (length, end, _)) in self.groups().iter().enumerate() {
            sum += usize::from(*length);
            if sum >= count {
                return (sum == count).then_some((self.start + usize::from(*end), index + 1));
            }
        }
        None
    }

    /// The lengths of the first groups.
    pub(super) fn lengths(&self, groups: usize) -> impl Iterator<Item = usize> + Clone {
        self.groups().iter().take(groups).map(|(length, ..)| usize::from(*length))
    }

    /// What separates the first groups, if it is the same everywhere.
    pub(super) fn separator(&self, groups: usize) -> Option<u8> {
        let mut between = self.groups().iter().take(groups).skip(1).map(|(.., separator)| *separator);
        let first = between.next()?;
        between.all(|other| other == first).then_some(first)
    }

    /// Whether the first groups have these lengths and this separator; where they end.
    pub(super) fn written(&self, lengths: &[usize], separators: &[u8]) -> Option<usize> {
        let same = self.lengths(lengths.len()).eq(lengths.iter().copied());
        let end = self.start + usize::from(self.groups().get(lengths.len() - 1)?.1);
        let separated = lengths.len() == 1 || separators.contains(&self.separator(lengths.len())?);
        (same && separated && self.alone(end)).then_some(end)
    }

    /// Whether what ends here is no part of a larger number or word.
    pub(super) fn alone(&self, end: usize) -> bool {
        let bytes = self.bytes;
        let joins =
            |sign: u8, beyond: u8| matches!(sign, b'-' | b'.' | b'_' | b'/') && beyond.is_ascii_digit();
        let sign = before(bytes, self.start);
        let beyond = self.start.checked_sub(2).map_or(0, |at| byte(bytes, at));
        !sign.is_ascii_alphanumeric()
            && !joins(sign, beyond)
            && !byte(bytes, end).is_ascii_alphanumeric()
            && !joins(byte(bytes, end), byte(bytes, end + 1))
    }

    /// Whether the digits are the decimals of a number.
    pub(super) fn is_fraction(&self) -> bool {
        let beyond = self.start.checked_sub(2).map_or(0, |at| byte(self.bytes, at));
        matches!(before(self.bytes, self.start), b'.' | b',') && beyond.is_ascii_digit()
    }
}
