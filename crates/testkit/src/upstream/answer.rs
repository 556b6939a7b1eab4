//! A scripted server's side of HTTP: sessions, streams and, for each request, first what the script overrides, then what the
//! protocol says (`protocol`). How a reply becomes bytes is in `send`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::journal::{Call, Journal, Received};
use super::script::{Eras, Lists, Script};
use super::streams::{Sender, Streams};
use crate::net::{AnyBody, BoxError, full};

pub(super) type Answer = Result<Response<AnyBody>, BoxError>;

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The state of a running scripted server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) journal: Journal,
    pub(super) streams: Streams,
    pub(super) lists: Mutex<Lists>,
    pub(super) sessions: Mutex<HashSet<String>>,
    pub(super) next_session: AtomicU64,
    pub(super) script: Script,
    pub(super) asked: Mutex<HashMap<String, oneshot::Sender<Value>>>,
    pub(super) next_ask: AtomicU64,
    pub(super) until: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Server {
    pub(super) fn new(script: Script, until: CancellationToken) -> Self {
        Self {
            journal: Journal::new(),
            streams: Streams::new(),
            lists: Mutex::new(script.lists.clone()),
            sessions: Mutex::default(),
            next_session: AtomicU64::new(0),
            script,
            asked: Mutex::default(),
            next_ask: AtomicU64::new(0),
            until,
            tasks: TaskTracker::new(),
        }
    }

    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let received = Received {
            method: head.method.clone(),
            path: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            headers: head.headers,
            body,
        };
        self.journal.add(received.clone());
        if let Some((name, value)) = &self.script.required_header
            && received.header(name) != Some(value)
        {
            return plain(StatusCode::UNAUTHORIZED, "who are you?");
        }
        match received.method {
            Method::POST => self.post(&received).await,
            Method::GET if self.script.eras != Eras::Modern && self.script.get_stream => self.get(&received),
            Method::DELETE if self.script.sessions => self.delete(&received),
            _ => plain(StatusCode::METHOD_NOT_ALLOWED, ""),
        }
    }

    fn get(self: &Arc<Self>, received: &Received) -> Answer {
        if let Some(refused) = self.refuse_session(received) {
            return refused;
        }
        let (body, sender) = self.streams.add(None);
        self.sweep_after(sender);
        event_stream(body)
    }

    fn delete(&self, received: &Received) -> Answer {
        let known = received.header("mcp-session-id").is_some_and(|id| self.sessions.lock().remove(id));
        plain(if known { StatusCode::OK } else { StatusCode::NOT_FOUND }, "")
    }

    async fn post(self: &Arc<Self>, received: &Received) -> Answer {
        let message = received.json();
        let Some(method) = message["method"].as_str() else { return self.take_response(&message) };
        let modern = message["params"]["_meta"][VERSION].is_string();
        if !modern
            && method != "initialize"
            && let Some(refused) = self.refuse_session(received)
        {
            return refused;
        }
        if message.get("id").is_none() {
            return plain(StatusCode::ACCEPTED, "");
        }
        let call = Call {
            id: message["id"].clone(),
            method: method.to_owned(),
            params: message["params"].clone(),
            modern,
            headers: received.headers.clone(),
        };
        if let Some(handler) = self.script.methods.get(method) {
            let reply = handler(&call);
            return self.send(&call, reply).await;
        }
        self.by_protocol(&call).await
    }

    /// The client's response to a [`super::Step::Ask`].
    fn take_response(&self, message: &Value) -> Answer {
        let waiting = message["id"].as_str().and_then(|id| self.asked.lock().remove(id));
        let Some(waiting) = waiting else { return plain(StatusCode::BAD_REQUEST, "nobody asked") };
        // The stream that asked may have been left meanwhile.
        let _left = waiting.send(message.get("result").or(message.get("error")).cloned().unwrap_or_default());
        plain(StatusCode::ACCEPTED, "")
    }

    fn refuse_session(&self, received: &Received) -> Option<Answer> {
        if !self.script.sessions {
            return None;
        }
        match received.header("mcp-session-id") {
            None => Some(plain(StatusCode::BAD_REQUEST, "no session")),
            Some(id) if !self.sessions.lock().contains(id) => {
                Some(plain(StatusCode::NOT_FOUND, "session is over"))
            }
            Some(_) => None,
        }
    }
    pub(super) fn sweep_after(self: &Arc<Self>, sender: Sender) {
        let server = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! { () = sender.closed() => server.streams.sweep(), () = server.until.cancelled() => {} }
        });
    }
}

pub(super) fn plain(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    respond(status, "text/plain", full(body))
}

pub(super) fn event_stream(body: AnyBody) -> Answer {
    respond(StatusCode::OK, "text/event-stream", body)
}

pub(super) fn respond(status: StatusCode, content_type: &str, body: AnyBody) -> Answer {
    Ok(Response::builder().status(status).header("content-type", content_type).body(body)?)
}
