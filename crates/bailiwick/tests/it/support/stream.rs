//! An answer that comes event by event, read as it comes; and the requests that open one.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::client::message;
use super::{Answer, Client, Era};

/// How long a test waits for what should come at once on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An event stream. Dropping it is leaving it.
pub(crate) struct Stream {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    unread: String,
}

impl Stream {
    fn new(response: http::Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body, unread: String::new() }
    }

    /// The next event with its empty line, byte for byte; `None` at the end.
    pub(crate) async fn event(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.find("\n\n") {
                let rest = self.unread.split_off(end + 2);
                return Some(std::mem::replace(&mut self.unread, rest));
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            let frame = frame.unwrap_or_else(|_| panic!("nothing came; unread: {:?}", self.unread));
            let Some(frame) = frame else {
                assert_eq!(self.unread, "", "the stream ended within an event");
                return None;
            };
            let data = frame.unwrap().into_data().unwrap_or_default();
            self.unread.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next event, or what is no event stream whole. `None` at the end.
    pub(crate) async fn event_or_rest(&mut self) -> Option<String> {
        if self.headers["content-type"] == "text/event-stream" {
            return self.event().await;
        }
        let rest = tokio::time::timeout(PATIENCE, (&mut self.body).collect()).await;
        let rest = rest.expect("nothing came").unwrap().to_bytes();
        (!rest.is_empty()).then(|| String::from_utf8(rest.to_vec()).unwrap())
    }

    /// The next JSON-RPC message; comments and empty events are passed over. `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        while let Some(event) = self.event().await {
            let data: Vec<&str> = event.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
            if !data.concat().is_empty() {
                return Some(serde_json::from_str(&data.join("\n")).unwrap());
            }
        }
        None
    }

    /// The next JSON-RPC message, which must come.
    pub(crate) async fn message(&mut self) -> Value {
        self.next().await.unwrap_or_else(|| panic!("the stream ended"))
    }

    /// The next message of this method, which must come.
    pub(crate) async fn message_of(&mut self, method: &str) -> Value {
        loop {
            let message = self.message().await;
            if message["method"] == method {
                return message;
            }
        }
    }

    /// All messages up to the end.
    pub(crate) async fn rest(mut self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Some(message) = self.next().await {
            all.push(message);
        }
        all
    }
}

impl Client {
    /// Asks and reads the answer event by event.
    pub(crate) async fn stream(&self, path: &str, era: Era, method: &str, params: Value) -> Stream {
        let (headers, body) = message(era, method, params);
        let mut request = self.request(Method::POST, path);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        Stream::new(self.send(request.body(Full::from(body)).unwrap()).await)
    }

    /// Sends a request of a legacy session as it stands and reads the answer event by event.
    pub(crate) async fn stream_of(&self, path: &str, version: &str, body: &Value) -> Stream {
        let request = self.request(Method::POST, path).header("mcp-protocol-version", version);
        Stream::new(self.send(request.body(Full::from(body.to_string())).unwrap()).await)
    }

    /// GET: the session's own stream, or one that is resumed.
    pub(crate) async fn listen(&self, path: &str, last_event_id: Option<&str>) -> Stream {
        let mut request = self.request(Method::GET, path);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        Stream::new(self.send(request.body(Full::default()).unwrap()).await)
    }

    /// Sends any message of a legacy session.
    pub(crate) async fn say(&self, path: &str, version: &str, message: Value) -> Answer {
        self.post_raw(path, &[("mcp-protocol-version", version)], &message.to_string()).await
    }

    /// Answers what a server asked.
    pub(crate) async fn respond(&self, path: &str, version: &str, asked: &Value, result: Value) {
        let response = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result});
        let answer = self.say(path, version, response).await;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
}

/// Waits until something holds that nothing tells of.
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    let found = async {
        loop {
            looks.tick().await;
            if let Some(found) = look() {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
