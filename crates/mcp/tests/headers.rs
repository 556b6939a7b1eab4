//! Headers against bodies, in both directions, and the era of a message.

#![expect(clippy::panic, reason = "tests fail by panics, in their helpers too")]

use bailiwick_mcp::headers::{
    HeaderMismatch, InvalidAnnotation, Mirror, ParamHeaders, Spoken, check, check_params, classify, mirror,
};
use bailiwick_mcp::{Envelope, Era, Limits, Message, Raw, Refusal, Request};
use http::{HeaderMap, HeaderName, HeaderValue};

fn message(body: &str) -> Message<'_> {
    Envelope::parse(body.as_bytes(), &Limits::default().with_batches(8)).expect("valid")
}

fn request(body: &str) -> Request<'_> {
    match message(body) {
        Message::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

fn headers(list: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in list {
        let name = HeaderName::try_from(*name).expect("name");
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("value"));
    }
    map
}

/// A modern call of `method` with these params in front of `_meta`.
fn modern(method: &str, params: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    )
}

const VERSION: (&str, &str) = ("MCP-Protocol-Version", "2026-07-28");

#[test]
fn headers_that_mirror_the_body_pass() {
    let call = modern("tools/call", r#""name":"Grüße","#);
    let encoded = ("mcp-NAME", "=?base64?R3LDvMOfZQ==?=");
    for (body, list) in [
        (&call, vec![VERSION, ("Mcp-Method", "tools/call"), encoded]),
        (&call, vec![("mcp-protocol-version", " 2026-07-28\t"), ("MCP-METHOD", "  tools/call "), encoded]),
        (&modern("tools/list", ""), vec![VERSION, ("Mcp-Method", "tools/list")]),
        (&modern("tools/list", ""), vec![VERSION, ("Mcp-Method", "tools/list"), ("Mcp-Name", "ignored")]),
        (
            &modern("resources/read", r#""uri":"file:///a","#),
            vec![VERSION, ("Mcp-Method", "resources/read"), ("Mcp-Name", "file:///a")],
        ),
        (
            &modern("tasks/get", r#""taskId":"t","#),
            vec![VERSION, ("Mcp-Method", "tasks/get"), ("Mcp-Name", "t")],
        ),
        // Without a name there is nothing to mirror; that it is missing is for the params check.
        (&modern("tools/call", ""), vec![VERSION, ("Mcp-Method", "tools/call")]),
    ] {
        assert_eq!(check(&headers(&list), &request(body)), Ok(()), "{list:?}");
    }
}

#[test]
fn headers_that_contradict_the_body_are_refused() {
    let call = modern("tools/call", r#""name":"echo","#);
    let (method, name) = (("Mcp-Method", "tools/call"), ("Mcp-Name", "echo"));
    for list in [
        vec![],
        vec![method, name],
        vec![VERSION, name],
        vec![VERSION, method],
        vec![("MCP-Protocol-Version", "2025-11-25"), method, name],
        vec![VERSION, ("Mcp-Method", "TOOLS/CALL"), name],
        vec![VERSION, ("Mcp-Method", "tools/list"), name],
        vec![VERSION, ("Mcp-Method", "=?base64?dG9vbHMvY2FsbA==?="), name],
        vec![VERSION, method, ("Mcp-Name", "Echo")],
        vec![VERSION, method, ("Mcp-Name", "ech\u{f6}")],
        vec![VERSION, method, ("Mcp-Name", "=?base64?ZWNobw?=")],
        vec![VERSION, method, ("Mcp-Name", "=?base64?ZWNobx==?=")],
        vec![VERSION, method, ("Mcp-Name", "=?BASE64?ZWNobw==?=")],
        vec![VERSION, method, name, name],
        vec![VERSION, method, method, name],
        vec![VERSION, VERSION, method, name],
    ] {
        let mismatch = check(&headers(&list), &request(&call)).expect_err("refused");
        let refusal = mismatch.refusal();
        assert_eq!((refusal.code, refusal.status.as_u16()), (-32020, 400), "{list:?}");
    }
    let nameless = modern("tools/call", "");
    let refused = check(&headers(&[VERSION, method, name]), &request(&nameless));
    assert_eq!(refused, Err(HeaderMismatch::Differs("mcp-name".into())));
}

const SCHEMA: &str = r#"{"type":"object","properties":{
    "region":{"type":"string","x-mcp-header":"Region"},
    "opts":{"type":"object","properties":{
        "dry":{"type":"boolean","x-mcp-header":"Dry-Run"},
        "x-mcp-header":{"type":"integer","x-mcp-header":"N"}}},
    "plain":{"type":"string","default":{"x-mcp-header":"data, not schema"}}}}"#;

fn call(arguments: &str) -> String {
    modern("tools/call", &format!(r#""name":"t","arguments":{arguments},"#))
}

#[test]
fn annotated_arguments_are_mirrored_and_checked() {
    let params = ParamHeaders::from_schema(SCHEMA).expect("valid annotations");
    for (arguments, list, good) in [
        (r#"{"region":"eu"}"#, vec![("Mcp-Param-Region", "eu")], true),
        (r#"{"region":"eu"}"#, vec![("mcp-param-REGION", "eu"), ("Mcp-Param-Other", "x")], true),
        (r#"{"region":"e\u0075"}"#, vec![("Mcp-Param-Region", "=?base64?ZXU=?=")], true),
        (r#"{"region":"eu"}"#, vec![], false),
        (r#"{"region":"eu"}"#, vec![("Mcp-Param-Region", "EU")], false),
        (r#"{"region":"eu"}"#, vec![("Mcp-Param-Region", "eu"), ("Mcp-Param-Region", "eu")], false),
        (r#"{"region":null}"#, vec![], true),
        (r#"{"region":null}"#, vec![("Mcp-Param-Region", "null")], false),
        ("{}", vec![("Mcp-Param-Region", "eu")], false),
        (r#"{"opts":{"dry":true}}"#, vec![("Mcp-Param-Dry-Run", "true")], true),
        (r#"{"opts":{"dry":true}}"#, vec![("Mcp-Param-Dry-Run", "True")], false),
        (r#"{"opts":{"dry":false}}"#, vec![("Mcp-Param-Dry-Run", "true")], false),
        (r#"{"opts":"none"}"#, vec![], true),
        (r#"{"opts":{"x-mcp-header":42}}"#, vec![("Mcp-Param-N", "42.0")], true),
        (r#"{"opts":{"x-mcp-header":42.0}}"#, vec![("Mcp-Param-N", "42")], true),
        (r#"{"opts":{"x-mcp-header":-7}}"#, vec![("Mcp-Param-N", "-7")], true),
        (r#"{"opts":{"x-mcp-header":42}}"#, vec![("Mcp-Param-N", "43")], false),
        (r#"{"opts":{"x-mcp-header":42}}"#, vec![("Mcp-Param-N", "0x2A")], false),
        (r#"{"opts":{"x-mcp-header":1}}"#, vec![("Mcp-Param-N", "inf")], false),
        // 2^53 and 2^53 + 1 are the same floating point number: outside of the safe range nothing is equal.
        (r#"{"opts":{"x-mcp-header":9007199254740993}}"#, vec![("Mcp-Param-N", "9007199254740992")], false),
    ] {
        let body = call(arguments);
        let got = check_params(&headers(&list), &request(&body), &params);
        assert_eq!(got.is_ok(), good, "{arguments} {list:?}: {got:?}");
    }
}

#[test]
fn headers_for_a_server_are_those_that_it_will_accept() {
    let params = ParamHeaders::from_schema(SCHEMA).expect("valid annotations");
    for name in ["echo", "Grüße\r\nX-Evil: 1", " padded", "=?base64?x?="] {
        let arguments = r#"{"region":" ä\n","opts":{"dry":false,"x-mcp-header":4.20e1}}"#;
        let quoted = String::from_utf8(bailiwick_mcp::json::quote(name)).expect("UTF-8");
        let body = modern("tools/call", &format!(r#""name":{quoted},"arguments":{arguments},"#));
        let mut built = headers(&[("Mcp-Name", "stale"), ("Mcp-Param-Region", "stale")]);
        let what = Mirror {
            era: Era::MODERN,
            method: "tools/call",
            name: Some(name),
            params: Some(&params),
            arguments: Some(Raw::new(arguments)),
        };
        mirror(&mut built, &what).expect("readable");
        assert_eq!(check(&built, &request(&body)), Ok(()));
        assert_eq!(check_params(&built, &request(&body), &params), Ok(()));
        assert_eq!(built["mcp-param-n"], "42");
        assert_eq!(built.len(), 6);
    }
    for (era, count) in [(Era::V2025_03_26, 0), (Era::V2025_06_18, 1), (Era::V2025_11_25, 1)] {
        let mut built = HeaderMap::new();
        let what = Mirror { era, method: "tools/call", name: Some("x"), params: None, arguments: None };
        mirror(&mut built, &what).expect("readable");
        assert_eq!(built.len(), count);
    }
}

#[test]
fn tools_with_invalid_annotations_are_refused() {
    use InvalidAnnotation as Bad;
    let annotated = |annotation: &str| {
        format!(r#"{{"properties":{{"a":{{"type":"string","x-mcp-header":{annotation}}}}}}}"#)
    };
    for name in [
        r#""""#,
        r#""a b""#,
        r#""a\r\nb""#,
        r#""ä""#,
        r#""a:b""#,
        r#""a\"b""#,
        r#""a(b""#,
        r#""a,b""#,
        r#""a/b""#,
        r#""a{b""#,
        r#""R\t1""#,
        "7",
        "null",
        r#"["a"]"#,
    ] {
        assert_eq!(ParamHeaders::from_schema(&annotated(name)), Err(Bad::Name), "{name}");
    }
    for kind in ["number", "object", "array", "null"] {
        let schema = annotated("\"A\"").replace("string", kind);
        assert!(matches!(ParamHeaders::from_schema(&schema), Err(Bad::Type(_))), "{kind}");
    }
    let untyped = r##"{"properties":{"a":{"$ref":"#/$defs/a","x-mcp-header":"A"}}}"##;
    assert!(matches!(ParamHeaders::from_schema(untyped), Err(Bad::Type(_))));
    let twice = r#"{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#;
    assert!(matches!(ParamHeaders::from_schema(twice), Err(Bad::Duplicate(_))));
    let inner = r#"{"type":"string","x-mcp-header":"A"}"#;
    for schema in [
        inner.to_owned(),
        format!(r#"{{"items":{inner}}}"#),
        format!(r#"{{"properties":{{"a":{{"type":"array","items":{inner}}}}}}}"#),
        format!(r#"{{"properties":{{"a":{{"items":{{"properties":{{"b":{inner}}}}}}}}}}}"#),
        format!(r#"{{"anyOf":[{{"properties":{{"a":{inner}}}}}]}}"#),
        format!(r#"{{"properties":{{"a":{{"allOf":[{inner}]}}}}}}"#),
        format!(r#"{{"if":{{"properties":{{"a":{inner}}}}}}}"#),
        format!(r#"{{"$defs":{{"a":{inner}}}}}"#),
        format!(r#"{{"additionalProperties":{inner}}}"#),
        inner.replace("x-mcp-header", r"x-mcp-h\u0065ader"),
    ] {
        assert_eq!(ParamHeaders::from_schema(&schema), Err(Bad::Unreachable), "{schema}");
    }
    let many = |count: usize| {
        let list: Vec<String> =
            (0..count).map(|i| format!(r#""p{i}":{{"type":"string","x-mcp-header":"P{i}"}}"#)).collect();
        ParamHeaders::from_schema(&format!(r#"{{"properties":{{{}}}}}"#, list.join(",")))
    };
    assert!(many(64).is_ok());
    assert_eq!(many(65), Err(Bad::TooMany));
    assert_eq!(ParamHeaders::from_schema("[\"x-mcp-header\"]"), Err(Bad::Schema));
    assert!(ParamHeaders::from_schema(r#"{"type":"object"}"#).expect("none").is_empty());
}

fn spoken(list: &[(&str, &str)], body: &str) -> Result<Spoken, (i64, u16)> {
    let code = |refusal: Refusal| (refusal.code, refusal.status.as_u16());
    classify(&headers(list), &message(body)).map_err(code)
}

#[test]
fn the_era_of_a_message_is_found() {
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let initialize =
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2026-07-28"}}"#;
    let old = |version| ("MCP-Protocol-Version", version);
    for (headers, body, wanted) in [
        (vec![VERSION], modern("tools/list", ""), Ok(Spoken::Modern(Era::V2026_07_28))),
        // That the header is missing is for `check`, which answers -32020.
        (vec![], modern("tools/list", ""), Ok(Spoken::Modern(Era::V2026_07_28))),
        (vec![old("2025-11-25")], modern("tools/list", ""), Err((-32020, 400))),
        (vec![VERSION], modern("x", "").replace("2026-07-28", "2099-01-01"), Err((-32020, 400))),
        (vec![old("2099-01-01")], modern("x", "").replace("2026-07-28", "2099-01-01"), Err((-32022, 400))),
        (vec![old("2025-11-25")], modern("x", "").replace("2026-07-28", "2025-11-25"), Err((-32022, 400))),
        (vec![VERSION], modern("x", "").replace("\"2026-07-28\"", "1"), Err((-32602, 400))),
        (vec![VERSION], modern("x", "").replace("clientCapabilities\":{}", "x\":1"), Err((-32602, 400))),
        (
            vec![VERSION],
            modern("x", "").replace("Capabilities\":{}", "Capabilities\":[]"),
            Err((-32602, 400)),
        ),
        (vec![VERSION], list.to_owned(), Err((-32602, 400))),
        (vec![], list.replace("tools/list", "server/discover"), Err((-32602, 400))),
        (vec![], initialize.to_owned(), Ok(Spoken::Initialize)),
        (vec![old("2025-06-18")], initialize.to_owned(), Ok(Spoken::Initialize)),
        (vec![], list.to_owned(), Ok(Spoken::Legacy(Era::V2025_03_26))),
        (vec![old("2025-06-18")], list.to_owned(), Ok(Spoken::Legacy(Era::V2025_06_18))),
        (vec![old("2025-11-25")], list.to_owned(), Ok(Spoken::Legacy(Era::V2025_11_25))),
        (vec![old("2024-11-05")], list.to_owned(), Err((-32022, 400))),
        (vec![old("nonsense")], list.to_owned(), Err((-32022, 400))),
        (vec![old("2025-11-25"), old("2025-06-18")], list.to_owned(), Err((-32020, 400))),
        (vec![old("caf\u{e9}")], list.to_owned(), Err((-32020, 400))),
        (vec![VERSION], r#"{"jsonrpc":"2.0","method":"n"}"#.into(), Ok(Spoken::Modern(Era::MODERN))),
        (vec![VERSION], r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.into(), Err((-32600, 400))),
        (vec![], format!("[{list}]"), Ok(Spoken::Legacy(Era::V2025_03_26))),
        (vec![old("2025-03-26")], format!("[{list}]"), Ok(Spoken::Legacy(Era::V2025_03_26))),
        (vec![old("2025-06-18")], format!("[{list}]"), Err((-32600, 400))),
        (vec![VERSION], format!("[{list}]"), Err((-32600, 400))),
        (vec![], format!("[{initialize}]"), Err((-32600, 400))),
        (vec![], format!("[{}]", modern("tools/list", "")), Err((-32600, 400))),
    ] {
        assert_eq!(spoken(&headers, &body), wanted, "{headers:?} {body}");
    }
}

#[test]
fn an_unsupported_version_is_answered_with_the_supported_ones() {
    let refusal = Refusal::unsupported_version("1900-01-01\"");
    let answer: serde_json::Value = serde_json::from_slice(&refusal.response(None)).expect("JSON");
    let wanted = serde_json::json!({
        "jsonrpc": "2.0",
        "error": {
            "code": -32022,
            "message": "Unsupported protocol version",
            "data": {
                "supported": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"],
                "requested": "1900-01-01\""
            }
        }
    });
    assert_eq!(answer, wanted);
}
