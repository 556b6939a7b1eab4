//! What a scripted server has received, and waiting for it without sleeping.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

/// How long a test waits for something that should happen at once on an idle machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// One HTTP request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The HTTP method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// The headers, in the order of their names.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Received {
    /// A header's value, when it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text; empty when it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// The JSON-RPC method, when the body has one.
    #[must_use]
    pub fn rpc_method(&self) -> Option<String> {
        self.json()["method"].as_str().map(str::to_owned)
    }
}

/// A JSON-RPC request as a handler sees it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The id, of any type.
    pub id: Value,
    /// The method.
    pub method: String,
    /// The parameters; null when there are none.
    pub params: Value,
    /// Whether it came in the way of 2026-07-28.
    pub modern: bool,
    /// The HTTP headers.
    pub headers: HeaderMap,
}

impl Call {
    /// A text argument of the call; empty when it is absent.
    #[must_use]
    pub fn argument(&self, name: &str) -> &str {
        self.params["arguments"][name].as_str().unwrap_or_default()
    }

    /// The progress token that the client gave, null when none.
    #[must_use]
    pub fn progress_token(&self) -> &Value {
        &self.params["_meta"]["progressToken"]
    }
}

/// Something a test waited for did not happen.
#[derive(Debug, thiserror::Error)]
#[error("waited {} s for {what}; {seen}", PATIENCE.as_secs())]
pub struct NeverCame {
    what: String,
    seen: String,
}

/// Everything received, and how many answers were abandoned.
pub(super) struct Journal {
    received: Mutex<Vec<Received>>,
    changes: watch::Sender<usize>,
    abandoned: watch::Sender<usize>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("received", &self.received.lock().len()).finish_non_exhaustive()
    }
}

impl Journal {
    pub(super) fn new() -> Self {
        Self { received: Mutex::default(), changes: watch::Sender::new(0), abandoned: watch::Sender::new(0) }
    }

    pub(super) fn add(&self, received: Received) {
        self.received.lock().push(received);
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn all(&self) -> Vec<Received> {
        self.received.lock().clone()
    }

    pub(super) fn of(&self, rpc_method: &str) -> Vec<Received> {
        let received = self.received.lock();
        received.iter().filter(|one| one.rpc_method().as_deref() == Some(rpc_method)).cloned().collect()
    }

    pub(super) async fn wait_for(&self, rpc_method: &str, count: usize) -> Result<Vec<Received>, NeverCame> {
        wait(&self.changes, |_| self.of(rpc_method).len() >= count).await.map_err(|()| NeverCame {
            what: format!("{count} of `{rpc_method}`"),
            seen: format!("came: {:?}", self.all().iter().map(Received::rpc_method).collect::<Vec<_>>()),
        })?;
        Ok(self.of(rpc_method))
    }

    pub(super) fn abandon(&self) {
        self.abandoned.send_modify(|count| *count += 1);
    }

    pub(super) fn abandoned(&self) -> usize {
        *self.abandoned.borrow()
    }

    pub(super) async fn wait_for_abandoned(&self, count: usize) -> Result<(), NeverCame> {
        wait(&self.abandoned, |abandoned| *abandoned >= count).await.map_err(|()| NeverCame {
            what: format!("{count} abandoned answers"),
            seen: format!("{} were abandoned", self.abandoned()),
        })
    }
}

/// Waits for a condition on a watched value.
pub(super) async fn wait<T>(values: &watch::Sender<T>, condition: impl Fn(&T) -> bool) -> Result<(), ()> {
    let mut values = values.subscribe();
    let reached = tokio::time::timeout(PATIENCE, values.wait_for(|value| condition(value))).await;
    match reached {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}

pub(super) fn never_came(what: String, seen: String) -> NeverCame {
    NeverCame { what, seen }
}
