//! JSON strings: finding their end, decoding escapes, writing them.
//!
//! The end of a string is found eight bytes at a time, because most bytes of most messages lie inside strings.
//! Lone surrogates are errors: they have no UTF-8 form, so two readers would see two different texts.

use std::borrow::Cow;

use super::scan::SyntaxError;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Index of the first quote, backslash or control character at or after `at`; `bytes.len()` if there is none.
pub(crate) fn find_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|c| <[u8; 8]>::try_from(c).ok()) {
        let word = u64::from_le_bytes(chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        // The lowest flagged byte of each term is exact; only bytes above it may be flagged wrongly.
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&b) = bytes.get(at) {
        if b == b'"' || b == b'\\' || b < 0x20 {
            break;
        }
        at += 1;
    }
    at
}

/// Checks the escape that starts with the backslash at `at`; answers the index after it.
pub(crate) fn check_escape(bytes: &[u8], at: usize) -> Result<usize, SyntaxError> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match hex4(bytes, at + 2)? {
            0xD800..=0xDBFF => {
                let low = bytes.get(at + 6) == Some(&b'\\') && bytes.get(at + 7) == Some(&b'u');
                if low && matches!(hex4(bytes, at + 8)?, 0xDC00..=0xDFFF) {
                    Ok(at + 12)
                } else {
                    Err(SyntaxError::LoneSurrogate { at })
                }
            }
            0xDC00..=0xDFFF => Err(SyntaxError::LoneSurrogate { at }),
            _ => Ok(at + 6),
        },
        _ => Err(SyntaxError::Escape { at }),
    }
}

/// Four hexadecimal digits at `at` as a UTF-16 unit.
fn hex4(bytes: &[u8], at: usize) -> Result<u32, SyntaxError> {
    let digits = bytes.get(at..at + 4).ok_or(SyntaxError::Escape { at })?;
    digits.iter().try_fold(0, |unit, &d| {
        let digit = (d as char).to_digit(16).ok_or(SyntaxError::Escape { at })?;
        Ok(unit << 4 | digit)
    })
}

/// The text between the quotes, decoded. `inner` is what stands between them.
pub(crate) fn decode(inner: &str) -> Result<Cow<'_, str>, SyntaxError> {
    let bytes = inner.as_bytes();
    let Some(first) = memchr::memchr(b'\\', bytes) else { return Ok(Cow::Borrowed(inner)) };
    let mut out = String::with_capacity(inner.len());
    let (mut from, mut at) = (0, first);
    loop {
        out.push_str(inner.get(from..at).ok_or(SyntaxError::Escape { at })?);
        from = check_escape(bytes, at)?;
        out.push(unescape(bytes, at)?);
        match memchr::memchr(b'\\', &bytes[from..]) {
            Some(next) => at = from + next,
            None => break,
        }
    }
    out.push_str(inner.get(from..).ok_or(SyntaxError::Escape { at })?);
    Ok(Cow::Owned(out))
}

/// The character that the escape at `at` stands for; the escape was checked before.
fn unescape(bytes: &[u8], at: usize) -> Result<char, SyntaxError> {
    Ok(match bytes.get(at + 1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let unit = hex4(bytes, at + 2)?;
            let code = if (0xD800..0xDC00).contains(&unit) {
                0x10000 + ((unit - 0xD800) << 10) + (hex4(bytes, at + 8)? - 0xDC00)
            } else {
                unit
            };
            char::from_u32(code).ok_or(SyntaxError::LoneSurrogate { at })?
        }
        Some(&c) => c as char,
        None => return Err(SyntaxError::Escape { at }),
    })
}

/// Decodes a JSON string with its quotes. `None` if `json` is not exactly one string.
pub fn unquote(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    decode(inner).ok()
}

/// Appends `text` as a JSON string, with its quotes.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut from = 0;
    for (at, &b) in text.as_bytes().iter().enumerate() {
        let escape: &[u8] = match b {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[from..at]);
        if escape.is_empty() {
            out.extend_from_slice(b"\\u00");
            out.push(b'0' + (b >> 4));
            out.push(b"0123456789abcdef"[usize::from(b & 15)]);
        } else {
            out.extend_from_slice(escape);
        }
        from = at + 1;
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
    out.push(b'"');
}

/// `text` as a JSON string, with its quotes.
pub fn quote(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_fast_search_finds_what_a_plain_one_finds(
            bytes in prop::collection::vec(
                prop_oneof![any::<u8>(), prop::sample::select(&b"\"\\\x1f\x20\x21\x23\x5b\x5d\x7f\x80\xa0\xa2\xdc\xff"[..])],
                0..40,
            ),
            at in 0..8_usize,
        ) {
            let at = at.min(bytes.len());
            let plain = bytes[at..].iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20);
            prop_assert_eq!(find_special(&bytes, at), plain.map_or(bytes.len(), |found| at + found));
        }
    }

    #[test]
    fn escapes_decode_as_the_grammar_says() {
        assert_eq!(
            unquote(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\uDE00z""#).as_deref(),
            Some("\"\\/\u{8}\u{c}\n\r\té😀z")
        );
        for bad in
            [r#""\x""#, r#""\u12""#, r#""\u+123""#, r#""\ud83d""#, r#""\ud83dx""#, r#""\ude00""#, "\"", "a"]
        {
            assert_eq!(unquote(bad), None, "{bad}");
        }
    }
}
