//! One text with its findings replaced.

use super::walk::{Ended, Walk};
use crate::find::{Finder, Finding, Scope, Shape};
use crate::{Counts, Kind, Rules};

/// How deep JSON in strings of JSON is read as JSON; below, it is text.
const NESTED: usize = 4;
/// How many times what was replaced is looked at again: a mark ends a word, so that what stood beside it may show. A text
/// that does not settle is masked as a whole.
const AGAIN: usize = 6;

/// What looking at texts needs, to be used again.
#[derive(Default)]
pub(super) struct Cleaner {
    finder: Finder,
    /// Room for decoded strings.
    pub(super) decoded: String,
    /// What was found so far.
    pub(super) counts: Counts,
    depth: usize,
}

impl Cleaner {
    /// The most serious kind of what is in a text that is replaced as a whole.
    pub(super) fn kind_of(&mut self, text: &str, scope: Scope) -> Option<Kind> {
        self.finder.find(text, scope).iter().map(|finding| finding.kind).min()
    }

    /// The first `kept` bytes of a text, of this shape if it is known, if anything in them has to be replaced.
    pub(super) fn shaped(
        &mut self,
        text: &str,
        kept: usize,
        shape: Option<Shape>,
        scope: Scope,
    ) -> Option<String> {
        if scope == Scope::Nothing {
            return None;
        }
        if self.depth < NESTED && kept == text.len() && looks_like_json(text) {
            self.depth += 1;
            let before = self.counts;
            let walked = Walk::nested(text, scope, self).run();
            self.depth -= 1;
            match walked {
                Ok(Ended { body, .. }) => return body,
                Err(_) => self.counts = before,
            }
        }
        let shape = shape.unwrap_or_else(|| Shape::of(text.as_bytes()));
        let found = self.finder.find_shaped(text, &shape, scope);
        if found.first().is_none_or(|finding| finding.range.start >= kept) {
            return None;
        }
        let mut cleaned = replace(text, kept, found, &mut self.counts);
        for _ in 0..AGAIN {
            let found = self.finder.find(&cleaned, scope);
            if found.is_empty() {
                return Some(cleaned);
            }
            cleaned = replace(&cleaned, cleaned.len(), found, &mut self.counts);
        }
        if self.finder.find(&cleaned, scope).is_empty() {
            return Some(cleaned);
        }
        self.counts.add(Kind::Nested);
        Some(Kind::Nested.mark().to_owned())
    }
}

/// The rules for JSON in strings: none.
pub(super) static NO_RULES: std::sync::LazyLock<Rules> = std::sync::LazyLock::new(Rules::default);

fn looks_like_json(text: &str) -> bool {
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']).as_bytes();
    matches!((trimmed.first(), trimmed.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
        && trimmed.len() > 4
}

/// The first `kept` bytes with marks for findings; one that stands across the end is replaced whole.
fn replace(text: &str, kept: usize, found: &[Finding], counts: &mut Counts) -> String {
    let mut out = String::with_capacity(kept);
    let mut at = 0;
    for finding in found.iter().take_while(|finding| finding.range.start < kept) {
        out.push_str(&text[at..finding.range.start]);
        out.push_str(finding.kind.mark());
        counts.add(finding.kind);
        at = finding.range.end;
    }
    out.push_str(text.get(at..kept).unwrap_or_default());
    out
}
