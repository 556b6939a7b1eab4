//! International bank account numbers (ISO 13616-1): country, two check digits, and as many characters as the country has.

use super::Found;
use crate::Kind;
use crate::find::{before, byte};

/// Countries of the registry and how long their numbers are (SWIFT IBAN registry, release 99).
const COUNTRIES: &[u8] = b"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27\
GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27\
MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

/// The one whose first digit is here.
pub(super) fn find(bytes: &[u8], at: usize) -> Found {
    let letters = if matches!(before(bytes, at), b' ' | b'-') { at - 1 } else { at };
    let start = letters.checked_sub(2)?;
    let country = [byte(bytes, start).to_ascii_uppercase(), byte(bytes, start + 1).to_ascii_uppercase()];
    let letters = country.iter().all(u8::is_ascii_uppercase);
    if !letters || before(bytes, start).is_ascii_alphanumeric() || !byte(bytes, at + 1).is_ascii_digit() {
        return None;
    }
    let entry = COUNTRIES.chunks_exact(4).find(|entry| entry.starts_with(&country))?;
    let length = usize::from(entry[2] - b'0') * 10 + usize::from(entry[3] - b'0');
    let (mut rest, mut count, mut place) = (0, 2, at);
    let mut head = 0;
    while count < length {
        let c = byte(bytes, place);
        if c.is_ascii_alphanumeric() {
            // The first four characters count as the last.
            if count < 4 {
                head = head * 10 + u32::from(c - b'0');
            } else {
                rest = append(rest, c);
            }
            count += 1;
        } else if !matches!(c, b' ' | b'-' | b'.') || !byte(bytes, place + 1).is_ascii_alphanumeric() {
            return None;
        }
        place += 1;
    }
    let whole = country.iter().fold(rest, |value, c| append(value, *c));
    let right = (whole * 100 + head) % 97 == 1;
    (right && !byte(bytes, place).is_ascii_alphanumeric()).then_some((Kind::Iban, start, place))
}

/// ISO/IEC 7064, MOD 97-10, with letters as 10 to 35.
fn append(value: u32, c: u8) -> u32 {
    if c.is_ascii_digit() {
        (value * 10 + u32::from(c - b'0')) % 97
    } else {
        (value * 100 + u32::from(c.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97
    }
}
