//! What a scripted server can answer with, faults included.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

/// The answer to one request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A result. Modern clients get `resultType: "complete"` where it has none.
    Result(Value),
    /// A result as these very bytes, to see whether they survive.
    RawResult(String),
    /// A JSON-RPC error, with the HTTP status that the era gives it.
    Error {
        /// The code.
        code: i64,
        /// The message.
        message: String,
        /// The `data` member, if not null.
        data: Value,
    },
    /// No answer, ever; the connection stays open.
    Hang,
    /// Another reply, once the test calls `notify_one`.
    When(Arc<Notify>, Box<Reply>),
    /// The connection is cut without an answer.
    Reset,
    /// A stream of events, ended by the last step.
    Stream(Vec<Step>),
    /// A result under another request's id.
    WrongId(Value),
    /// A result with a text of this many bytes, sent piece by piece.
    Huge(usize),
    /// A redirect (307) to another address.
    Redirect(String),
    /// Any status with any body, as `text/plain`.
    Status(u16, String),
    /// Status 200 with this content type and body, whatever they are.
    Body {
        /// The `Content-Type`.
        content_type: String,
        /// The body.
        body: String,
    },
}

/// One step of a streamed answer.
#[derive(Debug, Clone)]
pub enum Step {
    /// A JSON-RPC message in an event.
    Message(Value),
    /// A notification in an event.
    Notify {
        /// The method.
        method: String,
        /// The parameters.
        params: Value,
    },
    /// A request to the client; the next step waits for the client's response.
    Ask {
        /// The method.
        method: String,
        /// The parameters.
        params: Value,
    },
    /// Bytes as they stand: comments, ids, broken events.
    Raw(String),
    /// Waits until the test calls `notify_one`.
    Wait(Arc<Notify>),
    /// The result of the request.
    Result(Value),
    /// A result whose only text is the JSON array of the client's responses to the [`Step::Ask`]s.
    ResultOfAnswers,
    /// Nothing more, but the stream stays open.
    Hang,
    /// The connection is cut in the middle of the stream.
    Cut,
}

impl Reply {
    /// A tool's result of one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Result(text_content(&text.into()))
    }

    /// A JSON-RPC error without data.
    pub fn error(code: i64, message: impl Into<String>) -> Self {
        Self::Error { code, message: message.into(), data: Value::Null }
    }
}

impl Step {
    /// A progress notification.
    #[must_use]
    pub fn progress(token: &Value, progress: f64) -> Self {
        let params = json!({ "progressToken": token, "progress": progress });
        Self::Notify { method: "notifications/progress".to_owned(), params }
    }
}

pub(super) fn text_content(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}
