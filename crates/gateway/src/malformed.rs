//! Tells the ledger of messages that were refused before anything was decided, since they could not be read or
//! contradicted themselves: a caller who probes the parser leaves a trace.
//!
//! Up to a rate each is a record of its own. Beyond it, they are counted by principal and reason and written once a
//! second with their count, so that nobody can fill the ledger; both are few, so the table is bounded.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use bailiwick_mcp::envelope::{ParseError, ParseErrorKind};
use bailiwick_mcp::json::SyntaxError;
use bailiwick_mcp::{Refusal, error};
use bailiwick_model::principal::Caller;
use bailiwick_model::record::Malformed;
use bailiwick_model::{Clock, PrincipalId, Record, Recorder, Recording};
use parking_lot::Mutex;

use crate::facts::who;
use crate::visit::Visit;

/// How many a second are written one by one.
const RATE: u32 = 10;
/// How often the counted ones are written.
const PACE: Duration = Duration::from_secs(1);

/// What was refused and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct Refused(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    second: u64,
    written: u32,
    counted: HashMap<(PrincipalId, &'static str), Counted>,
}

#[derive(Debug)]
struct Counted {
    caller: Caller,
    endpoint: Box<str>,
    count: u64,
}

impl Refused {
    /// Notes a message. Never waits: it is refused in any case.
    pub(crate) fn note(&self, visit: &Visit, reason: &'static str) {
        let parts = &visit.gateway.parts;
        if self.admits(&*parts.clock, visit, reason) {
            write(&*parts.recorder, &visit.caller, (&visit.path, reason, 1));
        }
    }

    fn admits(&self, clock: &dyn Clock, visit: &Visit, reason: &'static str) -> bool {
        let mut state = self.0.lock();
        let second = clock.monotonic().as_secs();
        if state.second != second {
            (state.second, state.written) = (second, 0);
        }
        if state.written < RATE {
            state.written += 1;
            return true;
        }
        let counted = state.counted.entry((visit.caller.principal.id, reason)).or_insert_with(|| Counted {
            caller: visit.caller.clone(),
            endpoint: visit.path.clone(),
            count: 0,
        });
        counted.count += 1;
        false
    }

    /// Writes what was counted each second until `stop` ends, and once more then.
    pub(crate) async fn run(&self, recorder: &dyn Recorder, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut ticks = tokio::time::interval(PACE);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = ticks.tick() => self.flush(recorder),
            }
        }
        self.flush(recorder);
    }

    fn flush(&self, recorder: &dyn Recorder) {
        let counted = std::mem::take(&mut self.0.lock().counted);
        for ((_, reason), Counted { caller, endpoint, count }) in counted {
            write(recorder, &caller, (&endpoint, reason, count));
        }
    }
}

fn write(recorder: &dyn Recorder, caller: &Caller, (endpoint, reason, count): (&str, &'static str, u64)) {
    let record = Record::Malformed(Malformed { who: who(caller), endpoint, reason, count });
    if let Recording::Settled(Err(error)) = recorder.append(&record) {
        tracing::warn!(%error, reason, count, "a refused message is not in the ledger");
    }
}

/// The stable reason of a body that was not read as a message.
pub(crate) fn of_body(error: &ParseError) -> &'static str {
    match error.kind {
        ParseErrorKind::TooLarge { .. } => "too_large",
        ParseErrorKind::Utf8 => "utf8",
        ParseErrorKind::Syntax(SyntaxError::TooDeep { .. }) => "too_deep",
        ParseErrorKind::Syntax(SyntaxError::DuplicateKey { .. }) => "duplicate_key",
        ParseErrorKind::Syntax(_) => "json",
        ParseErrorKind::Params(_) => "params",
        _ => "request",
    }
}

/// The stable reason of a message whose headers and body do not go together.
pub(crate) fn of_headers(refusal: &Refusal) -> &'static str {
    if refusal.code == error::HEADER_MISMATCH { "header_mismatch" } else { "protocol_version" }
}

/// The stable reason of a body that was not taken.
pub(crate) fn of_head(refusal: &Refusal) -> &'static str {
    match refusal.status {
        http::StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        http::StatusCode::UNSUPPORTED_MEDIA_TYPE => "content_type",
        http::StatusCode::NOT_ACCEPTABLE => "accept",
        _ => "incomplete",
    }
}
