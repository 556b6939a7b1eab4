//! What a client's body may be: tables out of the specification and SECURITY.md "Parsing and policy".

#![expect(clippy::panic, reason = "tests fail by panics, in their helpers too")]

use bailiwick_mcp::envelope::{Id, ParseErrorKind};
use bailiwick_mcp::json::SyntaxError;
use bailiwick_mcp::{Envelope, Limits, Message, Outcome, ParseError, RawId, Request};

fn parse(body: &str) -> Result<Message<'_>, ParseError> {
    Envelope::parse(body.as_bytes(), &Limits::default())
}

fn request(body: &str) -> Request<'_> {
    match parse(body) {
        Ok(Message::Request(request)) => request,
        other => panic!("{body}: {other:?}"),
    }
}

/// Code and HTTP status of the refusal.
fn refused(body: &[u8]) -> (i64, u16) {
    let error = Envelope::parse(body, &Limits::default()).expect_err("must be refused");
    let answer = error.refusal().response(error.id.as_ref().map(Id::as_raw));
    serde_json::from_slice::<serde_json::Value>(&answer).expect("error responses are JSON");
    (error.code(), error.status().as_u16())
}

#[test]
fn a_call_is_read_with_all_its_parts() {
    let body = r#" {"jsonrpc":"2.0", "id" : "x-1","method":"tools/call","extra":{"a":1},
        "params":{"name":"echo","arguments":{"a":[1,2.50]},"_meta":{"progressToken":7,"traceparent":"t"},
        "requestState":"s","inputResponses":{}}} "#;
    let request = request(body);
    assert_eq!(request.id.as_str(), "\"x-1\"");
    assert_eq!(request.method, "tools/call");
    assert_eq!(request.raw(), body.trim().as_bytes());
    let params = request.params.as_ref().expect("params");
    assert_eq!(params.name().as_deref(), Some("echo"));
    assert_eq!(params.arguments().expect("arguments").as_str(), r#"{"a":[1,2.50]}"#);
    assert_eq!(params.meta().expect("meta").as_str(), r#"{"progressToken":7,"traceparent":"t"}"#);
    assert_eq!(request.meta("progressToken").and_then(|raw| raw.integer()), Some(7));
    assert_eq!(request.param("requestState").and_then(|raw| raw.string()).as_deref(), Some("s"));
    assert!(request.param("inputResponses").expect("member").is_object());
    assert!(request.param("absent").is_none() && params.uri().is_none() && params.cursor().is_none());
    for member in params.members() {
        let bytes = &request.raw()[member.value.range()];
        assert_eq!(bytes, member.value.as_bytes(), "offsets point at the value");
        assert_eq!(request.raw()[member.key_start], b'"');
    }
}

#[test]
fn escaped_member_names_mean_the_same_member() {
    let request = request(
        r#"{"jsonrpc":"2.0","\u0069d":1,"m\u0065thod":"tools\/call",
        "params":{"n\u0061me":"e\u0063ho","_m\u0065ta":{"progress\u0054oken":1}}}"#,
    );
    assert_eq!(request.method, "tools/call");
    assert_eq!(request.params.as_ref().and_then(|p| p.name()).as_deref(), Some("echo"));
    assert!(request.meta("progressToken").is_some());
}

#[test]
fn ids_are_kept_exactly_and_numbers_are_no_strings() {
    for id in ["1", "\"1\"", "-7", "0", "9007199254740993", "\"\"", r#""\u0061\n""#, "\"ü\""] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        assert_eq!(request(&body).id.as_str(), id);
        assert_eq!(RawId::new(id).map(|id| id.as_str().to_owned()).as_deref(), Some(id));
    }
    assert_ne!(RawId::new("1"), RawId::new("\"1\""));
    let (plain, escaped) = (RawId::new("\"a\"").unwrap(), RawId::new(r#""\u0061""#).unwrap());
    assert!(plain != escaped && plain.same(&escaped) && !plain.same(&RawId::new("1").unwrap()));
    for bad in ["", "null", "1.0", "1e2", "01", "-", "+1", "\"a", "\"a\"b\"", "\"\n\"", "true", "[]"] {
        assert_eq!(RawId::new(bad), None, "{bad}");
    }
}

#[test]
fn notifications_responses_and_errors_are_told_apart() {
    let notification = parse(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    assert!(matches!(notification, Ok(Message::Notification(n)) if n.method == "notifications/initialized"));
    let result = parse(r#"{"jsonrpc":"2.0","id":5,"result":{"roots":[]}}"#);
    assert!(
        matches!(result, Ok(Message::Response(r)) if matches!(r.outcome, Outcome::Result(raw) if raw.as_str() == r#"{"roots":[]}"#))
    );
    for id in ["", r#""id":null,"#, r#""id":3,"#] {
        let body = format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":-1,"message":"no"}}}}"#);
        match parse(&body) {
            Ok(Message::Response(r)) => {
                assert_eq!(r.id.is_some(), id.contains('3'));
                assert!(matches!(r.outcome, Outcome::Error(e) if e.code() == -1 && e.message() == "no"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_no_strict_json_is_a_parse_error() {
    let bodies: &[&[u8]] = &[
        b"",
        b"  ",
        b"{",
        b"nul",
        b"\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}{}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\xff\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\xed\xa0\x80\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\ud800\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\udc00\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\ud800\\u0041\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\",\"\\ud800\":1}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\nb\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\x\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"a\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",}",
        b"{'jsonrpc':\"2.0\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{\"x\":NaN}}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{\"x\":.5}}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{\"x\":1.}}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\" /* c */}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{\"x\":[1 2]}}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{\"x\":[1}]}",
    ];
    for body in bodies {
        assert_eq!(refused(body), (-32700, 400), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn json_that_is_no_message_is_an_invalid_request() {
    for body in [
        "1",
        "null",
        "\"ping\"",
        "{}",
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
        r#"{"JSONRPC":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"Method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1e2,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":7}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":""}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"name":"x","n\u0061me":"y"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":{"k":1,"\u006b":1}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":[{"deep":{"é":1,"\u00e9":2}}]}}"#,
    ] {
        assert_eq!(refused(body.as_bytes()), (-32600, 400), "{body}");
    }
    let meta = br#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":7}}"#;
    assert_eq!(refused(meta), (-32602, 400));
}

#[test]
fn errors_carry_the_id_once_it_was_read() {
    for (body, id) in [
        (r#"{"jsonrpc":"2.0","id":"q","Method":"ping"}"#, Some("\"q\"")),
        (r#"{"jsonrpc":"2.0","id":9,"method":"a","params":{"x":1,"x":2}}"#, Some("9")),
        (r#"{"jsonrpc":"2.0","method":"a","params":{"x":1,"x":2},"id":9}"#, None),
        (r#"{"jsonrpc":"2.0","id":{},"method":"a"}"#, None),
        ("{", None),
    ] {
        let error = parse(body).expect_err("refused");
        assert_eq!(error.id.as_ref().map(Id::as_str), id, "{body}");
    }
}

#[test]
fn duplicates_are_found_in_large_objects_too() {
    for (count, duplicate) in [(10, 3), (17, 0), (1000, 999), (1000, 0), (40_000, 12_345)] {
        let members: Vec<String> = (0..count).map(|i| format!("\"key{i}\":{{}}")).collect();
        let body = |extra: &str| {
            let members = members.join(",");
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{{members}{extra}}}}}"#)
        };
        assert!(parse(&body("")).is_ok());
        let doubled = body(&format!(",\"k\\u0065y{duplicate}\":1"));
        let kind = parse(&doubled).expect_err("duplicate").kind;
        assert!(matches!(kind, ParseErrorKind::Syntax(SyntaxError::DuplicateKey { .. })), "{kind:?}");
    }
}

#[test]
fn depth_size_and_id_length_are_bounded() {
    let nested = |depth: usize| {
        // The message and its params are two of the levels.
        let (open, close) = ("[".repeat(depth - 2), "]".repeat(depth - 2));
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"x":{open}{close}}}}}"#)
    };
    assert!(parse(&nested(64)).is_ok());
    assert_eq!(refused(nested(65).as_bytes()), (-32600, 400));
    assert_eq!(refused(nested(1_000_000).as_bytes()), (-32600, 400));
    let objects = format!("{}1", "{\"a\":".repeat(500_000));
    assert_eq!(refused(objects.as_bytes()), (-32600, 400));

    let sized = |bytes: usize| {
        let frame = r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"x":""}}"#;
        frame.replace("\"\"}", &format!("\"{}\"}}", "a".repeat(bytes - frame.len())))
    };
    assert_eq!(sized(4 << 20).len(), 4 << 20);
    assert!(parse(&sized(4 << 20)).is_ok());
    assert_eq!(refused(sized((4 << 20) + 1).as_bytes()), (-32600, 413));

    let with_id = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#);
    assert!(parse(&with_id(&format!("\"{}\"", "i".repeat(254)))).is_ok());
    assert_eq!(refused(with_id(&format!("\"{}\"", "i".repeat(255))).as_bytes()), (-32600, 400));
    assert_eq!(refused(with_id(&"9".repeat(257)).as_bytes()), (-32600, 400));
    let deepest = Limits { max_depth: u8::MAX, ..Limits::default() };
    assert!(Envelope::parse(nested(255).as_bytes(), &deepest).is_ok());
    assert!(Envelope::parse(nested(256).as_bytes(), &deepest).is_err());
}

#[test]
fn batches_pass_only_where_they_are_allowed() {
    let limits = Limits::default().with_batches(2);
    let one = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a":1}}}"#;
    let two = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let body = format!(" [ {one} , {two} ] ");
    match Envelope::parse(body.as_bytes(), &limits) {
        Ok(Message::Batch(messages)) => {
            let [Message::Request(request), Message::Notification(notification)] = &messages[..] else {
                panic!("{messages:?}")
            };
            assert_eq!(request.raw(), one.as_bytes());
            assert_eq!(notification.raw(), two.as_bytes());
            let meta = request.params.as_ref().and_then(|p| p.meta()).expect("meta");
            assert_eq!(&request.raw()[meta.range()], br#"{"a":1}"#, "offsets count from the message");
        }
        other => panic!("{other:?}"),
    }
    for bad in [
        "[]",
        "[1]",
        "[[]]",
        &format!("[{one},{one},{one}]"),
        &format!("[{one},1]"),
        &format!("[{one},{{}}]"),
    ] {
        let error = Envelope::parse(bad.as_bytes(), &limits).expect_err(bad);
        assert_eq!(error.code(), -32600, "{bad}");
    }
    assert_eq!(Envelope::parse(b"[{}", &limits).expect_err("open").code(), -32700);
}

#[test]
fn the_largest_hostile_bodies_are_judged_quickly() {
    // Not a benchmark: 200 ms are promised, quadratic work would take minutes.
    let members: String = (0..380_000).map(|i| format!("\"{i}\":1,")).collect();
    let keys = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{{members}"x":1}}}}"#);
    let slashes =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"x":"{}"}}}}"#, "\\\\".repeat(2_000_000));
    for body in [keys, slashes] {
        assert!(parse(&body).is_ok());
    }
}
