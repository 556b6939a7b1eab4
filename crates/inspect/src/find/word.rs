//! Values beside words: `password=…`, `"token": "…"`, `Authorization: …`, `Bearer …`, `--secret …`, `password is …`.

use std::ops::Range;

use super::{Finding, before, byte, end_of, start_of};
use crate::Kind;
use crate::kind::is_mark;
use crate::name::meaning;

/// Names are not longer than this, in bytes.
const NAME: usize = 80;
/// The label of a PEM block is not longer than this, in bytes.
const LABEL: usize = 80;
/// What scheme `Bearer` shows is not shorter than this, in bytes.
const BEARER: usize = 8;
/// What a secret that is told in a sentence is not shorter than, in bytes.
const SPOKEN: usize = 4;

/// Values that are given to a name by `:` or `=`.
pub(super) fn assigned(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for at in memchr::memchr2_iter(b':', b'=', bytes) {
        // `:=`, `==` and `::` are one sign, `://` is none.
        if at < done || matches!(before(bytes, at), b':' | b'=') || bytes[at..].starts_with(b"://") {
            continue;
        }
        let Some(kind) = name_before(text, at) else { continue };
        let from = end_of(bytes, at + 1, |b| matches!(b, b':' | b'=' | b'>' | b'~' | b' ' | b'\t'));
        let range = match kind {
            Kind::Credential => line(bytes, from),
            _ => value(bytes, from),
        };
        let digits = bytes[range.clone()].iter().filter(|b| b.is_ascii_digit()).count();
        let enough = !matches!(kind, Kind::Phone | Kind::NationalId) || digits >= 7;
        if enough && tells(&text[range.clone()]) {
            done = range.end;
            found.push(Finding { kind, range });
        }
    }
}

/// What the name says that ends before this place, but for quotes and spaces.
fn name_before(text: &str, at: usize) -> Option<Kind> {
    let bytes = text.as_bytes();
    let end = start_of(bytes, at, |b| matches!(b, b'"' | b'\'' | b'`' | b' ' | b'\\' | b']'));
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let floor = text.floor_char_boundary(end.saturating_sub(NAME));
    let start = floor + start_of(&bytes[floor..], end - floor, part);
    let last = &text[start..end];
    let marked = before(bytes, start) == b'[' && text.get(start - 1..=end).is_some_and(is_mark);
    if last.is_empty() || at - end > 4 || marked {
        return None;
    }
    let alone = meaning(last);
    // "API key: …": the word before belongs to the name.
    let two = ["key", "string", "code", "phrase", "id", "number"];
    if alone.is_none() && before(bytes, start) == b' ' && two.iter().any(|w| last.eq_ignore_ascii_case(w)) {
        let first = floor + start_of(&bytes[floor..], start - 1 - floor, part);
        return meaning(&text[first..end]);
    }
    alone
}

/// A header's value: the rest of the line, or of the quoted text that it stands in.
fn line(bytes: &[u8], from: usize) -> Range<usize> {
    let from = end_of(bytes, from, |b| matches!(b, b'"' | b'\'' | b'\\' | b'['));
    let from = if before(bytes, from) == b'[' { from - 1 } else { from };
    from..end_of(bytes, from, |b| !matches!(b, b'"' | b'\'' | b'\r' | b'\n'))
}

/// A value: a quoted text, a whole object or array, or what stands there without spaces.
fn value(bytes: &[u8], from: usize) -> Range<usize> {
    let start = end_of(bytes, from, |b| b == b'\\');
    match byte(bytes, start) {
        quote @ (b'"' | b'\'' | b'`') => quoted(bytes, start + 1, quote, start > from),
        b'{' => start..closed(bytes, start),
        b'[' if !is_mark_here(bytes, start) => start..closed(bytes, start),
        _ => bare(bytes, from),
    }
}

fn is_mark_here(bytes: &[u8], from: usize) -> bool {
    let end = end_of(bytes, from, |b| b != b']');
    std::str::from_utf8(bytes.get(from..=end).unwrap_or_default()).is_ok_and(is_mark)
}

/// To the closing quote, which is escaped as the opening one is; else to the end of the line.
fn quoted(bytes: &[u8], from: usize, quote: u8, escaped: bool) -> Range<usize> {
    let mut at = from;
    while let Some(found) = memchr::memchr(quote, &bytes[at..]) {
        at += found;
        let slashes = at - start_of(bytes, at, |b| b == b'\\').max(from);
        if escaped && slashes > 0 || slashes.is_multiple_of(2) {
            return from..at - if escaped { slashes } else { 0 };
        }
        at += 1;
    }
    from..end_of(bytes, from, |b| !matches!(b, b'\r' | b'\n'))
}

/// To the bracket that closes the one here; else to the end.
fn closed(bytes: &[u8], from: usize) -> usize {
    let mut open = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'{' | b'[' => open += 1,
            b'}' | b']' if open == 1 => return at + 1,
            b'}' | b']' => open -= 1,
            _ => {}
        }
    }
    bytes.len()
}

/// To a space or a sign that separates values; brackets at the end belong to what stands around.
fn bare(bytes: &[u8], from: usize) -> Range<usize> {
    let separates = |b: u8| matches!(b, b',' | b';' | b'&' | b'"' | b'\'' | b'<' | b'>' | b'`' | 0..=b' ');
    let end = end_of(bytes, from, |b| !separates(b));
    let inner = start_of(&bytes[from..], end - from, |b| matches!(b, b')' | b'}' | b']' | b'.' | b'\\'));
    // A mark ends in a bracket of its own.
    let marked = byte(bytes, from) == b'[' && byte(bytes, from + inner) == b']';
    from..from + inner + usize::from(marked)
}

/// Whether a value is one: not only marks, not a word that says that there is none.
fn tells(value: &str) -> bool {
    const NOTHING: [&str; 12] = [
        "null",
        "none",
        "nil",
        "true",
        "false",
        "undefined",
        "string",
        "str",
        "required",
        "optional",
        "invalid",
        "missing",
    ];
    value.bytes().any(|b| b.is_ascii_alphanumeric() || b >= 0x80)
        && !value.split_ascii_whitespace().all(is_mark)
        && !NOTHING.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Values that follow a word without any sign between.
pub(super) fn spoken(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = end_of(bytes, at, is_word);
        let follower = if end > at { follow(text, &text[at..end], end) } else { None };
        // What was found is not looked into: that keeps hostile texts from being read over and over.
        at = (end + 1).max(follower.as_ref().map_or(0, |finding| finding.range.end));
        found.extend(follower);
    }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'+' | b'~')
}

/// What follows this word, which ends here.
fn follow(text: &str, word: &str, end: usize) -> Option<Finding> {
    let bytes = text.as_bytes();
    if word == "-----BEGIN" {
        return private_key(text, end - word.len());
    }
    let from = end_of(bytes, end, |b| matches!(b, b' ' | b'\t'));
    if from == end {
        return None;
    }
    let names = ["password", "passphrase", "passwd", "pwd", "secret", "token"];
    let (kind, range, good) = if let Some(flag) = word.strip_prefix("--") {
        let kind = meaning(flag).filter(|kind| matches!(kind, Kind::Secret | Kind::Credential))?;
        let range = value(bytes, from);
        let good = byte(bytes, range.start) != b'-';
        (kind, range, good)
    } else if word.eq_ignore_ascii_case("bearer") {
        let range = bare(bytes, from);
        let good = range.len() >= BEARER && mixed(&text[range.clone()]);
        (Kind::Credential, range, good)
    } else if word.eq_ignore_ascii_case("basic") {
        let range = bare(bytes, from);
        let good = is_basic(&text[range.clone()]);
        (Kind::Credential, range, good)
    } else if names.iter().any(|name| word.eq_ignore_ascii_case(name)) {
        let is = end_of(bytes, from, |b| b.is_ascii_alphabetic());
        if !bytes[from..is].eq_ignore_ascii_case(b"is") || byte(bytes, is) != b' ' {
            return None;
        }
        let range = value(bytes, is + 1);
        let good = range.len() >= SPOKEN && mixed(&text[range.clone()]);
        (Kind::Secret, range, good)
    } else {
        return None;
    };
    (good && tells(&text[range.clone()])).then_some(Finding { kind, range })
}

/// Whether the text is no plain word: there are digits, signs or capitals in it.
fn mixed(text: &str) -> bool {
    let rest = text.bytes().skip(1);
    text.bytes().any(|b| b.is_ascii_digit())
        || rest.clone().any(|b| !b.is_ascii_lowercase() && b != b'-' && b < 0x80)
}

/// RFC 7617: base64 of a name, a colon and a password. Only whether it could be.
fn is_basic(value: &str) -> bool {
    let body = value.trim_end_matches('=');
    let base64 = body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_'));
    base64 && value.len() >= BEARER && value.len().is_multiple_of(4) && mixed(value)
}

/// A PEM private key that begins here, to its end or to that of the text (RFC 7468, section 2).
fn private_key(text: &str, start: usize) -> Option<Finding> {
    let label = start + "-----BEGIN".len();
    let limit = text.floor_char_boundary(text.len().min(label + LABEL));
    let (label_text, _) = text.get(label..limit)?.split_once("-----")?;
    if !label_text.contains("PRIVATE KEY") {
        return None;
    }
    let body = text.get(label + label_text.len() + "-----".len()..)?;
    let from = text.len() - body.len();
    let end = body.find("-----END").map_or(text.len(), |end| {
        let tail = from + end + "-----END".len();
        text.get(tail..).and_then(|rest| rest.find("-----")).map_or(text.len(), |close| tail + close + 5)
    });
    Some(Finding { kind: Kind::PrivateKey, range: start..end })
}
