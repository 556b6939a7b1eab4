//! The parts of JSON (RFC 8259): strings, numbers, literals; and stepping over a value that nobody looks into.

/// Where the string ends whose content begins at `from`: the place of its closing quote.
pub(super) fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Puts the meaning of a string's content into `out`, and whether it is right: no control characters, no unknown escapes, no half of a
/// surrogate pair.
pub(super) fn decode(content: &str, out: &mut String) -> bool {
    let mut rest = content;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at(at);
        out.push_str(plain);
        let Some((c, width)) = escaped(escape.as_bytes()) else { return false };
        out.push(c);
        let Some(next) = escape.get(width..) else { return false };
        rest = next;
    }
    out.push_str(rest);
    content.bytes().fold(true, |right, b| right & (b >= 0x20))
}

fn escaped(bytes: &[u8]) -> Option<(char, usize)> {
    let c = match bytes.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{C}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return code_point(bytes),
        _ => return None,
    };
    Some((c, 2))
}

fn code_point(bytes: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 4)?;
        digits.iter().try_fold(0_u32, |value, b| Some(value * 16 + char::from(*b).to_digit(16)?))
    };
    let high = unit(2)?;
    if let Some(c) = char::from_u32(high) {
        return Some((c, 6));
    }
    let low = unit(8).filter(|_| bytes.get(6..8) == Some(br"\u"))?;
    if !(0xD800..0xDC00).contains(&high) || !(0xDC00..0xE000).contains(&low) {
        return None;
    }
    Some((char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))?, 12))
}

/// Where the number ends that begins here.
pub(super) fn number_end(bytes: &[u8], from: usize) -> Option<usize> {
    let digits = |at: usize| {
        let count = bytes.get(at..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        (count > 0).then_some(at + count)
    };
    let minus = usize::from(bytes.get(from) == Some(&b'-'));
    let mut end = digits(from + minus)?;
    if bytes[from + minus] == b'0' && end > from + minus + 1 {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits(end + 1 + sign)?;
    }
    Some(end)
}

/// Where `true`, `false` or `null` ends that begins here.
pub(super) fn literal_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    ["true", "false", "null"]
        .iter()
        .find(|word| rest.starts_with(word.as_bytes()))
        .map(|word| from + word.len())
}

/// Where the value ends that begins here. What is inside of it need not be right, since none of it is kept.
pub(super) fn value_end(bytes: &[u8], from: usize) -> Option<usize> {
    match bytes.get(from)? {
        b'"' => return Some(string_end(bytes, from + 1)? + 1),
        b'{' | b'[' => {}
        b'-' | b'0'..=b'9' => return number_end(bytes, from),
        _ => return literal_end(bytes, from),
    }
    let (mut at, mut open) = (from, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => at = string_end(bytes, at + 1)?,
            b'{' | b'[' => open += 1,
            b'}' | b']' if open == 1 => return Some(at + 1),
            b'}' | b']' => open -= 1,
            _ => {}
        }
        at += 1;
    }
}
