//! Patches change what they name and nothing else.

#![expect(clippy::panic, reason = "tests fail by panics, in their helpers too")]

use bailiwick_mcp::splice::SpliceError;
use bailiwick_mcp::{
    Edits, Envelope, Frame, Limits, Message, ObjectPatch, Patch, Raw, RawId, Request, frame,
};

fn request(body: &str) -> Request<'_> {
    match Envelope::parse(body.as_bytes(), &Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{body}: {other:?}"),
    }
}

fn patched(body: &str, change: impl FnOnce(&mut Patch<'_>)) -> String {
    let mut patch = Patch::new();
    change(&mut patch);
    String::from_utf8(patch.apply(&request(body)).expect("patch fits")).expect("UTF-8")
}

#[test]
fn a_renamed_call_keeps_every_other_byte() {
    let body = "{ \"jsonrpc\" : \"2.0\",\t\"id\": 1 ,\"method\":\"tools/call\", \"params\" : { \"arguments\":{\"a\" : 1.0e+2}, \
                \"n\\u0061me\" : \"srv__echo\" , \"x\":[ ] },\"y\":0 }";
    let got = patched(body, |patch| {
        patch.id = RawId::new("\"g-7\"").map(|id| id.as_str().to_owned().into());
        patch.body.set_string("name", "ec\"ho");
    });
    let wanted = body.replace("\"id\": 1", "\"id\": \"g-7\"").replace("\"srv__echo\"", "\"ec\\\"ho\"");
    assert_eq!(got, wanted);
    assert_eq!(patched(body, |_| ()), body, "no change is a copy");
}

#[test]
fn meta_is_created_merged_and_reduced() {
    let meta = |patch: &mut Patch<'_>| {
        patch.meta.set_string("traceparent", "t").set("progressToken", &b"5"[..]).remove("gone");
    };
    for (params, wanted) in [
        ("", r#","params":{"_meta":{"traceparent":"t","progressToken":5}}"#),
        (r#","params":{}"#, r#","params":{"_meta":{"traceparent":"t","progressToken":5}}"#),
        (r#","params":{"a":1}"#, r#","params":{"a":1,"_meta":{"traceparent":"t","progressToken":5}}"#),
        (
            r#","params":{"_meta":{},"a":1}"#,
            r#","params":{"_meta":{"traceparent":"t","progressToken":5},"a":1}"#,
        ),
        (
            r#","params":{"_meta":{"gone":1,"progressToken":"p","k":2}}"#,
            r#","params":{"_meta":{"progressToken":5,"k":2,"traceparent":"t"}}"#,
        ),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m"{params}}}"#);
        let wanted = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m"{wanted}}}"#);
        assert_eq!(patched(&body, meta), wanted);
    }
    let nothing_to_remove = r#"{"jsonrpc":"2.0","id":1,"method":"m"}"#;
    let remove = |patch: &mut Patch<'_>| {
        patch.meta.remove("a");
    };
    assert_eq!(patched(nothing_to_remove, remove), nothing_to_remove);
}

#[test]
fn members_are_removed_with_the_right_comma() {
    let object = r#"{ "a":1, "b" : 2 ,"c":3 }"#;
    for (remove, set, wanted) in [
        ("a", None, r#"{ "b" : 2 ,"c":3 }"#),
        ("b", None, r#"{ "a":1 ,"c":3 }"#),
        ("c", None, r#"{ "a":1, "b" : 2 }"#),
        ("ab", None, r#"{ "c":3 }"#),
        ("bc", None, r#"{ "a":1 }"#),
        ("ac", None, r#"{ "b" : 2 }"#),
        ("abc", None, "{  }"),
        ("abc", Some("d"), r#"{ "d":0 }"#),
        ("c", Some("d"), r#"{ "a":1, "b" : 2,"d":0 }"#),
        ("a", Some("b"), r#"{ "b" : 0 ,"c":3 }"#),
        ("", Some("d"), r#"{ "a":1, "b" : 2 ,"c":3,"d":0 }"#),
    ] {
        let mut patch = ObjectPatch::new();
        for name in remove.chars() {
            patch.remove(name.to_string());
        }
        if let Some(name) = set {
            patch.set(name, &b"0"[..]);
        }
        let mut edits = Edits::new();
        patch.edit(&Raw::new(object).object().expect("object"), &mut edits);
        let got = String::from_utf8(edits.apply(object.as_bytes()).expect("fits")).expect("UTF-8");
        assert_eq!(got, wanted, "remove {remove}, set {set:?}");
        serde_json::from_str::<serde_json::Value>(&got).expect("JSON");
    }
}

#[test]
fn results_and_errors_of_servers_are_patched() {
    let body = r#"{"jsonrpc":"2.0","id":4,"result":{"tools":[ 1 ],"ttlMs":5,"x":{}}}"#;
    let Ok(Frame::Answer(answer)) = frame(body.as_bytes(), &Limits::default()) else { panic!() };
    let mut patch = Patch::new().with_id(RawId::new("\"c\"").expect("id"));
    patch.body.set_string("resultType", "complete").remove("ttlMs");
    patch.meta.set("k", &b"[]"[..]);
    assert_eq!(
        patch.apply(&answer).as_deref(),
        Ok(&br#"{"jsonrpc":"2.0","id":"c","result":{"tools":[ 1 ],"x":{},"resultType":"complete","_meta":{"k":[]}}}"#[..])
    );
    let body = r#"{"jsonrpc":"2.0","id":4,"error":{"message":"no","code" : -32602,"data":{"uri":"u"}}}"#;
    let Ok(Frame::Answer(answer)) = frame(body.as_bytes(), &Limits::default()) else { panic!() };
    let patch = Patch { error_code: Some(-32002), error_message: Some("gone".into()), ..Patch::new() };
    let wanted = body.replace("-32602", "-32002").replace("\"no\"", "\"gone\"");
    assert_eq!(patch.apply(&answer).as_deref(), Ok(wanted.as_bytes()));
}

#[test]
fn a_server_that_doubles_members_cannot_be_patched() {
    let body = br#"{"jsonrpc":"2.0","id":4,"result":{"a":1,"a":2}}"#;
    let Ok(Frame::Answer(answer)) = frame(body, &Limits::default()) else { panic!() };
    let mut patch = Patch::new();
    patch.body.set("b", &b"1"[..]);
    assert!(matches!(patch.apply(&answer), Err(SpliceError::Malformed(_))));
}

#[test]
fn an_id_alone_does_not_look_inside() {
    let body = br#"{"jsonrpc":"2.0","id":4,"result":{"a":1 2}}"#;
    let Ok(Frame::Answer(answer)) = frame(body, &Limits::default()) else { panic!() };
    let got = Patch::new().with_id(RawId::new("5").expect("id")).apply(&answer).expect("fits");
    assert_eq!(got, br#"{"jsonrpc":"2.0","id":5,"result":{"a":1 2}}"#);
}

#[test]
fn what_is_not_there_cannot_be_changed() {
    let body = br#"{"jsonrpc":"2.0","error":{"code":1,"message":""}}"#;
    let Ok(Frame::Answer(answer)) = frame(body, &Limits::default()) else { panic!() };
    let patch = Patch::new().with_id(RawId::new("1").expect("id"));
    assert_eq!(patch.apply(&answer), Err(SpliceError::Missing("id")));
    let mut edits = Edits::new();
    edits.remove(0..4);
    edits.remove(3..5);
    assert!(edits.apply(b"0123456789").is_err());
    let mut outside = Edits::new();
    outside.insert(11, &b"x"[..]);
    assert!(outside.apply(b"0123456789").is_err());
}
