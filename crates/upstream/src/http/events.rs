//! A server's event stream: decoded, bounded, each message judged, everything else passed on as it came.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_mcp::headers::LAST_EVENT_ID;
use bailiwick_mcp::sse::{Caps, Decoder, Item, SseError};
use bailiwick_mcp::{frame, frames};
use bailiwick_runtime::outbound::Body;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Method, StatusCode};

use super::Wire;
use super::passage::Passage;
use super::reply::{limits, next, piece};
use crate::{Event, EventStream, UpstreamError};

/// Most messages of one batch (2025-03-26).
const BATCH: usize = 100;
/// A stream that answers one request may carry so many times the largest answer, notifications included.
const STREAM_FACTOR: usize = 8;
/// How long a stream may stay open after its answer: long enough for the end that is on its way, which lets the
/// connection be used again.
const LINGER: Duration = Duration::from_millis(250);

/// How long to wait before a stream is taken up again, in milliseconds, if the server does not say, and at most.
const RETRY: u64 = 1_000;
const LONGEST_RETRY: u64 = 10_000;
/// How often one stream is taken up again.
const RESUMPTIONS: u32 = 20;

struct Reading {
    wire: Arc<Wire>,
    body: Body,
    decoder: Decoder,
    passage: Passage,
    ready: VecDeque<Event>,
    received: usize,
    /// Whether pauses may be as long as the server likes: nothing may happen for hours on a stream of changes.
    patient: bool,
    state: State,
    /// Where a stream that ends before its answer can be taken up again, and after how many milliseconds.
    last_id: Option<String>,
    retry: u64,
    resumptions: u32,
}

#[derive(PartialEq, Eq)]
enum State {
    Open,
    Answered,
    Ended,
}

/// The stream for the reader.
pub(super) fn stream(wire: &Arc<Wire>, body: Body, passage: Passage) -> EventStream {
    let patient = passage.is_patient();
    let reading = Reading {
        wire: Arc::clone(wire),
        body,
        decoder: decoder(wire),
        passage,
        ready: VecDeque::new(),
        received: 0,
        patient,
        state: State::Open,
        last_id: None,
        retry: RETRY,
        resumptions: 0,
    };
    EventStream::new(stream::unfold(reading, |mut reading| async move {
        let event = reading.step().await?;
        if event.is_err() {
            reading.state = State::Ended;
        }
        Some((event, reading))
    }))
}

fn decoder(wire: &Wire) -> Decoder {
    let most = wire.shared.parts.settings.limits.event_bytes;
    Decoder::new(Caps { max_line: most, max_event: most })
}

impl Reading {
    async fn step(&mut self) -> Option<Result<Event, UpstreamError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            match self.state {
                State::Ended => return None,
                State::Answered => {
                    // Only the end is waited for; what else comes is nobody's.
                    let _end_or_not = tokio::time::timeout(LINGER, next(&self.wire, &mut self.body)).await;
                    return None;
                }
                State::Open => match self.read().await {
                    Ok(()) => {}
                    Err(error) => return Some(Err(error)),
                },
            }
        }
    }

    async fn read(&mut self) -> Result<(), UpstreamError> {
        let piece = match self.patient {
            true => piece(&mut self.body).await?,
            false => next(&self.wire, &mut self.body).await?,
        };
        let Some(piece) = piece else {
            if self.resume().await? {
                return Ok(());
            }
            self.state = State::Ended;
            return if self.passage.must_answer() { Err(UpstreamError::Cut) } else { Ok(()) };
        };
        self.received = self.received.saturating_add(piece.len());
        let most = self.wire.shared.parts.settings.limits.answer_bytes.saturating_mul(STREAM_FACTOR);
        if self.received > most && self.passage.answers_one() {
            return Err(UpstreamError::Invalid("its stream is larger than allowed"));
        }
        let pushed = self.decoder.push(&piece);
        while let Some(item) = self.decoder.pop() {
            match item {
                Item::Comment(text) => {
                    self.ready.push_back(Event { comment: Some(text.into()), ..Event::default() });
                }
                Item::Event(event) => self.event(event)?,
            }
            if self.state == State::Answered {
                return Ok(());
            }
        }
        pushed.map_err(|error| match error {
            SseError::LineTooLong { .. } | SseError::EventTooLarge { .. } => {
                UpstreamError::Invalid("an event is larger than allowed")
            }
            _ => UpstreamError::Invalid("its event stream is malformed"),
        })
    }

    /// Takes a stream up again that its server closed early (spec 2025-11-25 basic/transports "Resumability"): the request
    /// goes on, only its stream is asked for anew. False if that is not possible.
    async fn resume(&mut self) -> Result<bool, UpstreamError> {
        let headers = self.passage.resumption(&self.wire).filter(|_| self.resumptions < RESUMPTIONS);
        let (Some(headers), Some(id)) = (headers, self.last_id.clone()) else { return Ok(false) };
        let Ok(id) = HeaderValue::from_str(&id) else { return Ok(false) };
        self.resumptions += 1;
        tokio::time::sleep(Duration::from_millis(self.retry.min(LONGEST_RETRY))).await;
        let mut headers = super::listening(headers);
        headers.insert(&LAST_EVENT_ID, id);
        let response = self.wire.send(Method::GET, headers, Bytes::new()).await?;
        if response.status() != StatusCode::OK {
            return Ok(false);
        }
        self.body = response.into_body();
        self.decoder = decoder(&self.wire);
        Ok(true)
    }

    fn event(&mut self, event: bailiwick_mcp::sse::Event) -> Result<(), UpstreamError> {
        self.last_id = event.id.clone().or_else(|| self.last_id.take());
        self.retry = event.retry.unwrap_or(self.retry);
        let mut outer = Event {
            id: event.id.map(Into::into),
            name: event.event.map(Into::into),
            retry: event.retry,
            data: None,
            comment: None,
        };
        let data = event.data.map(Bytes::from);
        match data.filter(|data| !data.is_empty()) {
            // Priming events of 2025-11-25 have an id and empty data.
            None => outer.data = Some(Bytes::new()).filter(|_| outer.id.is_some()),
            Some(data) => {
                let mut messages = self.messages(&data)?.into_iter();
                let Some(first) = messages.next() else {
                    // Dropped; its id still counts for resumption.
                    outer.data = outer.id.is_some().then(Bytes::new);
                    outer.name = None;
                    if outer != Event::default() {
                        self.ready.push_back(outer);
                    }
                    return Ok(());
                };
                outer.data = Some(first);
                self.ready.push_back(outer);
                self.ready.extend(messages.map(Event::message));
                return Ok(());
            }
        }
        self.ready.push_back(outer);
        Ok(())
    }

    /// The messages in an event's data that may pass.
    fn messages(&mut self, data: &Bytes) -> Result<Vec<Bytes>, UpstreamError> {
        let limits = limits(&self.wire);
        if self.passage.era().is_some_and(bailiwick_mcp::Era::allows_batch)
            && data.trim_ascii_start().starts_with(b"[")
        {
            let mut passed = Vec::new();
            for frame in frames(data, &limits.with_batches(BATCH))? {
                passed.extend(self.judge(frame, None)?);
            }
            return Ok(passed);
        }
        Ok(self.judge(frame(data, &limits)?, Some(data))?.into_iter().collect())
    }

    fn judge(
        &mut self,
        frame: bailiwick_mcp::Frame<'_>,
        whole: Option<&Bytes>,
    ) -> Result<Option<Bytes>, UpstreamError> {
        let passed = self.passage.judge(frame, whole, &self.wire)?;
        if passed.last {
            self.state = State::Answered;
        }
        Ok(passed.body)
    }
}
