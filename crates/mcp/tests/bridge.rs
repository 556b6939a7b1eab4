//! Messages of one era made fit for the other.

#![expect(clippy::panic, reason = "tests fail by panics, in their helpers too")]

use bailiwick_mcp::bridge::{
    ClientMeta, Unbridgeable, answer_to_legacy, answer_to_modern, discover_from_initialize,
    initialize_from_discover, initialize_params, notification_to_legacy, request_to_legacy,
    request_to_modern,
};
use bailiwick_mcp::{Answer, Envelope, Era, Frame, Limits, Message, Method, Patch, Raw, Request, frame};
use serde_json::{Value, json};

fn request(body: &str) -> Request<'_> {
    match Envelope::parse(body.as_bytes(), &Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn answer(body: &str) -> Answer<'_> {
    match frame(body.as_bytes(), &Limits::default()) {
        Ok(Frame::Answer(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json).expect("JSON")
}

#[test]
fn requests_go_there_and_back_unharmed() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":1,"traceparent":"t"}}}"#;
    let client = ClientMeta {
        era: Era::MODERN,
        capabilities: r#"{"roots":{}}"#,
        info: Some(r#"{"name":"c","version":"1"}"#),
        log_level: Some("\"info\""),
    };
    let mut patch = Patch::new();
    request_to_modern(&mut patch, &client);
    let modern = String::from_utf8(patch.apply(&request(body)).expect("fits")).expect("UTF-8");
    let meta = &value(modern.as_bytes())["params"]["_meta"];
    let wanted = json!({
        "progressToken": 1,
        "traceparent": "t",
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"roots": {}},
        "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1"},
        "io.modelcontextprotocol/logLevel": "info"
    });
    assert_eq!(meta, &wanted);
    let mut back = Patch::new();
    request_to_legacy(&mut back);
    assert_eq!(back.apply(&request(&modern)).as_deref(), Ok(body.as_bytes()));
}

#[test]
fn notifications_lose_the_mark_of_the_listen_stream() {
    let body = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"u","_meta":{"io.modelcontextprotocol/subscriptionId":1}}}"#;
    let Ok(Frame::Notification(notification)) = frame(body.as_bytes(), &Limits::default()) else { panic!() };
    let mut patch = Patch::new();
    notification_to_legacy(&mut patch);
    let got = value(&patch.apply(&notification).expect("fits"));
    assert_eq!(got["params"], json!({"uri": "u", "_meta": {}}));
}

#[test]
fn answers_change_only_what_the_eras_differ_in() {
    let modern = |rest: &str| format!(r#"{{"jsonrpc":"2.0","id":1,{rest}}}"#);
    let cached =
        modern(r#""result":{"resultType":"complete","tools":[],"ttlMs":5,"cacheScope":"public","x":1}"#);
    let called = modern(r#""result":{"content":[],"ttlMs":5}"#);
    let absent = modern(r#""error":{"code":-32602,"message":"gone","data":{"uri":"u"}}"#);
    let invalid = modern(r#""error":{"code":-32602,"message":"bad cursor"}"#);
    for (body, method, wanted) in [
        (&cached, Method::ToolsList, json!({"tools": [], "x": 1})),
        (&called, Method::ToolsCall, json!({"content": [], "ttlMs": 5})),
        (&absent, Method::ResourcesRead, json!(-32002)),
        (&invalid, Method::ResourcesRead, json!(-32602)),
        (&absent, Method::ToolsCall, json!(-32602)),
    ] {
        let mut patch = Patch::new();
        answer_to_legacy(&mut patch, &answer(body), method).expect("bridgeable");
        let got = value(&patch.apply(&answer(body)).expect("fits"));
        assert_eq!(got.get("result").unwrap_or(&got["error"]["code"]), &wanted);
    }
    let legacy_list = modern(r#""result":{"tools":[],"ttlMs":"weird"}"#);
    let legacy_absent = modern(r#""error":{"code":-32002,"message":"gone"}"#);
    for (body, method, wanted) in [
        (
            &legacy_list,
            Method::ToolsList,
            json!({"tools": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}),
        ),
        (&called, Method::ToolsCall, json!({"content": [], "ttlMs": 5, "resultType": "complete"})),
        (&legacy_absent, Method::ResourcesRead, json!(-32602)),
    ] {
        let mut patch = Patch::new();
        answer_to_modern(&mut patch, &answer(body), method).expect("bridgeable");
        let got = value(&patch.apply(&answer(body)).expect("fits"));
        assert_eq!(got.get("result").unwrap_or(&got["error"]["code"]), &wanted);
    }
}

#[test]
fn what_the_other_era_cannot_say_is_an_error() {
    let typed = |kind: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":{kind}}}}}"#);
    for (kind, wanted) in [
        ("\"input_required\"", Unbridgeable::InputRequired),
        ("\"task\"", Unbridgeable::Task),
        ("\"surprise\"", Unbridgeable::UnknownType),
        ("7", Unbridgeable::UnknownType),
    ] {
        let body = typed(kind);
        assert_eq!(answer_to_legacy(&mut Patch::new(), &answer(&body), Method::ToolsCall), Err(wanted));
    }
    let doubled = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","resultType":"task"}}"#;
    let got = answer_to_legacy(&mut Patch::new(), &answer(doubled), Method::ToolsCall);
    assert!(matches!(got, Err(Unbridgeable::Malformed(_))));
    let url = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"visit"}}"#;
    let got = answer_to_modern(&mut Patch::new(), &answer(url), Method::ToolsCall);
    assert_eq!(got, Err(Unbridgeable::InputRequired));
}

#[test]
fn the_handshakes_say_the_same() {
    let initialize = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"tasks":{"list":{}},"logging":{}},
        "serverInfo":{"name":"s","version":"1","title":"S"},"instructions":"use \"it\""}"#;
    let discover = discover_from_initialize(Raw::new(initialize), &[Era::MODERN]).expect("readable");
    let wanted = json!({
        "resultType": "complete",
        "supportedVersions": ["2026-07-28"],
        "capabilities": {"tools": {"listChanged": true}, "logging": {}},
        "instructions": "use \"it\"",
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "s", "version": "1", "title": "S"}}
    });
    assert_eq!(value(&discover), wanted);
    let discover = String::from_utf8(discover).expect("UTF-8");
    let back = initialize_from_discover(Raw::new(&discover), Era::V2025_06_18, "fallback").expect("readable");
    let wanted = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {"listChanged": true}, "logging": {}},
        "serverInfo": {"name": "s", "version": "1", "title": "S"},
        "instructions": "use \"it\""
    });
    assert_eq!(value(&back), wanted);

    let bare = r#"{"capabilities":{"extensions":{"io.modelcontextprotocol/tasks":{},"io.modelcontextprotocol/ui":{}}}}"#;
    let got = initialize_from_discover(Raw::new(bare), Era::LEGACY, "srv").expect("readable");
    assert_eq!(value(&got)["capabilities"], json!({"extensions": {"io.modelcontextprotocol/ui": {}}}));
    assert_eq!(value(&got)["serverInfo"], json!({"name": "srv", "version": ""}));
    assert!(initialize_from_discover(Raw::new("[]"), Era::LEGACY, "srv").is_err());
    assert!(discover_from_initialize(Raw::new(r#"{"capabilities":1}"#), &[]).is_err());
    let params = initialize_params(Era::LEGACY, "{}", r#"{"name":"c","version":"1"}"#);
    assert_eq!(value(&params)["clientInfo"]["name"], "c");
}
