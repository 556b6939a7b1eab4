//! The upstream of benchmarks and of the ledger's oracle: answers as fast as it can, and can note every call it has seen.
//!
//! Raw hyper, no SDK, no state: what a gateway in front of it costs shows. Speaks 2025-11-25 without sessions and
//! 2026-07-28, always in JSON. With a [`Fault`] it fails every `tools/call`, while handshake and lists still work.

mod catalogue;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fs::File;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Either, StreamBody};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::net::{self, AnyBody, BoxError};

/// How calls go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No answer, ever.
    Hang,
    /// The connection is cut.
    Reset,
    /// A JSON body without end.
    Flood,
    /// A body that is no JSON.
    Malformed,
    /// An answer to another request.
    WrongId,
    /// A stream of events without end and without the answer.
    EndlessSse,
}

/// How the server behaves.
#[derive(Debug, Default)]
pub struct Settings {
    /// How many tools it lists, `echo` and `blob` included.
    pub tools: usize,
    /// Gets one line with the call's `text` before the call is answered. Opened for appending.
    pub log: Option<File>,
    /// How long every call takes.
    pub delay: Duration,
    /// How calls go wrong.
    pub fault: Option<Fault>,
}

/// Length of the text of `blob`, in bytes.
pub const BLOB: usize = 100_000;

/// Serves until cancelled, under every path.
pub async fn serve(listener: TcpListener, settings: Settings, until: CancellationToken) {
    let server = Arc::new(Server {
        tools: catalogue::tools(settings.tools).into(),
        blob: Bytes::from(format!("\"{}\"", "b".repeat(BLOB))),
        settings,
    });
    let service = hyper::service::service_fn(move |request| Arc::clone(&server).answer(request));
    net::serve(listener, service, until).await;
}

struct Server {
    tools: Bytes,
    blob: Bytes,
    settings: Settings,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct CallParams<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    arguments: Option<Arguments<'a>>,
}

#[derive(Deserialize)]
struct Arguments<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

type Answer = Result<Response<Either<Pieces, AnyBody>>, BoxError>;

impl Server {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        if request.method() != Method::POST {
            return json(StatusCode::METHOD_NOT_ALLOWED, []);
        }
        let version = request.headers().get("mcp-protocol-version");
        let modern = version.is_some_and(|version| version == "2026-07-28");
        let body = request.into_body().collect().await?.to_bytes();
        let Ok(message) = serde_json::from_slice::<Envelope<'_>>(&body) else {
            let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#;
            return json(StatusCode::BAD_REQUEST, [Bytes::from_static(error.as_bytes())]);
        };
        let (Some(method), Some(id)) = (message.method, message.id) else {
            return json(StatusCode::ACCEPTED, []);
        };
        let params = message.params.map_or("{}", RawValue::get);
        match method.as_ref() {
            "tools/call" => self.call(id.get(), params, modern).await,
            "tools/list" => result(id.get(), [self.tools.clone(), tail(modern, true)]),
            "initialize" => result(id.get(), [Bytes::from(initialized(params))]),
            "server/discover" => result(id.get(), [Bytes::from(discovered())]),
            "ping" if !modern => result(id.get(), [Bytes::from_static(b"{}")]),
            _ => {
                let status = if modern { StatusCode::NOT_FOUND } else { StatusCode::OK };
                error(status, id.get(), -32601, "Method not found")
            }
        }
    }

    async fn call(&self, id: &str, params: &str, modern: bool) -> Answer {
        let Ok(call) = serde_json::from_str::<CallParams<'_>>(params) else {
            return error(StatusCode::OK, id, -32602, "Invalid params");
        };
        let text = call.arguments.and_then(|arguments| arguments.text).map_or("\"\"", RawValue::get);
        if let Some(mut log) = self.settings.log.as_ref() {
            // One write of one line on a file opened for appending: whole, and in the kernel before the answer is.
            log.write_all(format!("{}\n", text.trim_matches('"')).as_bytes())?;
        }
        if !self.settings.delay.is_zero() {
            tokio::time::sleep(self.settings.delay).await;
        }
        if let Some(fault) = self.settings.fault {
            return fail(fault, id).await;
        }
        const HEAD: Bytes = Bytes::from_static(br#"{"content":[{"type":"text","text":"#);
        const END: Bytes = Bytes::from_static(b"}]");
        match call.name.as_ref() {
            "echo" => {
                let ended = if modern { r#"}],"resultType":"complete"}"# } else { "}]}" };
                let whole = format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":{text}{ended}}}"#
                );
                json(StatusCode::OK, [Bytes::from(whole)])
            }
            "blob" => result(id, [HEAD, self.blob.clone(), END, tail(modern, false)]),
            name if catalogue::knows(name) => {
                result(id, [HEAD, Bytes::from_static(b"\"done\""), END, tail(modern, false)])
            }
            _ => error(StatusCode::OK, id, -32602, "Unknown tool"),
        }
    }
}

async fn fail(fault: Fault, id: &str) -> Answer {
    match fault {
        Fault::Hang => std::future::pending().await,
        Fault::Reset => Err("cut, as the flag says".into()),
        Fault::Malformed => json(StatusCode::OK, [Bytes::from_static(b"{\"jsonrpc\":\"2.0\",\"id\":1,")]),
        Fault::WrongId => result("\"another request\"", [Bytes::from_static(br#"{"content":[]}"#)]),
        Fault::Flood => {
            let head =
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":""#);
            endless("application/json", head, Bytes::from(vec![b'x'; 64 * 1024]))
        }
        Fault::EndlessSse => {
            let notice = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"more"}}"#;
            let event = Bytes::from(format!("event: message\ndata: {notice}\n\n"));
            endless("text/event-stream", String::new(), event)
        }
    }
}

fn endless(content_type: &str, head: String, piece: Bytes) -> Answer {
    let pieces = std::iter::once(Bytes::from(head)).chain(std::iter::repeat(piece));
    let frames = stream::iter(pieces.map(|piece| Ok::<_, BoxError>(Frame::data(piece))));
    let response = Response::builder().header(CONTENT_TYPE, content_type);
    Ok(response.body(Either::Right(StreamBody::new(frames).boxed_unsync()))?)
}

fn initialized(params: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Asked<'a> {
        #[serde(borrow)]
        protocol_version: Cow<'a, str>,
    }
    let asked = serde_json::from_str::<Asked<'_>>(params).map(|asked| asked.protocol_version);
    let older = asked.as_deref().ok().filter(|asked| ["2025-03-26", "2025-06-18"].contains(asked));
    let version = older.unwrap_or("2025-11-25");
    format!(
        r#"{{"protocolVersion":"{version}","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"echo","version":"1.0.0"}}}}"#
    )
}

fn discovered() -> String {
    let info = r#"{"io.modelcontextprotocol/serverInfo":{"name":"echo","version":"1.0.0"}}"#;
    let versions = r#"["2026-07-28","2025-11-25","2025-06-18","2025-03-26"]"#;
    format!(
        r#"{{"resultType":"complete","supportedVersions":{versions},"capabilities":{{"tools":{{}}}},"ttlMs":60000,"cacheScope":"public","_meta":{info}}}"#
    )
}

/// The end of a result, with the members that 2026-07-28 demands.
fn tail(modern: bool, cacheable: bool) -> Bytes {
    Bytes::from_static(match (modern, cacheable) {
        (true, true) => br#","resultType":"complete","ttlMs":60000,"cacheScope":"public"}"#,
        (true, false) => br#","resultType":"complete"}"#,
        (false, _) => b"}",
    })
}

fn result<const N: usize>(id: &str, pieces: [Bytes; N]) -> Answer {
    let head = Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"#));
    json(StatusCode::OK, std::iter::once(head).chain(pieces).chain([Bytes::from_static(b"}")]))
}

fn error(status: StatusCode, id: &str, code: i64, message: &str) -> Answer {
    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#);
    json(status, [Bytes::from(body)])
}

fn json(status: StatusCode, pieces: impl IntoIterator<Item = Bytes>) -> Answer {
    let mut response = Response::new(Either::Left(Pieces(pieces.into_iter().collect())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A body of known length in several pieces, so that what is prebuilt is not copied.
#[derive(Debug)]
pub struct Pieces(VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}
