//! How a reply of the script becomes an HTTP answer, faults and streams included.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::answer::{Answer, Server, event_stream, plain, respond};
use super::journal::{Call, Journal};
use super::reply::{Reply, Step, text_content};
use super::streams::{self, Sender};
use crate::net::full;

/// Size of the pieces of [`Reply::Huge`], in bytes.
const PIECE: usize = 64 * 1024;

impl Server {
    pub(super) async fn send(self: &Arc<Self>, call: &Call, reply: Reply) -> Answer {
        match reply {
            Reply::Result(result) => self.result(&call.id, &complete(call, result).to_string()),
            Reply::RawResult(result) => self.result(&call.id, &result),
            Reply::WrongId(result) => {
                self.result(&json!("another request"), &complete(call, result).to_string())
            }
            Reply::Error { code, message, data } => {
                let mut error = json!({ "code": code, "message": message });
                if !data.is_null() {
                    error["data"] = data;
                }
                let body = json!({ "jsonrpc": "2.0", "id": call.id, "error": error }).to_string();
                respond(error_status(call.modern, code), "application/json", full(body))
            }
            Reply::Hang => {
                let _left = Abandoned(Some(&self.journal));
                std::future::pending().await
            }
            Reply::When(signal, next) => {
                let mut waiting = Abandoned(Some(&self.journal));
                signal.notified().await;
                waiting.0 = None;
                Box::pin(self.send(call, *next)).await
            }
            Reply::Reset => Err("cut, as the script says".into()),
            Reply::Stream(steps) => {
                let (sender, body) = streams::body();
                let (server, call) = (Arc::clone(self), call.clone());
                self.tasks.spawn(async move { server.stream(call, steps, sender).await });
                event_stream(body)
            }
            Reply::Huge(size) => huge(&call.id, size),
            Reply::Redirect(to) => {
                let mut response = plain(StatusCode::TEMPORARY_REDIRECT, "")?;
                response.headers_mut().insert("location", to.parse()?);
                Ok(response)
            }
            Reply::Status(status, body) => plain(StatusCode::from_u16(status)?, body),
            Reply::Body { content_type, body } => respond(StatusCode::OK, &content_type, full(body)),
        }
    }

    fn result(&self, id: &Value, result: &str) -> Answer {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
        if self.script.sse_answers {
            return event_stream(full(format!(
                "event: message\ndata: {}\n\n",
                body.replace('\n', "\ndata: ")
            )));
        }
        respond(StatusCode::OK, "application/json", full(body))
    }

    async fn stream(self: Arc<Self>, call: Call, steps: Vec<Step>, sender: Sender) {
        let play = self.play(&call, steps, &sender);
        let left = tokio::select! {
            left = play => left,
            () = sender.closed() => true,
            () = self.until.cancelled() => false,
        };
        if left {
            self.journal.abandon();
        }
    }

    /// Plays the steps; true when the client left before their end.
    async fn play(&self, call: &Call, steps: Vec<Step>, sender: &Sender) -> bool {
        let mut answers = Vec::new();
        for step in steps {
            let frame = match step {
                Step::Message(message) => streams::event(&message),
                Step::Notify { method, params } => {
                    streams::event(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
                }
                Step::Ask { method, params } => match self.ask(&method, &params, sender).await {
                    Some(answer) => {
                        answers.push(answer);
                        continue;
                    }
                    None => return true,
                },
                Step::Raw(text) => streams::bytes(text),
                Step::Wait(signal) => {
                    signal.notified().await;
                    continue;
                }
                Step::Result(result) => streams::event(&envelope(call, result)),
                Step::ResultOfAnswers => {
                    let text = Value::Array(std::mem::take(&mut answers)).to_string();
                    streams::event(&envelope(call, text_content(&text)))
                }
                Step::Hang => return std::future::pending().await,
                Step::Cut => Err("cut, as the script says".into()),
            };
            if sender.send(frame).is_err() {
                return true;
            }
        }
        false
    }

    async fn ask(&self, method: &str, params: &Value, sender: &Sender) -> Option<Value> {
        let id = format!("ask-{}", self.next_ask.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        self.asked.lock().insert(id.clone(), answer);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        sender.send(streams::event(&request)).ok()?;
        answered.await.ok()
    }
}

/// Dropped while it holds the journal, it notes that the client has left.
struct Abandoned<'a>(Option<&'a Journal>);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if let Some(journal) = self.0 {
            journal.abandon();
        }
    }
}

fn complete(call: &Call, mut result: Value) -> Value {
    if call.modern && result.is_object() && result.get("resultType").is_none() {
        result["resultType"] = json!("complete");
    }
    result
}

fn envelope(call: &Call, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": call.id, "result": complete(call, result) })
}

/// The HTTP status of a JSON-RPC error: the modern revision names them, before it all were 200.
fn error_status(modern: bool, code: i64) -> StatusCode {
    match code {
        -32022 => StatusCode::BAD_REQUEST,
        -32601 if modern => StatusCode::NOT_FOUND,
        -32020 | -32021 if modern => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

fn huge(id: &Value, size: usize) -> Answer {
    let head = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":""#);
    let pieces = std::iter::repeat_n(Bytes::from(vec![b'x'; PIECE]), size / PIECE);
    let rest = Bytes::from(vec![b'x'; size % PIECE]);
    let all = std::iter::once(Bytes::from(head))
        .chain(pieces)
        .chain([rest, Bytes::from_static(br#""}],"resultType":"complete"}}"#)]);
    let frames = futures_util::stream::iter(all.map(streams::bytes));
    respond(StatusCode::OK, "application/json", http_body_util::StreamBody::new(frames).boxed_unsync())
}
