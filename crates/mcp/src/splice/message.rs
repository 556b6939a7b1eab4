//! Changes to a whole message.

use std::borrow::Cow;

use super::{Edits, ObjectPatch, SpliceError};
use crate::envelope::{Notification, RawId, Request, Response};
use crate::frame::{Answer, ErrorObject, FrameNotification, FrameRequest, Outcome};
use crate::json::{Object, Raw};

/// What to change in a message.
///
/// `body` is `params` of requests and notifications and `result` of answers; `meta` is its `_meta`. Absent ones are
/// created when something is set in them; in an answer that is an error only id, code and message change. `_meta` itself is changed through `meta`, not through `body`.
#[derive(Debug, Clone, Default)]
pub struct Patch<'p> {
    /// The new id.
    pub id: Option<Cow<'p, str>>,
    /// Members of `params` or `result`.
    pub body: ObjectPatch<'p>,
    /// Members of `_meta` in it.
    pub meta: ObjectPatch<'p>,
    /// The new code of an error.
    pub error_code: Option<i64>,
    /// The new message of an error.
    pub error_message: Option<Cow<'p, str>>,
}

/// The parts of a message that a patch can change.
#[derive(Debug)]
pub struct Outline<'a> {
    /// The message as it stands, starting at offset 0.
    pub raw: &'a str,
    /// The id with its offset.
    pub id: Option<Raw<'a>>,
    /// `params` or `result`, if present.
    pub body: Option<Object<'a>>,
    /// `_meta` in it, if present.
    pub meta: Option<Object<'a>>,
    /// The error, in error answers.
    pub error: Option<ErrorObject<'a>>,
    /// Whether absent params may be added.
    pub may_add_params: bool,
}

/// A message that can be patched.
pub trait Editable {
    /// Finds the parts; `body` and `meta` only if `inside`, since that reads through a server's whole answer.
    ///
    /// # Errors
    /// [`SpliceError::Malformed`] if the inside of a server's message cannot be read.
    fn outline(&self, inside: bool) -> Result<Outline<'_>, SpliceError>;
}

impl<'p> Patch<'p> {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id.
    #[must_use]
    pub fn with_id(mut self, id: RawId<'p>) -> Self {
        self.id = Some(Cow::Borrowed(id.as_str()));
        self
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.id.is_none()
            && self.body.is_empty()
            && self.meta.is_empty()
            && self.error_code.is_none()
            && self.error_message.is_none()
    }

    /// Writes the message with the changes.
    ///
    /// # Errors
    /// [`SpliceError`] if the message lacks a part that is to be changed, or its inside cannot be read.
    pub fn apply(&self, message: &impl Editable) -> Result<Vec<u8>, SpliceError> {
        let inside = !(self.body.is_empty() && self.meta.is_empty());
        let outline = message.outline(inside)?;
        let mut edits = Edits::new();
        if let Some(new) = &self.id {
            let id = outline.id.ok_or(SpliceError::Missing("id"))?;
            edits.replace(id.range(), new.as_bytes());
        }
        match outline.error {
            Some(error) => self.edit_error(&error, &mut edits),
            None if inside => self.edit_body(&outline, &mut edits)?,
            None => {}
        }
        edits.apply(outline.raw.as_bytes())
    }

    fn edit_error(&self, error: &ErrorObject<'_>, edits: &mut Edits<'p>) {
        if let Some(code) = self.error_code {
            edits.replace(error.code_raw().range(), code.to_string().into_bytes());
        }
        if let Some(message) = &self.error_message {
            edits.replace(error.message_raw().range(), crate::json::quote(message));
        }
    }

    fn edit_body(&self, outline: &Outline<'_>, edits: &mut Edits<'p>) -> Result<(), SpliceError> {
        if let Some(meta) = &outline.meta {
            self.meta.edit(meta, edits);
        }
        let new_meta = if outline.meta.is_none() { self.meta.build() } else { None };
        let mut body = Cow::Borrowed(&self.body);
        if let Some(meta) = new_meta {
            body.to_mut().set("_meta", meta);
        }
        match &outline.body {
            Some(object) => body.edit(object, edits),
            None => {
                let Some(params) = body.build() else { return Ok(()) };
                if !outline.may_add_params {
                    return Err(SpliceError::Missing("params or result"));
                }
                // Every message has at least jsonrpc and method, so a comma is right.
                let added = [b",\"params\":".to_vec(), params].concat();
                edits.insert(outline.raw.len() - 1, added);
            }
        }
        Ok(())
    }
}

impl Editable for Request<'_> {
    fn outline(&self, _inside: bool) -> Result<Outline<'_>, SpliceError> {
        Ok(Outline {
            raw: self.raw,
            id: Some(Raw::at(self.id.as_str(), self.id_start)),
            body: self.params.as_ref().map(|p| p.object()),
            meta: self.params.as_ref().and_then(|p| p.meta_object()),
            error: None,
            may_add_params: true,
        })
    }
}

impl Editable for Notification<'_> {
    fn outline(&self, _inside: bool) -> Result<Outline<'_>, SpliceError> {
        Ok(Outline {
            raw: self.raw,
            id: None,
            body: self.params.as_ref().map(|p| p.object()),
            meta: self.params.as_ref().and_then(|p| p.meta_object()),
            error: None,
            may_add_params: true,
        })
    }
}

impl Editable for Response<'_> {
    fn outline(&self, inside: bool) -> Result<Outline<'_>, SpliceError> {
        answer(self.raw, self.id.map(|id| Raw::at(id.as_str(), self.id_start)), self.outcome, inside)
    }
}

impl Editable for Answer<'_> {
    fn outline(&self, inside: bool) -> Result<Outline<'_>, SpliceError> {
        answer(self.raw, self.id.map(|id| Raw::at(id.as_str(), self.id_start)), self.outcome, inside)
    }
}

impl Editable for FrameRequest<'_> {
    fn outline(&self, inside: bool) -> Result<Outline<'_>, SpliceError> {
        called(self.raw, Some(Raw::at(self.id.as_str(), self.id_start)), self.params, inside)
    }
}

impl Editable for FrameNotification<'_> {
    fn outline(&self, inside: bool) -> Result<Outline<'_>, SpliceError> {
        called(self.raw, None, self.params, inside)
    }
}

fn called<'a>(
    raw: &'a str,
    id: Option<Raw<'a>>,
    params: Option<Raw<'a>>,
    inside: bool,
) -> Result<Outline<'a>, SpliceError> {
    let body = params.filter(|_| inside).map(|raw| raw.object()).transpose()?;
    let meta = meta_of(body.as_ref())?;
    Ok(Outline { raw, id, body, meta, error: None, may_add_params: true })
}

fn answer<'a>(
    raw: &'a str,
    id: Option<Raw<'a>>,
    outcome: Outcome<'a>,
    inside: bool,
) -> Result<Outline<'a>, SpliceError> {
    let (body, error) = match outcome {
        Outcome::Result(_) if !inside => (None, None),
        Outcome::Result(result) => (Some(result.object()?), None),
        Outcome::Error(error) => (None, Some(error)),
    };
    let meta = meta_of(body.as_ref())?;
    Ok(Outline { raw, id, body, meta, error, may_add_params: false })
}

fn meta_of<'a>(body: Option<&Object<'a>>) -> Result<Option<Object<'a>>, SpliceError> {
    Ok(body.and_then(|body| body.get("_meta")).map(|raw| raw.object()).transpose()?)
}
