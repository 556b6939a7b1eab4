//! Batches (2025-03-26 only): every message on its own, with its own decision and records; the answers together.

use std::sync::Arc;

use bailiwick_mcp::headers::Spoken;
use bailiwick_mcp::sse::{Outgoing, encode};
use bailiwick_mcp::{Message, Refusal};
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{StreamExt as _, once, select_all};
use http::{HeaderMap, StatusCode};

use crate::body::Pieces;
use crate::message;
use crate::post::one;
use crate::reply::{Content, Reply};
use crate::visit::Visit;

/// Answers a batch: an array, or one stream if any answer is a stream; 202 if nothing was asked.
pub(crate) async fn batch(
    visit: &Arc<Visit>,
    headers: &HeaderMap,
    spoken: Spoken,
    messages: &[Message<'_>],
    body: &Bytes,
) -> Result<Reply, Refusal> {
    let answers = join_all(messages.iter().map(|message| async move {
        match message {
            Message::Request(request) => Some(match one(visit, headers, spoken, request, body).await {
                Ok(reply) => reply.content,
                Err(refusal) => Content::Json(refusal.response(Some(request.id)).into()),
            }),
            Message::Notification(notification) => {
                message::notification(visit, headers, spoken, notification, body)
                    .await
                    .err()
                    .as_ref()
                    .map(error)
            }
            Message::Response(response) => {
                message::response(visit, headers, response, body).await.err().as_ref().map(error)
            }
            Message::Batch(_) => None,
        }
    }))
    .await;
    let answers: Vec<Content> = answers.into_iter().flatten().collect();
    if answers.is_empty() {
        return Ok(Reply::empty(StatusCode::ACCEPTED));
    }
    if answers.iter().any(|answer| matches!(answer, Content::Events(_))) {
        return Ok(Reply::events(Box::pin(select_all(answers.into_iter().map(events)))));
    }
    Ok(Reply::ok(array(&answers)))
}

fn error(refusal: &Refusal) -> Content {
    Content::Json(refusal.response(None).into())
}

fn array(answers: &[Content]) -> Vec<u8> {
    let mut out = vec![b'['];
    for answer in answers {
        if let Content::Json(json) = answer {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(json);
        }
    }
    out.push(b']');
    out
}

fn events(answer: Content) -> Pieces {
    match answer {
        Content::Events(pieces) => pieces,
        Content::Json(json) => {
            let mut out = Vec::with_capacity(json.len() + 16);
            encode(&Outgoing { data: Some(&json), ..Outgoing::default() }, &mut out);
            once(async move { Bytes::from(out) }).boxed()
        }
        Content::Empty => futures_util::stream::empty().boxed(),
    }
}
