//! Numbers that states give to persons: United States (SSN), United Kingdom (NINO), Germany (Steuer-ID), France (NIR), Switzerland
//! (AHV), Spain (DNI, NIE), Italy (codice fiscale). Those with a check digit must have the right one.

use super::{Cluster, Found};
use crate::Kind;
use crate::find::{before, byte};

/// Numbers of digits only.
pub(super) fn numeric(cluster: &Cluster<'_>) -> Found {
    let end = social_security(cluster)
        .or_else(|| steuer_id(cluster))
        .or_else(|| ahv(cluster))
        .or_else(|| nir(cluster))
        .or_else(|| dni(cluster))?;
    Some((Kind::NationalId, cluster.start, end))
}

/// `AAA-GG-SSSS`, without the areas, groups and serials that are never given (SSA, since 2011).
fn social_security(cluster: &Cluster<'_>) -> Option<usize> {
    let end = cluster.written(&[3, 2, 4], b"-")?;
    let value = |digits: &[u8]| digits.iter().fold(0_u32, |value, digit| value * 10 + u32::from(*digit));
    let (area, rest) = cluster.digits(9).split_at(3);
    let (group, serial) = rest.split_at(2);
    let given = !matches!(value(area), 0 | 666 | 900..) && value(group) != 0 && value(serial) != 0;
    given.then_some(end)
}

/// Eleven digits with a check digit by ISO/IEC 7064, MOD 11,10; among the first ten exactly one digit stands twice or three times
/// (§ 139b AO; BZSt).
fn steuer_id(cluster: &Cluster<'_>) -> Option<usize> {
    let end = cluster.written(&[11], b"").or_else(|| cluster.written(&[2, 3, 3, 3], b" "))?;
    let digits = cluster.digits(11);
    let (first, check) = (digits.get(..10)?, u32::from(*digits.last()?));
    let mut times = [0_u8; 10];
    for digit in first {
        times[usize::from(*digit)] += 1;
    }
    let doubled =
        times.iter().filter(|count| **count > 1).count() == 1 && times.iter().all(|count| *count <= 3);
    let product = first.iter().fold(10, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (first[0] != 0 && doubled && (11 - product) % 10 == check).then_some(end)
}

/// `756.1234.5678.97`: an EAN-13 of Switzerland.
fn ahv(cluster: &Cluster<'_>) -> Option<usize> {
    let end = cluster.written(&[13], b"").or_else(|| cluster.written(&[3, 4, 4, 2], b". -"))?;
    let digits = cluster.digits(13);
    let sum: u32 =
        digits.iter().zip([1, 3].iter().cycle()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    (digits.starts_with(&[7, 5, 6]) && sum.is_multiple_of(10)).then_some(end)
}

/// Sex, year, month, département, commune, order, and a key of 97 less the rest. Corsica's letters are not known.
fn nir(cluster: &Cluster<'_>) -> Option<usize> {
    let end = cluster
        .written(&[15], b"")
        .or_else(|| cluster.written(&[13, 2], b" "))
        .or_else(|| cluster.written(&[1, 2, 2, 2, 3, 3, 2], b" .-"))?;
    let digits = cluster.digits(15);
    let value = |digits: &[u8]| digits.iter().fold(0_u64, |value, digit| value * 10 + u64::from(*digit));
    let month = value(digits.get(3..5)?);
    let known = matches!(digits[0], 1 | 2 | 3 | 4 | 7 | 8) && matches!(month, 1..=12 | 20..=42 | 50..=99);
    (known && 97 - value(&digits[..13]) % 97 == value(&digits[13..])).then_some(end)
}

const DNI: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Eight digits and a letter.
fn dni(cluster: &Cluster<'_>) -> Option<usize> {
    let (end, 1) = cluster.end_of(8)? else { return None };
    let start = before(cluster.bytes, cluster.start);
    let value = cluster.digits(8).iter().fold(0, |value, digit| value * 10 + usize::from(*digit));
    let letter = if byte(cluster.bytes, end) == b'-' { end + 1 } else { end };
    let right = byte(cluster.bytes, letter).to_ascii_uppercase() == DNI[value % 23];
    (right && !start.is_ascii_alphanumeric() && ends(cluster.bytes, letter + 1)).then_some(letter + 1)
}

/// Numbers that begin with letters; the first digit is here.
pub(super) fn lettered(bytes: &[u8], at: usize) -> Found {
    let (start, end) = nino(bytes, at).or_else(|| nie(bytes, at)).or_else(|| codice_fiscale(bytes, at))?;
    (!before(bytes, start).is_ascii_alphanumeric() && ends(bytes, end)).then_some((
        Kind::NationalId,
        start,
        end,
    ))
}

fn ends(bytes: &[u8], at: usize) -> bool {
    !byte(bytes, at).is_ascii_alphanumeric()
}

/// Two letters, six digits, a letter from A to D; the pairs that are never given are left out (HMRC NIM39110).
fn nino(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let letters = if matches!(before(bytes, at), b' ' | b'-') { at - 1 } else { at };
    let start = letters.checked_sub(2)?;
    let pair = [byte(bytes, start).to_ascii_uppercase(), byte(bytes, start + 1).to_ascii_uppercase()];
    let given = pair.iter().all(u8::is_ascii_uppercase)
        && !b"DFIQUV".contains(&pair[0])
        && !b"DFIOQUV".contains(&pair[1])
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&pair);
    let (mut digits, mut place) = (0, at);
    while given && digits < 6 {
        let c = byte(bytes, place);
        if c.is_ascii_digit() {
            digits += 1;
        } else if !matches!(c, b' ' | b'-') || digits % 2 != 0 {
            return None;
        }
        place += 1;
    }
    let suffix = if matches!(byte(bytes, place), b' ' | b'-') { place + 1 } else { place };
    let right = given && matches!(byte(bytes, suffix).to_ascii_uppercase(), b'A'..=b'D');
    right.then_some((start, suffix + 1))
}

/// X, Y or Z for 0, 1 or 2, seven digits and the letter of the DNI.
fn nie(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let letters = if before(bytes, at) == b'-' { at - 1 } else { at };
    let start = letters.checked_sub(1)?;
    let first = match byte(bytes, start).to_ascii_uppercase() {
        c @ b'X'..=b'Z' => usize::from(c - b'X'),
        _ => return None,
    };
    let digits = bytes.get(at..at + 7).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let value = digits.iter().fold(first, |value, digit| value * 10 + usize::from(digit - b'0'));
    let letter = if byte(bytes, at + 7) == b'-' { at + 8 } else { at + 7 };
    (byte(bytes, letter).to_ascii_uppercase() == DNI[value % 23]).then_some((start, letter + 1))
}

/// Six letters, year, month, day, place and a check letter (D.M. 23 December 1976); letters may stand for digits.
fn codice_fiscale(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let start = at.checked_sub(6)?;
    let code = bytes.get(start..start + 16)?;
    let digit = |b: &u8| b.is_ascii_digit() || b"LMNPQRSTUV".contains(&b.to_ascii_uppercase());
    let letters = [0, 1, 2, 3, 4, 5, 8, 11, 15].iter().all(|place| code[*place].is_ascii_alphabetic());
    let digits = [6, 7, 9, 10, 12, 13, 14].iter().all(|place| digit(&code[*place]));
    if !letters || !digits || !b"ABCDEHLMPRST".contains(&code[8].to_ascii_uppercase()) {
        return None;
    }
    let sum: usize = code[..15].iter().enumerate().map(|(place, c)| weight(*c, place % 2 == 0)).sum();
    (usize::from(code[15].to_ascii_uppercase() - b'A') == sum % 26).then_some((start, start + 16))
}

/// What a character of a codice fiscale counts, in an odd place (the first is odd) or an even one.
fn weight(c: u8, odd: bool) -> usize {
    const ODD: [usize; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let value = if c.is_ascii_digit() { c - b'0' } else { c.to_ascii_uppercase().saturating_sub(b'A') };
    let value = usize::from(value);
    if odd { ODD.get(value).copied().unwrap_or_default() } else { value }
}
