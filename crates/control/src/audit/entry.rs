//! From a line of the ledger to what the index holds of it.
//!
//! Lenient towards what a line does not say, or says otherwise than today: the ledger keeps lines of versions to
//! come and gone, and none of them may stop the index.

use std::borrow::Cow;

use bailiwick_model::{CallId, Timestamp};
use bailiwick_store::{Ending, IndexedRecord, NewEnding, NewRecord, words_of};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Most text of one payload that is searchable, in bytes.
const TEXT: usize = 16 * 1024;

/// What a line is to the index.
#[derive(Debug)]
pub(super) enum Entry {
    /// A record of its own.
    Record(Box<NewRecord>),
    /// The end of a call.
    Ending(NewEnding),
}

/// Declares an object of a line, of which any member may be absent or of another type.
macro_rules! members {
    ($name:ident: $($member:ident),* $(,)?) => {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default)]
        struct $name<'a> {
            $(#[serde(borrow)] $member: Option<&'a RawValue>,)*
        }
    };
}

members!(Record: index, time, kind, call, parent_call, who, what, subject, why, decision, reason, status, code, detail,
    asked, operation, object, path, event, change, arguments, result, timing);
members!(Who: principal, issuer, subject, team);
members!(What: method, session, client, trace, span, parent, parent_call);
members!(Subject: server, name, kind, key);
members!(Payload: bytes, body);
members!(Timing: policy_us, upstream_us, total_us);

/// Reads a line; `None` if it is no record at all.
pub(super) fn read(line: &str) -> Option<Entry> {
    let record: Record<'_> = serde_json::from_str(line).ok()?;
    let kind = text(record.kind)?;
    let call: Option<CallId> = parsed(record.call);
    if let ("outcome" | "unknown", Some(call)) = (kind.as_str(), call) {
        let ending = ending(&record, get(record.index), &kind);
        let words = words(&[record.detail], record.result);
        return Some(Entry::Ending(NewEnding { call, ending, words }));
    }
    Some(Entry::Record(Box::new(new(&record, kind, call)?)))
}

fn new(record: &Record<'_>, kind: String, call: Option<CallId>) -> Option<NewRecord> {
    let who: Who<'_> = object(record.who);
    let what: What<'_> = object(record.what);
    let subject: Subject<'_> = object(record.subject);
    let arguments: Payload<'_> = object(record.arguments);
    let ending = record.status.map(|_| ending(record, None, &kind));
    let indexed = IndexedRecord {
        ledger: String::new(),
        index: get(record.index)?,
        at: parsed::<Timestamp>(record.time)?,
        call,
        parent_call: parsed(record.parent_call.or(what.parent_call)),
        principal: parsed(who.principal),
        issuer: text(who.issuer),
        subject: text(who.subject),
        team: parsed(who.team),
        client: text(what.client),
        session: text(what.session),
        server: parsed(subject.server),
        server_name: text(subject.name),
        definition_kind: text(subject.kind),
        definition_key: text(subject.key),
        method: text(what.method),
        about: about(record),
        decision: text(record.decision).or_else(|| decision(&kind)),
        reason: text(record.reason),
        trace: text(what.trace),
        span: text(what.span),
        parent_span: text(what.parent),
        arguments_bytes: get(arguments.bytes),
        ending,
        kind,
    };
    let said = [record.asked, record.operation, record.object, record.detail];
    Some(NewRecord {
        record: indexed,
        words: words(&said, record.arguments),
        ending_words: words(&[], record.result),
    })
}

fn ending(record: &Record<'_>, index: Option<u64>, kind: &str) -> Ending {
    let timing: Timing<'_> = object(record.timing);
    Ending {
        index,
        status: text(record.status).unwrap_or_else(|| kind.to_owned()),
        code: get(record.code),
        result_bytes: get(object::<Payload<'_>>(record.result).bytes),
        policy_us: get(timing.policy_us),
        upstream_us: get(timing.upstream_us),
        total_us: get(timing.total_us),
    }
}

/// What a record that is no call is about, in one text.
fn about(record: &Record<'_>) -> Option<String> {
    let first = [record.asked, record.operation, record.path, record.event, record.change];
    let first = first.into_iter().find_map(text)?;
    Some(match text(record.object) {
        Some(object) => format!("{first} {object}"),
        None => first,
    })
}

fn decision(kind: &str) -> Option<String> {
    match kind {
        "intent" => Some("allow".to_owned()),
        "denied" => Some("deny".to_owned()),
        _ => None,
    }
}

/// The words of texts and of a payload's body.
fn words(texts: &[Option<&RawValue>], payload: Option<&RawValue>) -> String {
    let mut all = String::new();
    for piece in texts.iter().filter_map(|piece| text(*piece)) {
        all.push_str(&piece);
        all.push(' ');
    }
    if let Some(body) = get::<Value>(object::<Payload<'_>>(payload).body) {
        gather(&body, &mut all);
    }
    words_of(&all)
}

/// The strings, numbers and names of members in a JSON value, as deep as a parser lets it be.
fn gather(value: &Value, into: &mut String) {
    if into.len() > TEXT {
        return;
    }
    match value {
        Value::String(text) => push(text, into),
        Value::Number(number) => push(&number.to_string(), into),
        Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
        Value::Object(members) => {
            for (name, value) in members {
                push(name, into);
                gather(value, into);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn push(text: &str, into: &mut String) {
    let cut = text.floor_char_boundary(TEXT);
    into.push_str(text.get(..cut).unwrap_or_default());
    into.push(' ');
}

fn get<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

fn object<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    get(raw).unwrap_or_default()
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    get::<Cow<'_, str>>(raw).map(Cow::into_owned)
}

fn parsed<T: std::str::FromStr>(raw: Option<&RawValue>) -> Option<T> {
    text(raw)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CALL: &str = "call_00000000000000000000000000000001";

    fn line(mut members: Value) -> String {
        members["v"] = json!(1);
        members["index"] = json!(7);
        members["time"] = json!("2026-07-28T00:00:00.000042Z");
        members["prev"] = json!("0000000000000000");
        members.to_string()
    }

    fn record(members: Value) -> NewRecord {
        match read(&line(members)) {
            Some(Entry::Record(record)) => *record,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_call_s_beginning_is_held_with_everything_that_it_says() {
        let new = record(json!({
            "kind": "intent", "call": CALL, "parent_call": "call_00000000000000000000000000000009",
            "who": {"principal": "prn_00000000000000000000000000000002", "issuer": "local", "subject": "bot\n"},
            "what": {"endpoint": "/mcp", "method": "tools/call", "session": "s", "client": "c/1", "era": "x",
                     "trace": "0af7651916cd43dd8448eb211c80319c", "span": "b7ad6b7169203331", "parent": "00f067aa0ba902b7"},
            "subject": {"server": "srv_00000000000000000000000000000003", "name": "files", "kind": "tool", "key": "read"},
            "why": {"action": "call", "generation": 1, "rules": []},
            "arguments": {"bytes": 12, "body": {"path": "/etc/Hosts", "n": [4711, true, null], "«secret»": 1}},
        }));
        let held = &new.record;
        assert_eq!((held.index, held.at.as_micros()), (7, 1_785_196_800_000_042));
        assert_eq!(held.call.unwrap().to_string(), CALL);
        assert_eq!(held.parent_call.unwrap().to_bits(), 9);
        assert_eq!((held.subject.as_deref(), held.session.as_deref()), (Some("bot\n"), Some("s")));
        assert_eq!(
            (held.server_name.as_deref(), held.definition_key.as_deref()),
            (Some("files"), Some("read"))
        );
        assert_eq!(held.span.as_deref(), Some("b7ad6b7169203331"));
        assert_eq!(held.parent_span.as_deref(), Some("00f067aa0ba902b7"));
        assert_eq!((held.decision.as_deref(), held.arguments_bytes), (Some("allow"), Some(12)));
        assert_eq!(held.ending, None);
        assert_eq!(new.words, "1 4711 etc hosts n path secret");
    }

    #[test]
    fn of_what_is_encrypted_no_word_is_learnt() {
        let payload =
            json!({"bytes": 12, "sealed": {"key": "bky_1", "data": "aGVsbG8gd29ybGQ"}, "retention": "long"});
        let new = record(json!({"kind": "intent", "call": CALL, "arguments": payload}));
        assert_eq!((new.words.as_str(), new.record.arguments_bytes), ("", Some(12)));
        let ended = json!({"kind": "outcome", "call": CALL, "status": "ok", "result": payload});
        let Some(Entry::Ending(new)) = read(&line(ended)) else { panic!("no ending") };
        assert_eq!(new.words, "");
    }

    #[test]
    fn an_outcome_is_an_ending_whatever_it_is_called() {
        for (members, status) in [
            (json!({"kind": "outcome", "call": CALL, "status": "tool_error"}), "tool_error"),
            (json!({"kind": "unknown", "call": CALL}), "unknown"),
        ] {
            let Some(Entry::Ending(new)) = read(&line(members)) else { panic!("no ending") };
            assert_eq!((new.ending.status.as_str(), new.ending.index), (status, Some(7)));
        }
        let members = json!({"kind": "outcome", "call": CALL, "status": "ok", "code": -3, "detail": "It broke",
            "result": {"bytes": 5, "body": "fine"}, "timing": {"policy_us": 1, "upstream_us": 2, "total_us": 3}});
        let Some(Entry::Ending(new)) = read(&line(members)) else { panic!("no ending") };
        assert_eq!(
            (new.ending.code, new.ending.result_bytes, new.ending.total_us),
            (Some(-3), Some(5), Some(3))
        );
        assert_eq!(new.words, "broke fine it");
    }

    #[test]
    fn what_a_line_does_not_say_or_says_otherwise_is_absent() {
        for members in [
            json!({"kind": "something.new"}),
            json!({"kind": "intent", "call": 5, "who": "x", "what": [], "subject": {"server": 7, "kind": {}},
                   "arguments": "a", "result": null, "timing": {"total_us": "long"}, "parent_call": "nonsense"}),
        ] {
            let held = record(members).record;
            assert_eq!((held.call, held.server, held.trace, held.ending), (None, None, None, None));
        }
        let held =
            record(json!({"kind": "admin_change", "operation": "grant.add", "object": "grt_1"})).record;
        assert_eq!(held.about.as_deref(), Some("grant.add grt_1"));
        let held = record(json!({"kind": "local", "call": CALL, "status": "ok", "code": 1})).record;
        assert_eq!(held.ending.map(|ending| (ending.status, ending.index)), Some(("ok".into(), None)));
        assert!(read("{").is_none() && read("{\"kind\":\"x\"}").is_none());
    }
}
