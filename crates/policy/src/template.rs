//! Whether a URI is covered by a URI template (RFC 6570, levels 1 to 3), read conservatively: a grant on a
//! template must not be stretched to a URI that the server may read as something else. A URI that is refused
//! here is still served to those who have a grant on the whole server.
//!
//! Matching walks the template once and keeps the set of positions in the URI that it can have come to, so
//! no template or URI makes it slow: time is their lengths multiplied.

mod expression;

use expression::Expression;

/// The longest template and URI that are matched, in bytes.
const MAX_TEMPLATE: usize = 2_048;
const MAX_URI: usize = 4_096;

/// The most literals and expressions that a template may have.
const MAX_PARTS: usize = 32;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriTemplate {
    parts: Vec<Part>,
    literals: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    Expression(Expression),
}

impl UriTemplate {
    /// Parses a template; none if it is no template, has more than 2,048 bytes or 32 parts, or is of level 4
    /// (prefixes and explosions), whose expansions cannot be told apart.
    pub fn parse(template: &str) -> Option<Self> {
        if template.len() > MAX_TEMPLATE {
            return None;
        }
        let mut parts = Vec::new();
        let mut literals = 0;
        let mut rest = template;
        while !rest.is_empty() {
            let (literal, expression) = match rest.split_once('{') {
                Some((before, after)) => {
                    let (inside, behind) = after.split_once('}')?;
                    rest = behind;
                    (before, Some(Expression::parse(inside)?))
                }
                None => (std::mem::take(&mut rest), None),
            };
            if literal.contains('}') {
                return None;
            }
            if !literal.is_empty() {
                literals += literal.chars().count();
                parts.push(Part::Literal(literal.into()));
            }
            parts.extend(expression.map(Part::Expression));
        }
        (parts.len() <= MAX_PARTS).then_some(Self { parts, literals })
    }

    /// How many literal characters it has: of several templates that cover a URI, the one with the most says
    /// the most about it.
    pub fn literals(&self) -> usize {
        self.literals
    }

    /// Whether it covers this URI. Never if the URI has dot segments, encoded slashes or dots, backslashes or
    /// control characters, by which a server could be led out of what the template names.
    pub fn matches(&self, uri: &str) -> bool {
        if let Some(Part::Literal(prefix)) = self.parts.first()
            && !uri.starts_with(&**prefix)
        {
            return false;
        }
        if uri.len() > MAX_URI || !is_plain(uri) {
            return false;
        }
        let mut reached = Positions::start(uri.len());
        for part in &self.parts {
            reached = match part {
                Part::Literal(literal) => reached.through_literal(uri.as_bytes(), literal.as_bytes()),
                Part::Expression(expression) => expression.walk(uri.as_bytes(), &reached),
            };
            if reached.is_empty() {
                return false;
            }
        }
        reached.has(uri.len())
    }
}

/// Positions in a URI, from 0 to its length.
#[derive(Debug, Clone)]
struct Positions(Vec<bool>);

impl Positions {
    fn none(length: usize) -> Self {
        Self(vec![false; length + 1])
    }

    fn start(length: usize) -> Self {
        let mut positions = Self::none(length);
        positions.add(0);
        positions
    }

    fn add(&mut self, at: usize) {
        if let Some(slot) = self.0.get_mut(at) {
            *slot = true;
        }
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at).copied().unwrap_or(false)
    }

    fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().filter_map(|(at, reached)| reached.then_some(at))
    }

    fn through_literal(&self, uri: &[u8], literal: &[u8]) -> Self {
        let mut after = Self::none(uri.len());
        for at in self.iter() {
            if uri.get(at..).is_some_and(|rest| rest.starts_with(literal)) {
                after.add(at + literal.len());
            }
        }
        after
    }

    /// On over one or more bytes, all of which are allowed.
    fn through_some(&self, uri: &[u8], allowed: impl Fn(u8) -> bool) -> Self {
        let mut after = Self::none(uri.len());
        let mut open = false;
        for (at, byte) in uri.iter().enumerate() {
            open = (open || self.has(at)) && allowed(*byte);
            if open {
                after.add(at + 1);
            }
        }
        after
    }

    fn and(mut self, other: &Self) -> Self {
        for at in other.iter() {
            self.add(at);
        }
        self
    }
}

/// Whether a URI means to every server what it says: nothing that some decode, normalise or cut.
fn is_plain(uri: &str) -> bool {
    let clean = !uri.chars().any(|c| c.is_control() || c == '\\');
    let dots = |segment: &str| matches!(segment, "." | "..");
    clean && has_plain_escapes(uri) && !uri.split(['/', '?', '#', '&', '=', ';', ',', ':']).any(dots)
}

/// Whether every `%` begins an escape of a byte that is no dot, slash, backslash, control character or `%`
/// itself (which a second decoding would turn into one of those).
fn has_plain_escapes(uri: &str) -> bool {
    uri.split('%').skip(1).all(|after| {
        let byte = after.get(..2).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = byte.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        byte.is_some_and(|byte| !byte.is_ascii_control() && !matches!(byte, b'.' | b'/' | b'\\' | b'%'))
    })
}

#[cfg(test)]
mod tests;
