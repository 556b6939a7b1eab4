//! The walk over a payload: a stack of open containers instead of recursion, and an output that is the input until something changes.

mod member;
mod output;
mod string;

use bailiwick_model::capture::CaptureAction;

use super::clean::{Cleaner, NO_RULES};
use super::lex;
use crate::Kind;
use crate::find::Scope;
use crate::rules::Rules;

/// Containers inside of each other; deeper ones become a mark. Readers of JSON commonly stop at 128.
const DEPTH: usize = 96;
/// Shorter numbers, in bytes, are neither cards nor ids.
const NUMBER: usize = 8;

/// What came of a walk.
pub(super) struct Ended {
    /// The new body, or nothing if the old one stays.
    pub(super) body: Option<String>,
    /// Whether the end is missing.
    pub(super) cut: bool,
}

/// The input is no JSON.
pub(super) struct NotJson;

/// Why a walk stops early.
enum Halt {
    NotJson,
    /// The next piece does not fit.
    Full,
}

/// What happens to a value.
#[derive(Clone, Copy)]
enum How {
    /// It is looked through.
    Look(Scope),
    /// Its name says what it is.
    Named(Kind, Scope),
    Drop,
    Mask,
}

/// An open container.
#[derive(Clone, Copy)]
struct Frame {
    object: bool,
    /// Whether a member or element was read.
    begun: bool,
    /// Whether one was kept.
    kept: bool,
    scope: Scope,
    /// What the member `value` is, by the word of the member `name` beside it.
    value: Option<Kind>,
    /// Its rules' steps in `active`: from here on, this many.
    steps: (usize, usize),
}

/// A walk and where it is. What is in `out`, then the input from `copied` to `pos`, is the output so far.
pub(super) struct Walk<'a> {
    text: &'a str,
    rules: &'a Rules,
    cap: usize,
    cleaner: &'a mut Cleaner,
    scope: Scope,
    pos: usize,
    copied: usize,
    out: String,
    /// The length of the output behind the last whole value or opening bracket: where it may be cut.
    safe: usize,
    frames: Vec<Frame>,
    active: Vec<usize>,
    next: Vec<usize>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str, rules: &'a Rules, cap: usize, cleaner: &'a mut Cleaner) -> Self {
        Self {
            text,
            rules,
            cap,
            cleaner,
            scope: Scope::All,
            pos: 0,
            copied: 0,
            out: String::new(),
            safe: 0,
            frames: Vec::with_capacity(8),
            active: rules.begin().to_vec(),
            next: Vec::new(),
        }
    }

    /// A walk through JSON in a string.
    pub(super) fn nested(text: &'a str, scope: Scope, cleaner: &'a mut Cleaner) -> Self {
        Self::new(text, &NO_RULES, usize::MAX, cleaner).looking_for(scope)
    }

    pub(super) fn looking_for(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// What is looked for where a rule says `keep`.
    fn kept(&self) -> Scope {
        if self.scope == Scope::Nothing { Scope::Nothing } else { Scope::Secrets }
    }

    pub(super) fn run(&mut self) -> Result<Ended, NotJson> {
        match self.walk() {
            Ok(()) => Ok(Ended { body: self.finish(), cut: false }),
            Err(Halt::Full) => Ok(Ended { body: Some(self.cut()), cut: true }),
            Err(Halt::NotJson) => Err(NotJson),
        }
    }

    fn walk(&mut self) -> Result<(), Halt> {
        self.space();
        self.value(How::Look(self.scope), 0)?;
        while let Some(frame) = self.frames.last().copied() {
            self.step(frame)?;
        }
        self.space();
        if self.pos < self.text.len() { Err(Halt::NotJson) } else { self.fits(0) }
    }

    /// What comes next in the innermost container: its end, or a member or element.
    fn step(&mut self, frame: Frame) -> Result<(), Halt> {
        self.space();
        if self.peek() == Some(if frame.object { b'}' } else { b']' }) {
            self.pos += 1;
            self.fits(self.frames.len() - 1)?;
            self.frames.pop();
            self.active.truncate(frame.steps.0);
            self.whole();
            return Ok(());
        }
        if frame.begun {
            self.expect(b',')?;
            if !frame.kept {
                self.rewind();
            }
            self.space();
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.begun = true;
        }
        if frame.object { self.member(frame) } else { self.element(frame) }
    }

    fn element(&mut self, frame: Frame) -> Result<(), Halt> {
        let steps = self.active.len();
        let how = match self.descend(frame, None) {
            Some(CaptureAction::Drop) => How::Drop,
            Some(CaptureAction::Mask) => How::Mask,
            Some(CaptureAction::Keep) => How::Look(self.kept()),
            None => How::Look(frame.scope),
        };
        self.value(how, steps)
    }

    /// Follows the rules one step down; the steps that go on are behind those of the open containers then.
    fn descend(&mut self, frame: Frame, member: Option<&str>) -> Option<CaptureAction> {
        if self.rules.is_empty() {
            return None;
        }
        let active = self.active.get(frame.steps.0..frame.steps.1).unwrap_or_default();
        self.next.clear();
        let said = self.rules.descend(active, member, &mut self.next);
        self.active.append(&mut self.next);
        said
    }

    /// The value here. Its rules' steps are those from `steps` on.
    fn value(&mut self, how: How, steps: usize) -> Result<(), Halt> {
        let scope = match how {
            How::Look(scope) => scope,
            How::Named(kind, scope) => match self.named(kind, scope)? {
                Some(scope) => scope,
                None => return self.scalar(steps),
            },
            How::Mask => {
                self.replace_value(Kind::Masked)?;
                return self.scalar(steps);
            }
            How::Drop => {
                self.pos = lex::value_end(self.text.as_bytes(), self.pos).ok_or(Halt::NotJson)?;
                self.rewind();
                self.active.truncate(steps);
                return Ok(());
            }
        };
        match self.peek() {
            Some(b'{') => return self.open(true, scope, steps),
            Some(b'[') => return self.open(false, scope, steps),
            Some(b'"') => self.string(scope)?,
            Some(b'-' | b'0'..=b'9') => self.number(scope)?,
            _ => self.pos = lex::literal_end(self.text.as_bytes(), self.pos).ok_or(Halt::NotJson)?,
        }
        self.scalar(steps)
    }

    /// A value without members is done.
    fn scalar(&mut self, steps: usize) -> Result<(), Halt> {
        self.active.truncate(steps);
        self.fits(self.frames.len())?;
        self.whole();
        Ok(())
    }

    fn open(&mut self, object: bool, scope: Scope, steps: usize) -> Result<(), Halt> {
        if self.frames.len() >= DEPTH {
            self.replace_value(Kind::Nested)?;
            return self.scalar(steps);
        }
        self.pos += 1;
        self.fits(self.frames.len() + 1)?;
        let steps = (steps, self.active.len());
        self.frames.push(Frame { object, begun: false, kept: false, scope, value: None, steps });
        self.safe = self.len();
        Ok(())
    }

    /// A number is read as the text that it is; one with a point or an exponent also as the integer that it may be.
    fn number(&mut self, scope: Scope) -> Result<(), Halt> {
        let bytes = self.text.as_bytes();
        let start = self.pos;
        self.pos = lex::number_end(bytes, start).ok_or(Halt::NotJson)?;
        let number = &self.text[start..self.pos];
        if number.len() < NUMBER {
            return Ok(());
        }
        let mut found = self.cleaner.kind_of(number, scope);
        if found.is_none() && number.contains(['.', 'e', 'E']) {
            let value: f64 = number.parse().unwrap_or(0.0);
            if value.fract() == 0.0 && (1e8..1e19).contains(&value.abs()) {
                found = self.cleaner.kind_of(&format!("{:.0}", value.abs()), scope);
            }
        }
        if let Some(kind) = found {
            self.put_mark(kind, start, self.pos);
        }
        Ok(())
    }
}
