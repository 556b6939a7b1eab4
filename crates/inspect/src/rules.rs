//! Path rules: what an operator says about members of a payload.
//!
//! The language is a subset of JSONPath (RFC 9535): `$`, then any of
//!
//! | segment | selects |
//! |---|---|
//! | `.name`, `['name']`, `["name"]` | the member of this name |
//! | `.*`, `[*]` | every member and every element |
//! | `..name`, `..['name']` | members of this name, however deep |
//!
//! A bare name is of letters, digits, `_`, `-` and characters beyond ASCII; a quoted one is what stands between the quotes. Names are
//! compared exactly, after escapes are undone. Indexes, slices and filters are errors.

use bailiwick_model::capture::{CaptureAction, CaptureRule};
use thiserror::Error;

/// A path that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("path {path:?}, at byte {at}: {reason}")]
pub struct RuleError {
    /// The path.
    pub path: String,
    /// Where reading it failed, in bytes from its beginning.
    pub at: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

/// Rules, ready for use. Where several select the same value, the last one counts.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Each rule's segments, one rule behind the other.
    steps: Vec<Step>,
    /// Where each rule begins in `steps`.
    begins: Vec<usize>,
    /// The last rule for the whole payload.
    root: Option<CaptureAction>,
}

#[derive(Debug, Clone)]
struct Step {
    segment: Segment,
    /// What is done if this was the last segment.
    action: Option<CaptureAction>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Member(String),
    Any,
    Deep(String),
}

impl Rules {
    /// Compiles paths with what they say, in the order in which they count.
    ///
    /// # Errors
    ///
    /// The first path that is none, with place and reason.
    pub fn compile<'a>(rules: impl IntoIterator<Item = (&'a str, CaptureAction)>) -> Result<Self, RuleError> {
        let mut compiled = Self::default();
        for (path, action) in rules {
            let segments = Reader { path, at: 0 }.segments()?;
            if segments.is_empty() {
                compiled.root = Some(action);
                continue;
            }
            compiled.begins.push(compiled.steps.len());
            compiled.steps.extend(segments.into_iter().map(|segment| Step { segment, action: None }));
            if let Some(last) = compiled.steps.last_mut() {
                last.action = Some(action);
            }
        }
        Ok(compiled)
    }

    /// The rules of a capture policy.
    ///
    /// # Errors
    ///
    /// As [`Rules::compile`].
    pub fn of_capture<'a>(rules: impl IntoIterator<Item = &'a CaptureRule>) -> Result<Self, RuleError> {
        Self::compile(rules.into_iter().map(|rule| (rule.path.as_str(), rule.action)))
    }

    /// What is said about the whole payload.
    pub(crate) const fn root(&self) -> Option<CaptureAction> {
        self.root
    }

    /// Whether there is any rule about what is inside.
    pub(crate) const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Where matching begins.
    pub(crate) fn begin(&self) -> &[usize] {
        &self.begins
    }

    /// One step down: from the steps `active` at a container to those at the member of this name, or at an element. New steps go to
    /// `next`; what the last rule says about the value itself is returned.
    pub(crate) fn descend(
        &self,
        active: &[usize],
        member: Option<&str>,
        next: &mut Vec<usize>,
    ) -> Option<CaptureAction> {
        let mut said: Option<(usize, CaptureAction)> = None;
        for place in active {
            let Some(step) = self.steps.get(*place) else { continue };
            let selected = match &step.segment {
                Segment::Any => true,
                Segment::Member(name) | Segment::Deep(name) => member == Some(name.as_str()),
            };
            if matches!(step.segment, Segment::Deep(_)) && !next.contains(place) {
                next.push(*place);
            }
            match step.action {
                Some(action) if selected && said.is_none_or(|(before, _)| before < *place) => {
                    said = Some((*place, action));
                }
                None if selected && !next.contains(&(place + 1)) => next.push(place + 1),
                _ => {}
            }
        }
        said.map(|(_, action)| action)
    }
}

struct Reader<'a> {
    path: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn segments(mut self) -> Result<Vec<Segment>, RuleError> {
        if !self.take("$") {
            return Err(self.wrong("a path begins with $"));
        }
        let mut segments = Vec::new();
        while self.at < self.path.len() {
            segments.push(self.segment()?);
        }
        Ok(segments)
    }

    fn segment(&mut self) -> Result<Segment, RuleError> {
        if self.take("..") {
            let name = if self.take("[") { self.quoted()? } else { self.name()? };
            return Ok(Segment::Deep(name));
        }
        if self.take(".*") || self.take("[*]") {
            return Ok(Segment::Any);
        }
        if self.take(".") {
            return self.name().map(Segment::Member);
        }
        if self.take("[") {
            return self.quoted().map(Segment::Member);
        }
        Err(self.wrong("here must be `.`, `..` or `[`"))
    }

    fn name(&mut self) -> Result<String, RuleError> {
        let rest = self.rest();
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || !c.is_ascii();
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.wrong("here must be a name"));
        }
        self.at += end;
        Ok(rest[..end].to_owned())
    }

    /// What stands in brackets, without the first one.
    fn quoted(&mut self) -> Result<String, RuleError> {
        let quote = if self.take("'") {
            "'"
        } else if self.take("\"") {
            "\""
        } else {
            return Err(self.wrong(
                "in brackets may be a quoted name or `*`; indexes, slices and filters are not known",
            ));
        };
        let rest = self.rest();
        let Some((name, _)) = rest.split_once(quote) else {
            return Err(self.wrong("the quote is not closed"));
        };
        self.at += name.len() + quote.len();
        if !self.take("]") {
            return Err(self.wrong("here must be `]`"));
        }
        Ok(name.to_owned())
    }

    fn rest(&self) -> &'a str {
        &self.path[self.at..]
    }

    fn take(&mut self, what: &str) -> bool {
        let there = self.rest().starts_with(what);
        if there {
            self.at += what.len();
        }
        there
    }

    fn wrong(&self, reason: &'static str) -> RuleError {
        RuleError { path: self.path.to_owned(), at: self.at, reason }
    }
}

#[cfg(test)]
mod tests;
