//! What a server's bytes may be: framing is read, the inside passes.

use bailiwick_mcp::{Answer, Frame, FrameError, Limits, RawId, frame, frames, member};

fn read(body: &str) -> Result<Frame<'_>, FrameError> {
    frame(body.as_bytes(), &Limits::default())
}

#[test]
fn answers_requests_and_notifications_are_told_apart() {
    match read(" {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[]},\"x\":1}\n") {
        Ok(Frame::Answer(answer)) => {
            assert_eq!(answer.id, RawId::new("7"));
            assert_eq!(answer.result().expect("result").as_str(), r#"{"content":[]}"#);
        }
        other => panic!("{other:?}"),
    }
    match read(r#"{"error":{"code":-32601,"message":"n\u00f6","data":{"a":1}},"id":"a","jsonrpc":"2.0"}"#) {
        Ok(Frame::Answer(answer)) => match answer.outcome {
            bailiwick_mcp::Outcome::Error(error) => {
                assert_eq!((error.code(), error.message().as_ref()), (-32601, "nö"));
                assert_eq!(error.data().expect("data").as_str(), r#"{"a":1}"#);
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
    let ask = read(r#"{"jsonrpc":"2.0","id":0,"method":"sampling/createMessage","params":{"a":1}}"#);
    assert!(
        matches!(ask, Ok(Frame::Request(r)) if r.method == "sampling/createMessage" && r.params.is_some())
    );
    let tell = read(r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#);
    assert!(matches!(tell, Ok(Frame::Notification(n)) if n.params.is_none()));
}

#[test]
fn what_is_no_message_is_refused() {
    for body in [
        "",
        "[]",
        "7",
        "{}",
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}} {}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":null}"#,
        r#"{"jsonrpc":"2.0","id":1.0,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"\u0069d":2,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":"no"}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"a":[}]}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"a":"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"a":"\\"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":}"#,
        r#"{"jsonrpc":"2.0","id":1 "result":{}}"#,
    ] {
        assert!(read(body).is_err(), "{body}");
    }
    // A form feed is no JSON white space, and neither is a byte order mark.
    for space in ["\u{c}", "\u{feff}", "\u{a0}"] {
        assert!(read(&format!("{space}{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{}}}}")).is_err());
    }
    assert_eq!(frame(b"{\"jsonrpc\":\"2.0\xff\"}", &Limits::default()), Err(FrameError::Utf8));
}

#[test]
fn strings_with_escapes_end_where_they_end() {
    for text in [r#"\\"#, r#"\""#, r#"\\\""#, r#"\\\\"#, r#"a\"b\\\"c"#, r#"}]{["#, "ü\\u00fc"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"a":"{text}","b":2}}}}"#);
        let Ok(Frame::Answer(answer)) = read(&body) else { panic!("{body}") };
        let result = answer.result().expect("result");
        assert_eq!(member(result.as_str(), "b").expect("readable").expect("b").as_str(), "2");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 2), "]".repeat(depth - 2));
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"x":{open}{close}}}}}"#)
    };
    assert!(read(&nested(64)).is_ok());
    assert!(read(&nested(65)).is_err());
    assert!(read(&nested(1_000_000)).is_err());
    let small = Limits { max_bytes: 10, ..Limits::default() };
    assert_eq!(frame(b"{\"jsonrpc\":", &small), Err(FrameError::TooLarge { max_bytes: 10 }));
    let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","result":{{}}}}"#, "i".repeat(300));
    assert!(read(&long).is_err());
}

#[test]
fn batches_of_servers_are_split_where_allowed() {
    let body = br#"[{"jsonrpc":"2.0","id":1,"result":{}}, {"jsonrpc":"2.0","method":"x"}]"#;
    let limits = Limits::default().with_batches(8);
    assert_eq!(frames(body, &limits).map(|list| list.len()), Ok(2));
    assert_eq!(frames(br#"{"jsonrpc":"2.0","method":"x"}"#, &limits).map(|list| list.len()), Ok(1));
    assert!(frames(body, &Limits::default()).is_err());
    for bad in
        ["[]", "[1]", "[{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", "[{\"jsonrpc\":\"2.0\",\"method\":\"x\"}]]"]
    {
        assert!(frames(bad.as_bytes(), &limits).is_err(), "{bad}");
    }
}

#[test]
fn members_are_found_and_doubled_ones_refused() {
    let object = r#"{"a":1, "resultType" : "complete" ,"b":{"resultType":2}}"#;
    let found = member(object, "resultType").expect("readable").expect("found");
    assert_eq!(found.string().as_deref(), Some("complete"));
    assert_eq!(&object[found.range()], "\"complete\"");
    assert_eq!(member(object, "c"), Ok(None));
    assert!(member(r#"{"a":1,"\u0061":2}"#, "a").is_err());
    for broken in ["[1]", "{\"a\"", "{\"a\":", "{a:1}", "{\"a\":1", "{\"a\":1,}"] {
        assert!(member(broken, "a").is_err(), "{broken}");
    }
}

#[test]
fn an_answer_is_found_again_by_its_spots() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        " \r\n{ \"result\" : {\"a\":[1,\"\u{e9}\"]} , \"id\":\"x\" , \"more\":null, \"jsonrpc\":\"2.0\" } \n",
    ] {
        let Frame::Answer(answer) = read(body).unwrap() else { panic!("{body}") };
        let spots = answer.spots(body.as_bytes()).unwrap();
        assert_eq!(Answer::at(body.as_bytes(), &spots), Some(answer));
        // Bytes that are not these are refused where they can be told, and never read beyond.
        assert_eq!(Answer::at(&body.as_bytes()[..4], &spots), None);
    }
    let Frame::Answer(error) = read(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#).unwrap()
    else {
        panic!()
    };
    assert_eq!(error.spots(b""), None);
}
