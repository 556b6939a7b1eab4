//! The GET stream of a pooled session: opened once, since servers allow one of it, and heard by every client session
//! that listens.

use std::sync::Arc;

use bailiwick_mcp::Method as Rpc;
use bytes::Bytes;
use http::Method;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::passage::Passage;
use super::pool::Session;
use super::{Wire, listening, reply};
use crate::exchange::Inbound;
use crate::sinks::{Sinks, listening as stream_of};
use crate::{Answer, AnswerBody, EventStream, UpstreamError, wire};

/// Who listens to a session.
#[derive(Debug, Default)]
pub(super) struct Ears {
    sinks: Mutex<Sinks>,
    /// Held while the stream is opened, and says whether it is open.
    open: tokio::sync::Mutex<bool>,
    closed: CancellationToken,
}

impl Ears {
    pub(super) fn leave(&self, client: u128) {
        self.sinks.lock().leave(client);
    }

    pub(super) fn close(&self) {
        self.closed.cancel();
    }
}

/// The stream for one client session; the server's own answer if it has no such stream.
pub(super) async fn listen(
    wire: &Arc<Wire>,
    session: &Arc<Session>,
    client: u128,
) -> Result<Answer, UpstreamError> {
    let mut open = session.ears.open.lock().await;
    if !*open {
        let headers = listening(session.headers(wire));
        let response = wire.send(Method::GET, headers, Bytes::new()).await?;
        let answer = reply::answer(wire, response, Passage::direct(None, session.era)).await?;
        let AnswerBody::Stream(events) = answer.body else { return Ok(answer) };
        *open = true;
        let hearing = hear(Arc::clone(wire), Arc::clone(session), events);
        wire.shared.parts.tasks.spawn_until_stop("session stream", hearing);
    }
    Ok(Answer::stream(stream_of(session.ears.sinks.lock().listen(client))))
}

/// Hands on what comes until the stream, the session or the last listener is gone.
async fn hear(wire: Arc<Wire>, session: Arc<Session>, mut events: EventStream) {
    let ears = &session.ears;
    while let Some(Some(Ok(event))) = ears.closed.run_until_cancelled(events.next()).await {
        let Some(data) = event.data.filter(|data| !data.is_empty()) else { continue };
        match hand_on(&wire, &session, &data).await {
            Ok(true) => {}
            Ok(false) => wire.shared.stray(),
            Err(error) => tracing::debug!(server = wire.shared.name(), %error, "a message was dropped"),
        }
        if !ears.sinks.lock().has_listeners() {
            break;
        }
    }
    *ears.open.lock().await = false;
    ears.sinks.lock().fail(&UpstreamError::Cut);
}

/// False if nobody could hear it.
async fn hand_on(wire: &Arc<Wire>, session: &Session, data: &Bytes) -> Result<bool, UpstreamError> {
    match session.exchange.sort(wire::read(data)?)? {
        Inbound::Loose(told) => {
            Ok(session.ears.sinks.lock().tell_all(&Bytes::copy_from_slice(told.raw())) > 0)
        }
        Inbound::TakenBack(client, body) => Ok(session.ears.sinks.lock().tell(client, &body)),
        Inbound::Asks(request) if request.method == Rpc::Ping.as_str() => {
            let pong = bailiwick_mcp::error::result_response(request.id, b"{}");
            wire.post(session.headers(wire), pong.into()).await.map(|_| true)
        }
        Inbound::Asks(request) => {
            let Some(client) = session.ears.sinks.lock().asked() else { return Ok(false) };
            let body = session.exchange.ask(client, &request)?;
            Ok(session.ears.sinks.lock().tell(client, &body))
        }
        Inbound::Final(..) | Inbound::About(..) | Inbound::Stray => Ok(false),
    }
}
