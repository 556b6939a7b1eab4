//! Members of objects: what their names and the rules say about their values.

use bailiwick_model::capture::CaptureAction;

use super::{Frame, Halt, How, Walk};
use crate::Kind;
use crate::find::Scope;
use crate::kind::is_mark;
use crate::name::meaning;
use crate::redact::lex;

/// A telephone number or id has no fewer digits.
const DIGITS: usize = 7;

impl Walk<'_> {
    pub(super) fn member(&mut self, frame: Frame) -> Result<(), Halt> {
        let steps = self.active.len();
        let (how, names) = self.key(frame.scope, |walk, name| {
            let how = walk.treatment(frame, name);
            ((how, matches!(name, "name" | "key" | "header" | "field")), matches!(how, How::Drop))
        })?;
        self.space();
        self.expect(b':')?;
        self.space();
        if names {
            self.note_name();
        }
        self.value(how, steps)
    }

    /// What happens to the value of this name.
    fn treatment(&mut self, frame: Frame, name: &str) -> How {
        let scope = match self.descend(frame, Some(name)) {
            Some(CaptureAction::Drop) => return How::Drop,
            Some(CaptureAction::Mask) => return How::Mask,
            Some(CaptureAction::Keep) => self.kept(),
            None => frame.scope,
        };
        if scope == Scope::Nothing {
            return How::Look(scope);
        }
        match meaning(name).or(frame.value.filter(|_| name == "value")) {
            Some(kind) => How::Named(kind, scope),
            None => How::Look(scope),
        }
    }

    /// `{"name": "PASSWORD", "value": …}`: what the value here says about the member `value` behind it.
    fn note_name(&mut self) {
        let bytes = self.text.as_bytes();
        let start = self.pos + 1;
        let end = if self.peek() == Some(b'"') { lex::string_end(bytes, start) } else { None };
        let Some(raw) = end.and_then(|end| self.text.get(start..end)) else { return };
        let mut name = String::new();
        if raw.len() <= 128 && lex::decode(raw, &mut name) {
            let kind = meaning(&name);
            if let Some(frame) = self.frames.last_mut() {
                frame.value = kind;
            }
        }
    }

    /// Replaces the value here if it is what its name says; else what it has to be looked through for.
    pub(super) fn named(&mut self, kind: Kind, scope: Scope) -> Result<Option<Scope>, Halt> {
        let end = match self.peek() {
            Some(b't' | b'f' | b'n') => return Ok(Some(scope)),
            _ => lex::value_end(self.text.as_bytes(), self.pos).ok_or(Halt::NotJson)?,
        };
        let value = &self.text[self.pos..end];
        let inner = value.trim_matches('"');
        let leave = match kind {
            Kind::Phone | Kind::NationalId => {
                let digits = inner.bytes().filter(u8::is_ascii_digit).count();
                scope == Scope::Secrets || value.starts_with(['{', '[']) || digits < DIGITS
            }
            _ => inner.is_empty(),
        };
        if leave || is_mark(inner) {
            return Ok(Some(scope));
        }
        self.put_mark(kind, self.pos, end);
        Ok(None)
    }
}
