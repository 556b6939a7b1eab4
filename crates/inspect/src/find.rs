//! Finding what is in a text.
//!
//! One pass over the bytes says which detectors have anything to look for ([`shape`]); most texts end there. A detector goes from
//! anchor to anchor (an `@`, a group of digits, a known beginning) and checks by hand what stands around. Texts with escapes are
//! looked at again as what they mean ([`view`]).

mod email;
mod number;
mod shape;
mod token;
mod url;
mod view;
mod word;

use std::ops::Range;

pub(crate) use self::shape::{Shape, Stop};
use self::view::View;
use crate::Kind;

/// How many times a text may be escaped over and over before it is masked as a whole.
const LEVELS: usize = 8;

/// A stretch of text and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes, at character boundaries.
    pub range: Range<usize>,
}

/// What is in the text, from its beginning to its end. Findings do not overlap: those that would become one, which covers both and is of
/// the more serious kind.
pub fn find(text: &str) -> Vec<Finding> {
    let mut finder = Finder::default();
    finder.find(text, Scope::All);
    finder.found
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything.
    All,
    /// Secrets only: a rule says `keep`.
    Secrets,
    /// Nothing: only rules count.
    Nothing,
}

/// A search with room for its findings, to be used again.
#[derive(Default)]
pub(crate) struct Finder {
    found: Vec<Finding>,
}

impl Finder {
    /// Looks through the text.
    pub(crate) fn find(&mut self, text: &str, scope: Scope) -> &[Finding] {
        self.find_shaped(text, &Shape::of(text.as_bytes()), scope)
    }

    /// Looks through a text of known shape.
    pub(crate) fn find_shaped(&mut self, text: &str, shape: &Shape, scope: Scope) -> &[Finding] {
        self.found.clear();
        if scope == Scope::Nothing {
            return &self.found;
        }
        look(text, shape, &mut self.found);
        if shape.escaped() {
            self.look_behind_escapes(text);
        }
        if scope == Scope::Secrets {
            self.found.retain(|finding| finding.kind.is_secret());
        }
        merge(&mut self.found);
        &self.found
    }

    fn look_behind_escapes(&mut self, text: &str) {
        let Some(mut view) = View::of(text) else { return };
        for _ in 0..LEVELS {
            let from = self.found.len();
            look(&view.text, &Shape::of(view.text.as_bytes()), &mut self.found);
            for finding in &mut self.found[from..] {
                finding.range = view.original(&finding.range);
            }
            match view.again() {
                Some(next) => view = next,
                None => return,
            }
        }
        self.found.push(Finding { kind: Kind::Nested, range: 0..text.len() });
    }
}

/// One look at a text as it stands.
fn look(text: &str, shape: &Shape, found: &mut Vec<Finding>) {
    if shape.long_run() {
        token::find(text, shape.longest(), found);
    }
    if shape.assigns() {
        word::assigned(text, found);
        url::find(text, found);
    }
    if shape.speaks() {
        word::spoken(text, found);
    }
    if shape.at_sign() {
        email::find(text, found);
    }
    if shape.digits() {
        number::find(text, found);
    }
}

/// Puts findings in order and makes one of those that overlap.
fn merge(found: &mut Vec<Finding>) {
    if found.len() < 2 {
        return;
    }
    found.sort_by_key(|finding| (finding.range.start, finding.kind));
    found.dedup_by(|next, last| {
        let overlap = next.range.start < last.range.end;
        // Behind a URL's user part is its host, even if both look like an address.
        let host = last.kind == Kind::Credential && next.kind == Kind::Email;
        if overlap && !host {
            last.range.end = last.range.end.max(next.range.end);
            last.kind = last.kind.min(next.kind);
        }
        overlap
    });
}

/// The byte at this place, or 0 outside of the text.
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The byte before this place, or 0 at the beginning.
fn before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |at| byte(text, at))
}

/// Where the stretch of bytes of a class that begins here ends.
fn end_of(text: &[u8], from: usize, class: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().position(|b| !class(*b)).unwrap_or(rest.len())
}

/// Where the stretch of bytes of a class that ends here begins.
fn start_of(text: &[u8], to: usize, class: impl Fn(u8) -> bool) -> usize {
    text.get(..to).unwrap_or_default().iter().rposition(|b| !class(*b)).map_or(0, |at| at + 1)
}
