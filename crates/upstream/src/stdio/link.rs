//! One running child: what is written to it, what it says and to whom that goes, and its end.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bailiwick_mcp::error::{METHOD_NOT_FOUND, error_response, result_response};
use bailiwick_mcp::frame::{FrameNotification, FrameRequest};
use bailiwick_mcp::{Era, Limits, Method, frames};
use bytes::Bytes;
use futures_util::stream;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::child::{Running, remove_scratch};
use super::errors;
use super::lines::{Line, Lines};
use crate::backoff::Backoff;
use crate::exchange::{Exchange, Inbound};
use crate::sinks::{Item, Sinks, listening};
use crate::upstream::Shared;
use crate::{Answer, Event, EventStream, UpstreamError, wire};

/// Messages that may wait to be written.
const UNWRITTEN: usize = 64;
/// Lines in a row that are no message, after which the child is taken for broken.
const GARBAGE: u32 = 1_000;
/// Most messages of one batch (2025-03-26).
const BATCH: usize = 100;
/// How long a child may take to end after its standard input was closed, and after the helper was told.
const GRACE: Duration = Duration::from_secs(2);

/// A running child.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) exchange: Exchange,
    shared: Arc<Shared>,
    era: Era,
    /// Whether it may ask its client for something; a shared one may not, it would reach the wrong person.
    may_ask: bool,
    writer: mpsc::Sender<Bytes>,
    sinks: Mutex<Sinks>,
    hello: OnceLock<Bytes>,
    used: Mutex<Duration>,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl Link {
    /// Takes over a started child. Its end counts against `backoff`, unless it was told to end by `stop`.
    pub(super) fn run(
        shared: &Arc<Shared>,
        era: Era,
        may_ask: bool,
        (running, backoff, stop): (Running, Option<Arc<Mutex<Backoff>>>, CancellationToken),
    ) -> Arc<Self> {
        let (writer, unwritten) = mpsc::channel(UNWRITTEN);
        let link = Arc::new(Self {
            exchange: Exchange::default(),
            shared: Arc::clone(shared),
            era,
            may_ask,
            writer,
            sinks: Mutex::default(),
            hello: OnceLock::new(),
            used: Mutex::new(shared.parts.clock.monotonic()),
            stop,
            ended: CancellationToken::new(),
        });
        shared.parts.tasks.spawn("stdio child", Arc::clone(&link).attend(running, unwritten, backoff));
        link
    }

    /// Carries a request.
    pub(super) async fn request(
        self: &Arc<Self>,
        client: u128,
        body: &Bytes,
        method: &str,
    ) -> Result<Answer, UpstreamError> {
        let (number, body) = self.exchange.begin(client, body)?;
        let mut receiver = self.sinks.lock().add(number, client);
        let ticket =
            Ticket { link: Arc::clone(self), number, cancels: method != Method::Initialize.as_str() };
        let patience = self.shared.timeouts().first_byte();
        let first = tokio::time::timeout(patience, async {
            self.write(body).await?;
            receiver.recv().await.ok_or(UpstreamError::Cut)
        });
        match first.await.map_err(|_| UpstreamError::Timeout("no answer began"))?? {
            Item::Final(body) => Ok(Answer::json(wire::status_of(self.era, &body), body)),
            Item::Failed(error) => Err(error),
            Item::More(message) => {
                let idle =
                    (method != Method::SubscriptionsListen.as_str()).then(|| self.shared.timeouts().idle());
                Ok(Answer::stream(Reader { receiver, first: Some(message), idle, _ticket: ticket }.stream()))
            }
        }
    }

    /// The stream of what the child says to a client session unasked.
    pub(super) fn listen(self: &Arc<Self>, client: u128) -> EventStream {
        listening(self.sinks.lock().listen(client))
    }

    pub(super) fn leave(&self, client: u128) {
        self.sinks.lock().leave(client);
    }

    /// Writes a message as one line.
    pub(super) async fn write(&self, message: Bytes) -> Result<(), UpstreamError> {
        let sent = self.writer.send(wire::one_line(&message));
        match tokio::time::timeout(self.shared.timeouts().first_byte(), sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(UpstreamError::Unreachable("its program has just ended")),
            Err(_) => Err(UpstreamError::Timeout("it does not read")),
        }
    }

    pub(super) fn greeted(&self, hello: Bytes) {
        self.hello.get_or_init(|| hello);
    }

    pub(super) fn hello(&self) -> Option<&Bytes> {
        self.hello.get()
    }

    pub(super) fn touch(&self) {
        *self.used.lock() = self.shared.parts.clock.monotonic();
    }

    pub(super) fn is_idle(&self, now: Duration, idle: Duration) -> bool {
        self.exchange.is_idle()
            && !self.sinks.lock().has_listeners()
            && now.saturating_sub(*self.used.lock()) >= idle
    }

    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_cancelled() || self.stop.is_cancelled()
    }

    /// The child's whole life.
    async fn attend(
        self: Arc<Self>,
        running: Running,
        unwritten: mpsc::Receiver<Bytes>,
        backoff: Option<Arc<Mutex<Backoff>>>,
    ) {
        let Running { mut process, stdin, stdout, stderr, scratch } = running;
        let clock = &self.shared.parts.clock;
        let started = clock.monotonic();
        self.shared.pulse.note(|health| health.children += 1);
        let mut errors = Box::pin(errors::read(Arc::clone(&self.shared), stderr));
        let mut errors_end = false;
        let mut life = Box::pin(self.converse(stdin, stdout, unwritten));
        let why = loop {
            tokio::select! {
                why = &mut life => break why,
                () = &mut errors, if !errors_end => errors_end = true,
            }
        };
        // Closes its standard input, which politely asks it to end.
        drop(life);
        self.ended.cancel();
        self.sinks.lock().fail(&why);
        let wished = self.stop.is_cancelled();
        if wished {
            let politely = async {
                tokio::join!(process.wait(), async {
                    if !errors_end {
                        (&mut errors).await;
                    }
                })
            };
            let _in_time = tokio::time::timeout(GRACE, politely).await;
        }
        // The helper takes the end of this pipe for the gateway's end, and kills whatever is left.
        drop(errors);
        if tokio::time::timeout(GRACE, process.wait()).await.is_err() {
            tracing::warn!(server = self.shared.name(), "a helper did not end and is killed");
            if let Err(error) = process.kill().await {
                tracing::warn!(server = self.shared.name(), %error, "a helper cannot be killed");
            }
        }
        if !wished {
            tracing::warn!(server = self.shared.name(), %why, "a child ended");
            let now = clock.monotonic();
            if let Some(backoff) = backoff {
                backoff.lock().ended(now, now.saturating_sub(started));
            }
        }
        remove_scratch(&scratch);
        self.shared.pulse.note(|health| health.children = health.children.saturating_sub(1));
    }

    /// Writes and reads until one of it ends.
    async fn converse(
        &self,
        stdin: ChildStdin,
        stdout: ChildStdout,
        unwritten: mpsc::Receiver<Bytes>,
    ) -> UpstreamError {
        tokio::select! {
            why = self.read(stdout) => why,
            () = write_all(stdin, unwritten) => UpstreamError::Cut,
            () = self.stop.cancelled() => UpstreamError::Cut,
        }
    }

    async fn read(&self, stdout: ChildStdout) -> UpstreamError {
        let most = self.shared.parts.settings.limits.answer_bytes;
        let limits = Limits { max_bytes: most, max_depth: 128, max_id_bytes: 4_096, max_batch: 0 };
        let limits = if self.era.allows_batch() { limits.with_batches(BATCH) } else { limits };
        let mut lines = Lines::new(stdout, most);
        let mut garbage = 0;
        loop {
            match lines.next().await {
                Ok(Line::Whole(line)) if line.trim_ascii().is_empty() => {}
                Ok(Line::Whole(line)) if self.line(&line, &limits) => garbage = 0,
                Ok(Line::Whole(_)) if garbage < GARBAGE => {
                    garbage += 1;
                    self.shared.stray();
                }
                Ok(Line::Whole(_)) => return UpstreamError::Invalid("its output is no JSON-RPC"),
                Ok(Line::TooLong) => return UpstreamError::Invalid("a line is longer than allowed"),
                Ok(Line::End) | Err(_) => return UpstreamError::Cut,
            }
        }
    }

    /// Handles one line. False if it is no message.
    fn line(&self, line: &Bytes, limits: &Limits) -> bool {
        let Ok(messages) = frames(line, limits) else { return false };
        for message in messages {
            let handled = self.exchange.sort(message).and_then(|inbound| self.handle(inbound));
            if let Err(error) = handled {
                tracing::debug!(server = self.shared.name(), %error, "a child's message was dropped");
                self.shared.stray();
            }
        }
        true
    }

    fn handle(&self, inbound: Inbound<'_>) -> Result<(), UpstreamError> {
        let heard = match inbound {
            Inbound::Final(number, body) => self.sinks.lock().give(number, Item::Final(body)),
            Inbound::About(number, body) => self.sinks.lock().give(number, Item::More(body)),
            Inbound::TakenBack(client, body) => self.sinks.lock().tell(client, &body),
            Inbound::Asks(request) => return self.asks(&request),
            Inbound::Loose(told) => self.told(&told),
            Inbound::Stray => false,
        };
        if !heard {
            self.shared.stray();
        }
        Ok(())
    }

    /// A request of the child: to the client session that is most likely meant, or refused.
    fn asks(&self, request: &FrameRequest<'_>) -> Result<(), UpstreamError> {
        // Modern servers must not ask, and must not be answered (spec 2026-07-28 basic/transports/stdio).
        if self.era.is_modern() {
            self.shared.stray();
            return Ok(());
        }
        if request.method == Method::Ping.as_str() {
            return self.reply(&result_response(request.id, b"{}"));
        }
        let client = self.sinks.lock().asked().filter(|_| self.may_ask);
        let asked = match client {
            Some(client) => {
                let body = self.exchange.ask(client, request)?;
                self.sinks.lock().tell(client, &body)
            }
            None => false,
        };
        if asked {
            return Ok(());
        }
        self.reply(&error_response(Some(request.id), METHOD_NOT_FOUND, "no client can answer this", None))
    }

    fn reply(&self, message: &[u8]) -> Result<(), UpstreamError> {
        // The reader must never wait for the writer: a child that asks without reading gets no answers.
        self.writer.try_send(wire::one_line(message)).map_err(|_| UpstreamError::Overloaded)
    }

    /// A notification that belongs to no request. True if somebody heard it.
    fn told(&self, told: &FrameNotification<'_>) -> bool {
        let method = Method::parse(&told.method);
        self.shared.heard(method);
        let lists = [Method::ToolsListChanged, Method::PromptsListChanged, Method::ResourcesListChanged];
        // What a shared child says to nobody in particular may be about somebody else.
        let may_pass = self.may_ask || lists.contains(&method);
        let told = Bytes::copy_from_slice(told.raw());
        (may_pass && self.sinks.lock().tell_all(&told) > 0) || lists.contains(&method)
    }
}

async fn write_all(mut stdin: ChildStdin, mut unwritten: mpsc::Receiver<Bytes>) {
    while let Some(message) = unwritten.recv().await {
        if stdin.write_all(&message).await.is_err() {
            return;
        }
    }
}

/// A request under way. Given up before its answer, it is cancelled.
struct Ticket {
    link: Arc<Link>,
    number: u64,
    cancels: bool,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.link.sinks.lock().remove(self.number);
        self.link.touch();
        if self.link.exchange.end(self.number) && self.cancels {
            // If the child does not read, it will not read this either.
            let _unread = self.link.writer.try_send(wire::one_line(&wire::cancelled(self.number)));
        }
    }
}

/// The reading end of a request's stream, which must not end without an answer.
struct Reader {
    receiver: mpsc::Receiver<Item>,
    first: Option<Bytes>,
    idle: Option<Duration>,
    _ticket: Ticket,
}

impl Reader {
    fn stream(self) -> EventStream {
        EventStream::new(stream::unfold(Some(self), |reader| async move {
            let mut reader = reader?;
            if let Some(first) = reader.first.take() {
                return Some((Ok(Event::message(first)), Some(reader)));
            }
            let item = match reader.idle {
                Some(idle) => match tokio::time::timeout(idle, reader.receiver.recv()).await {
                    Ok(item) => item,
                    Err(_) => return Some((Err(UpstreamError::Timeout("its answer paused too long")), None)),
                },
                None => reader.receiver.recv().await,
            };
            match item {
                Some(Item::More(message)) => Some((Ok(Event::message(message)), Some(reader))),
                Some(Item::Final(message)) => Some((Ok(Event::message(message)), None)),
                Some(Item::Failed(error)) => Some((Err(error), None)),
                None => Some((Err(UpstreamError::Cut), None)),
            }
        }))
    }
}
