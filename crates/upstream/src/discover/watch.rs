//! Hearing of changes at once: a stream on which an HTTP server says that its lists changed. Children say it on the
//! link that discovery uses; whoever does not say it is polled.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bailiwick_mcp::{Era, Method};
use bailiwick_model::call::Trace;

use super::{OWN_ID, conversation};
use crate::conversation::Request;
use crate::http::own_id;
use crate::upstream::Upstream;
use crate::{Answer, AnswerBody, UpstreamError};

/// Waits between two attempts, at first and at most.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(300);

/// Listens as long as the server is in the set.
pub(crate) async fn watch(upstream: Weak<Upstream>, era: Era) {
    let mut wait = FIRST;
    while let Some(server) = upstream.upgrade() {
        // It may have come back as another version meanwhile.
        let era = server.eras().first().copied().unwrap_or(era);
        let heard = listen(&server, era).await;
        drop(server);
        match heard {
            Ok(true) => wait = FIRST,
            // It has no such stream.
            Ok(false) => return,
            Err(_) => wait = (wait * 2).min(LONGEST),
        }
        tokio::time::sleep(wait).await;
    }
}

/// Reads one stream to its end. False if the server has none. What it says is noted on the way ([`crate::upstream::Shared`]).
async fn listen(server: &Arc<Upstream>, era: Era) -> Result<bool, UpstreamError> {
    let answer = open(server, era).await?;
    let AnswerBody::Stream(mut events) = answer.body else { return Ok(false) };
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(true),
            },
            () = server.closed() => return Ok(false),
        }
    }
}

async fn open(server: &Upstream, era: Era) -> Result<Answer, UpstreamError> {
    let conversation = conversation(server, era);
    if !era.is_modern() {
        return server.listen(&conversation, None).await;
    }
    let filter = r#"{"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true},"#;
    let method = Method::SubscriptionsListen.as_str();
    let body = super::request_body(era, method, None);
    let body = String::from_utf8_lossy(&body).replacen(r#""params":{"#, &format!(r#""params":{filter}"#), 1);
    let trace = Trace::default();
    let request = Request {
        body: body.into(),
        id: own_id(OWN_ID)?,
        method,
        name: None,
        params: Vec::new(),
        trace: &trace,
    };
    server.request(&conversation, request).await
}
