//! One `{…}` of a template: its operator, its variables, and which stretches of a URI it can have become.

use super::Positions;

/// The most variables that one expression may have.
const MAX_VARIABLES: usize = 16;

/// An expression (RFC 6570 section 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// `{a,b}`: one value for each variable, joined by `,`.
    Simple(usize),
    /// `{+a,b}`: anything or nothing.
    Reserved,
    /// `{#a}`: nothing, or `#` and anything.
    Fragment,
    /// `{.a,b}` and `{/a,b}`: the sign and a value for each variable.
    Each(u8, usize),
    /// `{;a,b}`, `{?a,b}`, `{&a,b}`: what begins it, what separates it, and its names. Each name at most
    /// once, in any order.
    Named {
        /// Before the first.
        first: u8,
        /// Before each other one.
        next: u8,
        /// What may be named.
        names: Vec<Box<str>>,
    },
}

impl Expression {
    /// Parses what stands between the braces.
    pub(super) fn parse(inside: &str) -> Option<Self> {
        let operator = inside.bytes().next().filter(u8::is_ascii_punctuation).filter(|b| !b"_%".contains(b));
        let list = if operator.is_some() { inside.get(1..)? } else { inside };
        let names: Vec<Box<str>> = list.split(',').map(name).collect::<Option<_>>()?;
        if names.len() > MAX_VARIABLES {
            return None;
        }
        Some(match operator {
            None => Self::Simple(names.len()),
            Some(b'+') => Self::Reserved,
            Some(b'#') => Self::Fragment,
            Some(sign @ (b'.' | b'/')) => Self::Each(sign, names.len()),
            Some(sign @ (b';' | b'&')) => Self::Named { first: sign, next: sign, names },
            Some(b'?') => Self::Named { first: b'?', next: b'&', names },
            Some(_) => return None,
        })
    }

    /// The positions to which it leads from these.
    pub(super) fn walk(&self, uri: &[u8], from: &Positions) -> Positions {
        match self {
            Self::Simple(1) => from.through_some(uri, in_segment),
            Self::Simple(values) => {
                let value = |from: &Positions| from.through_some(uri, |b| in_segment(b) && b != b',');
                (1..*values).fold(value(from), |at, _| value(&at.through_literal(uri, b",")))
            }
            Self::Reserved => from.clone().and(&from.through_some(uri, |_| true)),
            Self::Fragment => {
                let sign = from.through_literal(uri, b"#");
                from.clone().and(&sign).and(&sign.through_some(uri, |_| true))
            }
            Self::Each(sign, values) => (0..*values).fold(from.clone(), |at, _| {
                at.through_literal(uri, &[*sign]).through_some(uri, |b| in_segment(b) && b != *sign)
            }),
            Self::Named { first, next, names } => {
                let mut after = from.clone();
                for start in from.iter() {
                    named(uri, start, (*first, *next, names), &mut after);
                }
                after
            }
        }
    }
}

/// Marks the end of each pair that can be read from here on.
fn named(uri: &[u8], start: usize, (first, next, names): (u8, u8, &[Box<str>]), ends: &mut Positions) {
    let mut unused: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let (mut at, mut sign) = (start, first);
    while uri.get(at) == Some(&sign) {
        let rest = uri.get(at + 1..).unwrap_or_default();
        let length = rest.iter().position(|b| *b == next || !in_segment(*b)).unwrap_or(rest.len());
        let pair = rest.get(..length).unwrap_or_default();
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
        let Some(place) = unused.iter().position(|n| n.as_bytes() == name) else { return };
        unused.swap_remove(place);
        at += 1 + length;
        sign = next;
        ends.add(at);
    }
}

/// A variable's name, without the modifiers of level 4.
fn name(text: &str) -> Option<Box<str>> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'%');
    (!text.is_empty() && text.bytes().all(allowed)).then(|| text.into())
}

/// Whether a value may have this byte: nothing that ends a segment, a path or a query.
fn in_segment(byte: u8) -> bool {
    !matches!(byte, b'/' | b'?' | b'#')
}
