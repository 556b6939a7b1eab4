//! The scan of a client's body into a [`Message`].

use std::borrow::Cow;

use super::{Limits, Message, Notification, Params, ParseError, ParseErrorKind, RawId, Request, Response};
use crate::frame::{ErrorObject, Outcome};
use crate::json::scan::Scanner;
use crate::json::{Member, Raw, SyntaxError};

/// Parses a whole body.
pub(super) fn message<'a>(body: &'a [u8], limits: &Limits) -> Result<Message<'a>, ParseError> {
    if body.len() > limits.max_bytes {
        return Err(ParseError::new(ParseErrorKind::TooLarge { max_bytes: limits.max_bytes }));
    }
    let text = simdutf8::basic::from_utf8(body).map_err(|_| ParseError::new(ParseErrorKind::Utf8))?;
    let mut scanner = Scanner::new(text, limits.max_depth);
    scanner.space();
    match scanner.peek() {
        Some(b'[') => batch(&mut scanner, limits),
        Some(b'{') => {
            let mut found = Found::default();
            let scanned = found.scan(&mut scanner, 0).and_then(|()| scanner.end());
            found.message(scanned, limits)
        }
        _ => {
            // A valid JSON text that is no object is an invalid request, anything else no JSON at all.
            scanner.value(0).and_then(|()| scanner.end()).map_err(ParseError::new)?;
            Err(ParseError::new(ParseErrorKind::Request("a message must be a JSON object")))
        }
    }
}

fn batch<'a>(scanner: &mut Scanner<'a>, limits: &Limits) -> Result<Message<'a>, ParseError> {
    let mut items = Vec::new();
    let mut count = 0_usize;
    let scanned = scanner.array_with(0, |scanner| {
        count += 1;
        if scanner.peek() != Some(b'{') {
            return scanner.value(1);
        }
        let mut found = Found::default();
        found.scan(scanner, 1)?;
        if count <= limits.max_batch {
            items.push(found);
        }
        Ok(())
    });
    scanned.and_then(|()| scanner.end()).map_err(ParseError::new)?;
    let refuse = |why| Err(ParseError::new(ParseErrorKind::Request(why)));
    match count {
        _ if limits.max_batch == 0 => refuse("batches are not part of this protocol version"),
        0 => refuse("a batch must not be empty"),
        n if n > limits.max_batch => refuse("the batch holds too many messages"),
        n if n != items.len() => refuse("each message of a batch must be a JSON object"),
        _ => {
            let messages = items.into_iter().map(|found| found.message(Ok(()), limits));
            messages.collect::<Result<_, _>>().map(Message::Batch)
        }
    }
}

/// What the scan of one message object noted.
#[derive(Default)]
struct Found<'a> {
    raw: &'a str,
    /// Offset of `raw` in the body; all other offsets are relative to `raw`.
    base: usize,
    jsonrpc: Option<Raw<'a>>,
    id: Option<Raw<'a>>,
    method: Option<Raw<'a>>,
    result: Option<Raw<'a>>,
    error: Option<Raw<'a>>,
    params: Option<Raw<'a>>,
    members: Vec<Member<'a>>,
    meta: Option<Raw<'a>>,
    meta_members: Vec<Member<'a>>,
}

impl<'a> Found<'a> {
    /// Scans the message object at the cursor, inside `depth` arrays.
    fn scan(&mut self, scanner: &mut Scanner<'a>, depth: u8) -> Result<(), SyntaxError> {
        let base = scanner.pos();
        self.base = base;
        scanner.object_with(depth, |scanner, key, _| {
            let start = scanner.pos();
            if key == "params" && scanner.peek() == Some(b'{') {
                self.scan_params(scanner, depth + 1)?;
            } else {
                scanner.value(depth + 1)?;
            }
            let raw = Raw::at(scanner.since(start), start - base);
            match key.as_ref() {
                "jsonrpc" => self.jsonrpc = Some(raw),
                "id" => self.id = Some(raw),
                "method" => self.method = Some(raw),
                "params" => self.params = Some(raw),
                "result" => self.result = Some(raw),
                "error" => self.error = Some(raw),
                _ => {}
            }
            Ok(())
        })?;
        self.raw = scanner.since(base);
        Ok(())
    }

    fn scan_params(&mut self, scanner: &mut Scanner<'a>, depth: u8) -> Result<(), SyntaxError> {
        let base = self.base;
        let (members, meta_members) = (&mut self.members, &mut self.meta_members);
        members.reserve(4);
        let mut meta = None;
        scanner.object_with(depth, |scanner, key, key_start| {
            let start = scanner.pos();
            let is_meta = key == "_meta";
            if is_meta && scanner.peek() == Some(b'{') {
                meta_members.reserve(4);
                scanner.object_with(depth + 1, |scanner, key, key_start| {
                    let start = scanner.pos();
                    scanner.value(depth + 2)?;
                    meta_members.push(member(scanner, base, key, key_start, start));
                    Ok(())
                })?;
            } else {
                scanner.value(depth + 1)?;
            }
            let member = member(scanner, base, key, key_start, start);
            if is_meta {
                meta = Some(member.value);
            }
            members.push(member);
            Ok(())
        })?;
        self.meta = meta;
        Ok(())
    }

    /// Makes a message of what was found, or of the error that ended the scan.
    fn message(self, scanned: Result<(), SyntaxError>, limits: &Limits) -> Result<Message<'a>, ParseError> {
        let id = self.id;
        let good_id = id.and_then(|raw| checked_id(raw, limits).ok());
        let with_id = |kind| ParseError { kind, id: good_id.map(|id| id.to_id()) };
        scanned.map_err(|e| with_id(e.into()))?;
        self.classify(limits).map_err(with_id)
    }

    fn classify(self, limits: &Limits) -> Result<Message<'a>, ParseErrorKind> {
        use ParseErrorKind::Request as Bad;
        if self.jsonrpc.and_then(|raw| raw.string()).as_deref() != Some("2.0") {
            return Err(Bad("jsonrpc must be \"2.0\""));
        }
        let method = self.method.map(|raw| raw.string().ok_or(Bad("method must be a string"))).transpose()?;
        match (method, self.result, self.error) {
            (Some(method), None, None) => self.call(method, limits),
            (None, Some(result), None) if !result.is_object() => Err(Bad("result must be an object")),
            (None, Some(result), None) => self.response(Outcome::Result(result), limits),
            (None, None, Some(error)) => {
                let error =
                    ErrorObject::new(error).ok_or(Bad("error must be an object with code and message"))?;
                self.response(Outcome::Error(error), limits)
            }
            (None, None, None) => Err(Bad("method is missing")),
            _ => Err(Bad("a message has exactly one of method, result and error")),
        }
    }

    fn call(self, method: Cow<'a, str>, limits: &Limits) -> Result<Message<'a>, ParseErrorKind> {
        let raw = self.raw;
        let id = self
            .id
            .map(|id| checked_id(id, limits).map(|checked| (checked, id.range().start)))
            .transpose()?;
        let params = match self.params {
            None => None,
            Some(params) if !params.is_object() => {
                return Err(ParseErrorKind::Request("params must be an object"));
            }
            Some(_) if self.meta.is_some_and(|meta| !meta.is_object()) => {
                return Err(ParseErrorKind::Params("_meta must be an object"));
            }
            Some(params) => Some(Params {
                raw: params,
                members: self.members,
                meta: self.meta,
                meta_members: self.meta_members,
            }),
        };
        Ok(match id {
            Some((id, id_start)) => Message::Request(Request { id, method, params, raw, id_start }),
            None => Message::Notification(Notification { method, params, raw }),
        })
    }

    fn response(self, outcome: Outcome<'a>, limits: &Limits) -> Result<Message<'a>, ParseErrorKind> {
        let is_error = matches!(outcome, Outcome::Error(_));
        let id = match self.id {
            None if is_error => None,
            Some(id) if is_error && id.is_null() => None,
            None => return Err(ParseErrorKind::Request("a result needs the id of its request")),
            Some(id) => Some(checked_id(id, limits)?),
        };
        let id_start = self.id.map_or(0, |id| id.range().start);
        Ok(Message::Response(Response { id, outcome, raw: self.raw, id_start }))
    }
}

/// The member whose value was just scanned.
fn member<'a>(
    scanner: &Scanner<'a>,
    base: usize,
    key: &Cow<'a, str>,
    key_start: usize,
    start: usize,
) -> Member<'a> {
    Member {
        key: key.clone(),
        key_start: key_start - base,
        value: Raw::at(scanner.since(start), start - base),
    }
}

fn checked_id<'a>(raw: Raw<'a>, limits: &Limits) -> Result<RawId<'a>, ParseErrorKind> {
    let text = raw.as_str();
    if text.len() > limits.max_id_bytes {
        return Err(ParseErrorKind::Request("the id is too long"));
    }
    // The scan has checked the grammar: only the kind is open.
    let integer = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if integer || text.starts_with('"') {
        Ok(RawId::trusted(text))
    } else {
        Err(ParseErrorKind::Request("an id must be a string or an integer"))
    }
}
