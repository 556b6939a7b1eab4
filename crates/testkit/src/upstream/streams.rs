//! The open streams of a scripted server: GET streams of legacy clients and `subscriptions/listen` of modern ones.

use std::fmt;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::journal::{NeverCame, never_came, wait};
use crate::net::{AnyBody, BoxError};

/// Of which list a change is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resources and templates.
    Resources,
}

impl Kind {
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resources => "notifications/resources/list_changed",
        }
    }
}

/// The sending end of a streamed body; an error cuts the connection.
pub(super) type Sender = mpsc::UnboundedSender<Result<Frame<Bytes>, BoxError>>;

/// A body that is written to while it is sent.
pub(super) fn body() -> (Sender, AnyBody) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let frames =
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    (sender, StreamBody::new(frames).boxed_unsync())
}

pub(super) fn event(message: &Value) -> Result<Frame<Bytes>, BoxError> {
    bytes(format!("event: message\ndata: {message}\n\n"))
}

pub(super) fn bytes(bytes: impl Into<Bytes>) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(bytes.into()))
}

struct Stream {
    sender: Sender,
    /// The id of the listen request and its filter; a GET stream has none.
    listen: Option<(Value, Value)>,
}

/// All open streams.
pub(super) struct Streams {
    open: Mutex<Vec<Stream>>,
    count: watch::Sender<usize>,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("open", &self.open()).finish()
    }
}

impl Streams {
    pub(super) fn new() -> Self {
        Self { open: Mutex::default(), count: watch::Sender::new(0) }
    }

    /// Adds a stream; the second result ends when its client has left.
    pub(super) fn add(&self, listen: Option<(Value, Value)>) -> (AnyBody, Sender) {
        let (sender, body) = body();
        self.open.lock().push(Stream { sender: sender.clone(), listen });
        self.count.send_modify(|count| *count += 1);
        (body, sender)
    }

    /// To be called when a stream's client has left.
    pub(super) fn sweep(&self) {
        let mut open = self.open.lock();
        open.retain(|stream| !stream.sender.is_closed());
        self.count.send_replace(open.len());
    }

    pub(super) fn open(&self) -> usize {
        *self.count.borrow()
    }

    pub(super) async fn wait_for(&self, count: usize) -> Result<(), NeverCame> {
        let reached = wait(&self.count, |open| *open == count).await;
        reached.map_err(|()| never_came(format!("{count} open streams"), format!("{} are open", self.open())))
    }

    pub(super) fn notify(&self, method: &str, params: &Value) {
        for stream in self.open.lock().iter() {
            let Some(params) = params_for(stream, method, params) else { continue };
            let mut message = json!({ "jsonrpc": "2.0", "method": method });
            if !params.is_null() {
                message["params"] = params;
            }
            // Its client may have left a moment ago.
            let _left = stream.sender.send(event(&message));
        }
    }

    pub(super) fn send_raw(&self, message: &str) {
        for stream in self.open.lock().iter().filter(|stream| stream.listen.is_none()) {
            let _left = stream.sender.send(bytes(format!("data: {message}\n\n")));
        }
    }
}

/// The notification's parameters as this stream gets them, or nothing if it does not want them.
fn params_for(stream: &Stream, method: &str, params: &Value) -> Option<Value> {
    let Some((id, filter)) = &stream.listen else { return Some(params.clone()) };
    let wanted = match method {
        "notifications/tools/list_changed" => filter["toolsListChanged"] == true,
        "notifications/prompts/list_changed" => filter["promptsListChanged"] == true,
        "notifications/resources/list_changed" => filter["resourcesListChanged"] == true,
        "notifications/resources/updated" => {
            filter["resourceSubscriptions"].as_array().is_some_and(|uris| uris.contains(&params["uri"]))
        }
        _ => false,
    };
    let mut params = if params.is_null() { json!({}) } else { params.clone() };
    params["_meta"]["io.modelcontextprotocol/subscriptionId"] = id.clone();
    wanted.then_some(params)
}
