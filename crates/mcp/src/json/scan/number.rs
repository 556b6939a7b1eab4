//! The grammar of JSON numbers (RFC 8259 section 6).

use super::SyntaxError;

/// The index after the number that starts at `at`.
pub(super) fn end(bytes: &[u8], mut at: usize) -> Result<usize, SyntaxError> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        Some(b'1'..=b'9') => digits(bytes, at)?,
        _ => return Err(SyntaxError::Unexpected { at }),
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Ok(at)
}

/// The index after one or more digits at `at`.
fn digits(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    let count = bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 { Err(SyntaxError::Unexpected { at }) } else { Ok(at + count) }
}
