//! Properties of the wire for any input: agreement with another JSON reader, round trips, and no panic.

use bailiwick_mcp::json::{quote, unquote, validate};
use bailiwick_mcp::{Envelope, Frame, Limits, Message, Patch, Raw, RawId, frame};
use proptest::prelude::*;
use serde_json::{Map, Value};

#[expect(unreachable_pub, reason = "public for the fuzz targets, which use it as a library")]
#[path = "../../../fuzz/checks.rs"]
mod checks;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            object_of(inner).prop_map(Value::Object),
        ]
    })
}

fn object_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof!["[a-d]{1,2}", any::<String>(), Just("name".to_owned()), Just("cursor".to_owned())];
    prop::collection::vec((key, value), 0..6).prop_map(|members| members.into_iter().collect())
}

/// A value written with random white space and escapes: `dice` decides.
fn write(value: &Value, dice: &mut impl FnMut() -> u8, out: &mut String) {
    let mut space =
        |out: &mut String| out.push_str(["", "", "", " ", "\n\t", "\r\n"][usize::from(dice() % 6)]);
    space(out);
    match value {
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, dice, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (i, (key, member)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_text(key, dice, out);
                out.push(':');
                write(member, dice, out);
            }
            out.push('}');
        }
        Value::String(text) => write_text(text, dice, out),
        scalar => out.push_str(&scalar.to_string()),
    }
    out.push_str(["", " "][usize::from(dice() % 2)]);
}

fn write_text(text: &str, dice: &mut impl FnMut() -> u8, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if dice().is_multiple_of(8) || c == '"' || c == '\\' || c < ' ' {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out.push('"');
}

fn written(value: &Value, seed: &[u8]) -> String {
    let mut at = 0;
    let mut dice = || {
        at += 1;
        seed.get(at % seed.len().max(1)).copied().unwrap_or(1)
    };
    let mut out = String::new();
    write(value, &mut dice, &mut out);
    out
}

fn request_of(id: &Value, params: &Map<String, Value>) -> Value {
    serde_json::json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params, "extra": [1]})
}

proptest! {
    #[test]
    fn any_request_is_read_as_another_reader_reads_it(
        params in object_of(any_json()), id in any::<i64>(), seed in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let value = request_of(&id.into(), &params);
        let body = written(&value, &seed);
        match Envelope::parse(body.as_bytes(), &Limits::default()) {
            Ok(Message::Request(request)) => {
                let params = request.params.as_ref().unwrap();
                let back: Map<String, Value> = serde_json::from_str(params.raw().as_str()).unwrap();
                for (name, member) in &back {
                    let found: Value = serde_json::from_str(params.get(name).unwrap().as_str()).unwrap();
                    prop_assert_eq!(&found, member);
                }
                prop_assert_eq!(params.members().len(), back.len());
            }
            other => prop_assert!(false, "{}: {:?}", body, other),
        }
    }

    #[test]
    fn a_changed_byte_is_judged_as_another_reader_judges_it(
        value in any_json(), seed in prop::collection::vec(any::<u8>(), 1..32), at in any::<prop::sample::Index>(),
        with in prop_oneof![any::<char>(), prop::sample::select("\"\\{}[],:.-+0eEtu ".chars().collect::<Vec<_>>())],
    ) {
        let mut text: Vec<char> = written(&value, &seed).chars().collect();
        let at = at.index(text.len());
        text[at] = with;
        let text: String = text.into_iter().collect();
        // The other reader takes duplicates, and refuses numbers beyond its range; those apart both agree.
        let strict = validate(&text, u8::MAX);
        match serde_json::from_str::<Value>(&text) {
            Ok(_) => prop_assert!(
                !matches!(strict, Err(ref e) if !matches!(e, bailiwick_mcp::json::SyntaxError::DuplicateKey { .. })),
                "{text}: {strict:?}"
            ),
            Err(e) => prop_assert!(strict.is_err() || e.to_string().contains("out of range"), "{text}: {e}"),
        }
    }

    #[test]
    fn a_splice_leaves_every_other_byte(
        params in object_of(any_json()), seed in prop::collection::vec(any::<u8>(), 1..64), name in any::<String>(),
    ) {
        let body = written(&request_of(&"old".into(), &params), &seed);
        let Ok(Message::Request(request)) = Envelope::parse(body.as_bytes(), &Limits::default()) else {
            return Err(TestCaseError::fail(body));
        };
        let mut patch = Patch::new().with_id(RawId::new("\"new\"").unwrap());
        patch.body.set_string("name", &name);
        let got = String::from_utf8(patch.apply(&request).unwrap()).unwrap();
        // Undoing both changes by position gives the old bytes back.
        let Ok(Message::Request(again)) = Envelope::parse(got.as_bytes(), &Limits::default()) else {
            return Err(TestCaseError::fail(got));
        };
        let read = again.params.as_ref().and_then(|p| p.name());
        prop_assert_eq!(read.as_deref(), Some(name.as_str()));
        let mut undo = Patch::new().with_id(request.id);
        match request.param("name") {
            Some(old) => undo.body.set("name", old.as_bytes()),
            None => undo.body.remove("name"),
        };
        let back = String::from_utf8(undo.apply(&again).unwrap()).unwrap();
        prop_assert_eq!(back.trim(), body.trim());
    }

    #[test]
    fn answers_keep_their_inside(result in object_of(any_json()), seed in prop::collection::vec(any::<u8>(), 1..64)) {
        let value = serde_json::json!({"jsonrpc": "2.0", "id": 1, "result": result});
        let body = written(&value, &seed);
        let Ok(Frame::Answer(answer)) = frame(body.as_bytes(), &Limits::default()) else {
            return Err(TestCaseError::fail(body));
        };
        let raw = answer.result().unwrap();
        let back: Value = serde_json::from_str(&body).unwrap();
        for (name, member) in back["result"].as_object().unwrap() {
            let found: Value = serde_json::from_str(raw.member(name).unwrap().unwrap().as_str()).unwrap();
            prop_assert_eq!(&found, member);
        }
    }

    #[test]
    fn strings_survive_quoting(text in any::<String>()) {
        let quoted = String::from_utf8(quote(&text)).unwrap();
        let back = unquote(&quoted);
        prop_assert_eq!(back.as_deref(), Some(text.as_str()));
        prop_assert!(validate(&quoted, 0).is_ok());
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
    }

    #[test]
    fn no_bytes_make_it_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
        checks::envelope(&data);
        checks::headers(&data);
        checks::sse(&data);
    }

    #[test]
    fn no_text_near_json_makes_it_panic(text in "[\\[\\]{}\",:\\\\ua0-9eE.+ -]{0,60}") {
        checks::envelope(text.as_bytes());
        let raw = Raw::new(&text);
        let _ = (raw.object(), raw.items(), raw.member("a"), raw.string(), RawId::new(&text));
    }

    #[test]
    fn no_stream_makes_it_panic(text in "(data|id|event|retry|:| |\r|\n|\r\n|x|\0|7){0,60}") {
        checks::sse(text.as_bytes());
    }
}
