//! What must hold for every input to the wire crate, however hostile.
//!
//! Each function takes arbitrary bytes and panics if a promise is broken. The fuzz targets call them with what libFuzzer
//! invents; `crates/mcp/tests/corpus.rs` includes this file and replays the committed corpus in the normal test run.

use bailiwick_mcp::headers::{
    Mirror, ParamHeaders, check, check_params, classify, decode, encode, meta, mirror,
};
use bailiwick_mcp::sse::{Caps, Decoder, Event, Item, Outgoing, SseError};
use bailiwick_mcp::{Answer, Envelope, Era, Frame, Limits, Message, Patch, Raw, RawId, Request, frames};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

/// Bodies of clients and of servers.
pub fn envelope(data: &[u8]) {
    let limits = Limits { max_bytes: 1 << 16, ..Limits::default().with_batches(4) };
    match Envelope::parse(data, &limits) {
        Ok(message) => {
            serde_json::from_slice::<Value>(data).expect("what the strict scan takes is JSON");
            let list = match message {
                Message::Batch(list) => list,
                one => vec![one],
            };
            list.iter().for_each(client_message);
        }
        Err(error) => {
            let answer = error.refusal().response(error.id.as_ref().map(|id| id.as_raw()));
            let answer: Value = serde_json::from_slice(&answer).expect("refusals are JSON");
            assert_eq!(answer["error"]["code"], error.code());
        }
    }
    for frame in frames(data, &limits).unwrap_or_default() {
        if let Frame::Answer(answer) = frame {
            server_answer(&answer);
        }
    }
}

fn client_message(message: &Message<'_>) {
    let Message::Request(request) = message else { return };
    let whole: Value = serde_json::from_slice(request.raw()).expect("JSON");
    assert_eq!(whole["method"], request.method.as_ref(), "policy and server read the same method");
    assert_eq!(whole["id"].to_string(), json(request.id.as_str()).to_string());
    for member in request.params.iter().flat_map(|params| params.members()) {
        assert_eq!(whole["params"][member.key.as_ref()], json(member.value.as_str()));
        assert_eq!(&request.raw()[member.value.range()], member.value.as_bytes());
    }
    assert_eq!(Patch::new().apply(request).as_deref(), Ok(request.raw()));
    patched(request, whole);
}

/// A patch must do to the bytes what it says, as any other reader sees them.
fn patched(request: &Request<'_>, mut wanted: Value) {
    let mut patch = Patch::new().with_id(RawId::new("\"other\"").expect("an id"));
    patch.body.set_string("name", "other \"name\"").remove("cursor");
    patch.meta.set_string(meta::TRACEPARENT, "t").remove(meta::LOG_LEVEL);
    let bytes = patch.apply(request).expect("a parsed request can be patched");
    let Ok(Message::Request(again)) = Envelope::parse(&bytes, &generous()) else {
        unreachable!("a patched request is a request")
    };
    assert_eq!(again.id.as_str(), "\"other\"");
    wanted["id"] = "other".into();
    if !wanted["params"].is_object() {
        wanted["params"] = Value::Object(serde_json::Map::new());
    }
    let params = wanted["params"].as_object_mut().expect("an object");
    params.insert("name".into(), "other \"name\"".into());
    params.remove("cursor");
    let meta_value = params.entry("_meta").or_insert_with(|| Value::Object(serde_json::Map::new()));
    let members = meta_value.as_object_mut().expect("an object");
    members.insert(meta::TRACEPARENT.into(), "t".into());
    members.remove(meta::LOG_LEVEL);
    assert_eq!(serde_json::from_slice::<Value>(&bytes).expect("JSON"), wanted);
}

fn server_answer(answer: &Answer<'_>) {
    let mut patch = Patch::new().with_id(RawId::new("7").expect("an id"));
    if answer.id.is_none() {
        patch.id = None;
    }
    patch.apply(answer).expect("an id can always be replaced");
    patch.body.set_string("resultType", "complete").remove("ttlMs");
    patch.error_code = Some(-1);
    // The inside may be broken; then the patch says so.
    let Ok(bytes) = patch.apply(answer) else { return };
    let Ok(list) = frames(&bytes, &generous()) else { unreachable!("a patched message is a message") };
    let [Frame::Answer(again)] = &list[..] else { unreachable!("a patched answer is an answer") };
    if let Some(result) = again.result() {
        let kind = result.member("resultType").expect("readable").and_then(|raw| raw.string());
        assert_eq!(kind.as_deref(), Some("complete"));
        assert_eq!(result.member("ttlMs"), Ok(None));
    }
}

/// Room for what a patch adds.
fn generous() -> Limits {
    Limits { max_depth: u8::MAX, ..Limits::default() }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Header values, `x-mcp-header` schemas and arguments: three lines of input.
pub fn headers(data: &[u8]) {
    let mut lines = data.splitn(3, |&b| b == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let (value, schema, arguments) = (next(), next(), next());
    if let Ok(header) = HeaderValue::from_bytes(value)
        && let Some(text) = decode(&header)
    {
        assert_eq!(decode(&encode(&text)).as_deref(), Some(text.as_ref()));
    }
    if let Ok(text) = std::str::from_utf8(value) {
        assert_eq!(decode(&encode(text)).as_deref(), Some(text), "every text survives");
    }
    let (Ok(schema), Ok(arguments)) = (std::str::from_utf8(schema), std::str::from_utf8(arguments)) else {
        return;
    };
    let Ok(params) = ParamHeaders::from_schema(schema) else { return };
    let name = String::from_utf8_lossy(value);
    let quoted = String::from_utf8(bailiwick_mcp::json::quote(&name)).expect("UTF-8");
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":{quoted},"arguments":{arguments},"_meta":{{"{}":"2026-07-28","{}":{{}}}}}}}}"#,
        meta::PROTOCOL_VERSION,
        meta::CLIENT_CAPABILITIES
    );
    if let Ok(message) = Envelope::parse(body.as_bytes(), &Limits::default()) {
        mirrored(&message, &name, &params);
    }
}

/// What we build is what we accept.
fn mirrored(message: &Message<'_>, name: &str, params: &ParamHeaders) {
    let Message::Request(request) = message else { return };
    let arguments: Option<Raw<'_>> = request.params.as_ref().and_then(|params| params.arguments());
    let what =
        Mirror { era: Era::MODERN, method: "tools/call", name: Some(name), params: Some(params), arguments };
    let mut built = HeaderMap::new();
    mirror(&mut built, &what).expect("strictly parsed arguments can be read");
    assert_eq!(classify(&built, message).map(|spoken| spoken.era()), Ok(Era::MODERN));
    assert_eq!(check(&built, request), Ok(()));
    // Arguments of another type than the schema says have no header form, which the check then misses.
    let all = params.values(arguments).expect("readable").len();
    if all == params.names().count() {
        assert_eq!(check_params(&built, request, params), Ok(()));
    }
}

/// Event streams, cut at every place.
pub fn sse(data: &[u8]) {
    let caps = Caps { max_line: 512, max_event: 1024 };
    let (items, whole) = decoded(caps, std::iter::once(data));
    for size in [1, 2, 3, 7] {
        let (cut_items, cut) = decoded(caps, data.chunks(size));
        assert_eq!(cut.is_ok(), whole.is_ok(), "where a stream is cut must not matter");
        if whole.is_ok() {
            assert_eq!(cut_items, items);
        }
    }
    let mut written = Vec::new();
    let events: Vec<&Event> = items
        .iter()
        .filter_map(|item| match item {
            Item::Event(event) => Some(event),
            Item::Comment(_) => None,
        })
        .collect();
    for event in &events {
        let outgoing = Outgoing {
            id: event.id.as_deref(),
            event: event.event.as_deref(),
            retry: event.retry,
            data: event.data.as_deref(),
        };
        bailiwick_mcp::sse::encode(&outgoing, &mut written);
    }
    let (again, result) = decoded(Caps::default(), std::iter::once(&written[..]));
    assert_eq!(result, Ok(()));
    assert!(again.iter().map(Some).eq(items.iter().filter(|item| matches!(item, Item::Event(_))).map(Some)));
}

fn decoded<'d>(caps: Caps, chunks: impl Iterator<Item = &'d [u8]>) -> (Vec<Item>, Result<(), SseError>) {
    let mut decoder = Decoder::new(caps);
    let mut items = Vec::new();
    for chunk in chunks {
        let pushed = decoder.push(chunk);
        items.extend(std::iter::from_fn(|| decoder.pop()));
        if pushed.is_err() {
            return (items, pushed);
        }
    }
    (items, Ok(()))
}
