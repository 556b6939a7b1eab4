//! Event streams: what servers send, cut anywhere, and what clients get.

use bailiwick_mcp::sse::{Caps, Decoder, Event, Item, Outgoing, SseError, encode, encode_comment};

fn decode(chunks: &[&[u8]]) -> Result<Vec<Item>, SseError> {
    let mut decoder = Decoder::new(Caps { max_line: 64, max_event: 96 });
    for chunk in chunks {
        decoder.push(chunk)?;
    }
    Ok(std::iter::from_fn(|| decoder.pop()).collect())
}

fn data(text: &str) -> Item {
    Item::Event(Event { data: Some(text.into()), ..Event::default() })
}

#[test]
fn events_are_read_as_the_standard_says() {
    let event = |id: Option<&str>, name: Option<&str>, retry, text: Option<&str>| {
        Item::Event(Event {
            id: id.map(Into::into),
            event: name.map(Into::into),
            data: text.map(Into::into),
            retry,
        })
    };
    for (stream, wanted) in [
        ("data: a\n\n", vec![data("a")]),
        ("data:a\r\n\r\n", vec![data("a")]),
        ("data:  a\r\r", vec![data(" a")]),
        ("\u{feff}data: a\n\n", vec![data("a")]),
        ("data: a\ndata\ndata: b\n\n", vec![data("a\n\nb")]),
        ("data: a\n\n\n\ndata: b\n\n", vec![data("a"), data("b")]),
        ("data: cut off\n", vec![]),
        ("data: a\nunknown: x\n\n", vec![data("a")]),
        (": ping\n\n:\n", vec![Item::Comment("ping".into()), Item::Comment(String::new())]),
        ("id: 7\ndata:\n\n", vec![event(Some("7"), None, None, Some(""))]),
        ("id: 7\nretry: 250\n\n", vec![event(Some("7"), None, Some(250), None)]),
        ("id: a\0b\ndata: x\n\n", vec![data("x")]),
        ("retry: 1x\nretry:\nretry: 99999999999999999999\ndata: x\n\n", vec![data("x")]),
        ("event: endpoint\ndata: /m\n\n", vec![event(None, Some("endpoint"), None, Some("/m"))]),
        ("data: {\"a\":\"b: c\"}\n\n", vec![data("{\"a\":\"b: c\"}")]),
    ] {
        assert_eq!(decode(&[stream.as_bytes()]), Ok(wanted.clone()), "{stream:?}");
        let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        assert_eq!(decode(&bytes), Ok(wanted), "{stream:?} byte by byte");
    }
}

#[test]
fn lines_and_events_are_bounded() {
    let long = format!("data: {}", "a".repeat(100));
    assert_eq!(decode(&[long.as_bytes()]), Err(SseError::LineTooLong { max: 64 }));
    let bytes: Vec<&[u8]> = long.as_bytes().chunks(7).collect();
    assert_eq!(decode(&bytes), Err(SseError::LineTooLong { max: 64 }));
    let many = format!("data: {}\n", "a".repeat(40)).repeat(3);
    assert_eq!(decode(&[many.as_bytes()]), Err(SseError::EventTooLarge { max: 96 }));
    assert_eq!(decode(&[&b"data:\n".repeat(200)]), Err(SseError::EventTooLarge { max: 96 }));
    assert_eq!(decode(&[b"id: \xff\n"]), Err(SseError::Utf8));
}

#[test]
fn what_came_before_an_error_is_not_lost() {
    let mut decoder = Decoder::new(Caps { max_line: 10, max_event: 10 });
    assert!(decoder.push(b"data: a\n\ndata: too long\n").is_err());
    assert_eq!(decoder.pop(), Some(data("a")));
    assert_eq!(decoder.pop(), None);
}

#[test]
fn events_are_written_so_that_they_read_the_same() {
    let mut out = Vec::new();
    let event =
        Outgoing { id: Some("4"), event: Some("message"), retry: Some(9), data: Some(b"a\nb\r\nc\rd\n") };
    encode(&event, &mut out);
    encode_comment("still\nhere", &mut out);
    encode(&Outgoing { id: Some("5"), data: Some(b""), ..Outgoing::default() }, &mut out);
    let wanted = "event: message\nid: 4\nretry: 9\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n\
                  : still\n: here\n\nid: 5\ndata: \n\n";
    assert_eq!(String::from_utf8_lossy(&out), wanted);
}

#[test]
fn a_field_cannot_smuggle_another() {
    let mut out = Vec::new();
    let event = Outgoing { id: Some("1\ndata: x\r\0"), event: Some("a\n\nb"), ..Outgoing::default() };
    encode(&event, &mut out);
    assert_eq!(String::from_utf8_lossy(&out), "event: ab\nid: 1data: x\n\n");
}
