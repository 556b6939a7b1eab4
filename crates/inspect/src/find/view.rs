//! A text as what it means: escapes of JSON and URLs undone, look-alikes of spaces, dashes and ASCII letters as ASCII,
//! characters without width left out. Each byte knows where it stood.

use std::ops::Range;

/// A text that was changed, with the way back.
pub(super) struct View {
    pub(super) text: String,
    /// For each byte of the text, where it stood in the original; then the length of the original.
    places: Vec<usize>,
}

impl View {
    /// The view of a text, if it is any different.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (changed, mut places) = unescape(text)?;
        places.push(text.len());
        Some(Self { text: changed, places })
    }

    /// The view of the view, if it is any different.
    pub(super) fn again(&self) -> Option<Self> {
        let mut next = Self::of(&self.text)?;
        for place in &mut next.places {
            *place = self.places.get(*place).copied().unwrap_or_default();
        }
        Some(next)
    }

    /// Where a stretch of the view stood.
    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        let place = |at: usize| self.places.get(at).or(self.places.last()).copied().unwrap_or_default();
        place(range.start)..place(range.end)
    }
}

/// The meaning of what stands at the beginning of the text.
enum Meaning {
    /// This character, written in so many bytes.
    Char(char, usize),
    /// Nothing, written in so many bytes.
    Nothing(usize),
    /// Itself.
    Same,
}

fn unescape(text: &str) -> Option<(String, Vec<usize>)> {
    let first = text.char_indices().find(|(at, _)| !matches!(meaning(&text[*at..]), Meaning::Same))?.0;
    let mut out = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len() + 1);
    out.push_str(&text[..first]);
    places.extend(0..first);
    let mut at = first;
    while let Some(c) = text[at..].chars().next() {
        match meaning(&text[at..]) {
            Meaning::Char(meant, width) => {
                out.push(meant);
                places.extend(std::iter::repeat_n(at, meant.len_utf8()));
                at += width;
            }
            Meaning::Nothing(width) => at += width,
            Meaning::Same => {
                out.push(c);
                places.extend(at..at + c.len_utf8());
                at += c.len_utf8();
            }
        }
    }
    Some((out, places))
}

fn meaning(rest: &str) -> Meaning {
    let bytes = rest.as_bytes();
    match bytes.first() {
        Some(b'\\') => backslash(bytes),
        Some(b'%') => percent(bytes),
        Some(0xC2 | 0xE2 | 0xEF) => rest.chars().next().map_or(Meaning::Same, look_alike),
        _ => Meaning::Same,
    }
}

/// RFC 8259, section 7.
fn backslash(bytes: &[u8]) -> Meaning {
    let simple = match bytes.get(1) {
        Some(b'u') => return code_unit(bytes),
        Some(b'"') => '"',
        Some(b'\'') => '\'',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'b' | b'f') => ' ',
        _ => return Meaning::Same,
    };
    Meaning::Char(simple, 2)
}

fn code_unit(bytes: &[u8]) -> Meaning {
    let Some(high) = hex(bytes, 2, 4) else { return Meaning::Same };
    if let Some(c) = char::from_u32(high) {
        return Meaning::Char(c, 6);
    }
    let pair = bytes.get(6..8).filter(|next| *next == br"\u").and_then(|_| hex(bytes, 8, 4));
    let c = pair
        .filter(|low| (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(low))
        .and_then(|low| char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)));
    c.map_or(Meaning::Same, |c| Meaning::Char(c, 12))
}

/// RFC 3986, section 2.1; printable ASCII only.
fn percent(bytes: &[u8]) -> Meaning {
    match hex(bytes, 1, 2).and_then(char::from_u32) {
        Some(c) if (' '..='~').contains(&c) => Meaning::Char(c, 3),
        _ => Meaning::Same,
    }
}

/// Characters that look like others or like nothing.
fn look_alike(c: char) -> Meaning {
    let width = c.len_utf8();
    match c {
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' => Meaning::Char(' ', width),
        '\u{2010}'..='\u{2013}' | '\u{2212}' => Meaning::Char('-', width),
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' => Meaning::Nothing(width),
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(c) - 0xFEE0).map_or(Meaning::Same, |c| Meaning::Char(c, width))
        }
        _ => Meaning::Same,
    }
}

fn hex(bytes: &[u8], from: usize, digits: usize) -> Option<u32> {
    let text = bytes.get(from..from + digits)?;
    text.iter().try_fold(0, |value, b| Some(value * 16 + char::from(*b).to_digit(16)?))
}
