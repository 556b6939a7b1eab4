//! The coarse reading of a server's message.

use std::borrow::Cow;

use super::{Answer, ErrorObject, Frame, FrameError, FrameNotification, FrameRequest, Outcome};
use crate::envelope::{Limits, RawId};
use crate::json::{Malformed, Member, Raw};

/// The body as text without JSON's white space around it.
pub(super) fn utf8<'a>(body: &'a [u8], limits: &Limits) -> Result<&'a str, FrameError> {
    if body.len() > limits.max_bytes {
        return Err(FrameError::TooLarge { max_bytes: limits.max_bytes });
    }
    let text = simdutf8::basic::from_utf8(body).map_err(|_| FrameError::Utf8)?;
    Ok(text.trim_matches([' ', '\t', '\n', '\r']))
}

/// Reads a batch; `text` starts with a bracket.
pub(super) fn batch<'a>(text: &'a str, limits: &Limits) -> Result<Vec<Frame<'a>>, FrameError> {
    let end = crate::json::skip::value(text.as_bytes(), 0, limits.max_depth)?;
    if end != text.len() {
        return Err(Malformed::Structure { at: end }.into());
    }
    let items = Raw::new(text).items()?;
    if items.is_empty() || items.len() > limits.max_batch {
        return Err(FrameError::Shape("the batch is empty or holds too many messages"));
    }
    items.into_iter().map(|item| one(item.as_str(), limits)).collect()
}

/// Reads one message without space around it.
pub(super) fn one<'a>(text: &'a str, limits: &Limits) -> Result<Frame<'a>, FrameError> {
    if !text.starts_with('{') {
        return Err(FrameError::Shape("it is no object"));
    }
    let mut top = Top::default();
    let max_depth = limits.max_depth.saturating_sub(1);
    let mut members: Vec<Member<'a>> = Vec::with_capacity(8);
    let end = crate::json::read_members(text, 0, max_depth, |key, key_start, value| {
        top.note(&key, value);
        members.push(Member { key, key_start, value });
        Ok(())
    })?;
    if end != text.len() {
        return Err(Malformed::Structure { at: end }.into());
    }
    crate::json::refuse_duplicates(&members)?;
    top.frame(text, limits)
}

/// The members of the top level that matter.
#[derive(Default)]
struct Top<'a> {
    jsonrpc: Option<Raw<'a>>,
    id: Option<Raw<'a>>,
    method: Option<Raw<'a>>,
    params: Option<Raw<'a>>,
    result: Option<Raw<'a>>,
    error: Option<Raw<'a>>,
}

impl<'a> Top<'a> {
    fn note(&mut self, key: &str, value: Raw<'a>) {
        match key {
            "jsonrpc" => self.jsonrpc = Some(value),
            "id" => self.id = Some(value),
            "method" => self.method = Some(value),
            "params" => self.params = Some(value),
            "result" => self.result = Some(value),
            "error" => self.error = Some(value),
            _ => {}
        }
    }

    fn frame(&self, raw: &'a str, limits: &Limits) -> Result<Frame<'a>, FrameError> {
        if self.jsonrpc.and_then(|v| v.string()).as_deref() != Some("2.0") {
            return Err(FrameError::Shape("jsonrpc is not \"2.0\""));
        }
        match (self.method, self.result, self.error) {
            (Some(method), None, None) => {
                let method = method.string().ok_or(FrameError::Shape("method is no string"))?;
                self.call(method, raw, limits)
            }
            (None, Some(result), None) if result.is_object() => {
                self.answer(Outcome::Result(result), raw, limits)
            }
            (None, Some(_), None) => Err(FrameError::Shape("result is no object")),
            (None, None, Some(error)) => {
                let error = ErrorObject::new(error).ok_or(FrameError::Shape("error is malformed"))?;
                self.answer(Outcome::Error(error), raw, limits)
            }
            _ => Err(FrameError::Shape("it has not exactly one of method, result and error")),
        }
    }

    fn call(&self, method: Cow<'a, str>, raw: &'a str, limits: &Limits) -> Result<Frame<'a>, FrameError> {
        let params = self.params;
        if params.is_some_and(|params| !params.is_object()) {
            return Err(FrameError::Shape("params is no object"));
        }
        Ok(match self.id {
            None => Frame::Notification(FrameNotification { method, params, raw }),
            Some(id) => {
                let id_start = id.range().start;
                Frame::Request(FrameRequest { id: checked_id(id, limits)?, method, params, raw, id_start })
            }
        })
    }

    fn answer(&self, outcome: Outcome<'a>, raw: &'a str, limits: &Limits) -> Result<Frame<'a>, FrameError> {
        let is_error = matches!(outcome, Outcome::Error(_));
        let id = match self.id {
            None if is_error => None,
            Some(id) if is_error && id.is_null() => None,
            None => return Err(FrameError::Shape("a result without id")),
            Some(id) => Some(checked_id(id, limits)?),
        };
        let id_start = self.id.map_or(0, |id| id.range().start);
        Ok(Frame::Answer(Answer { id, outcome, raw, id_start }))
    }
}

fn checked_id<'a>(raw: Raw<'a>, limits: &Limits) -> Result<RawId<'a>, FrameError> {
    if raw.as_str().len() > limits.max_id_bytes {
        return Err(FrameError::Shape("the id is too long"));
    }
    RawId::new(raw.as_str()).ok_or(FrameError::Shape("the id is neither string nor integer"))
}
