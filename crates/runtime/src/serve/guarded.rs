//! An HTTP/1.1 connection under guard: its bytes pass [`Framing`] on their way to hyper, and a request that
//! began must go on: its head must be there in time, its body must not stall.
//!
//! The usual request, whose head comes in one read, costs no timer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::framing::{Framing, Phase};

/// How long a body may pause while it is being read.
const BODY_STALL: Duration = Duration::from_secs(30);
/// How long, and for how many bytes, the rest of an answered request is waited for.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;
/// The most bytes that are put together for one plain write.
const MAX_GATHERED: usize = 4 * 1024;

#[derive(Debug)]
pub(super) struct Guarded<IO> {
    io: IO,
    framing: Framing,
    header_timeout: Duration,
    timer: Timer,
    /// Where small pieces are put together: one copy costs less than a vectored write.
    gathered: Vec<u8>,
    /// Set while the rest of a request is waited for that was answered before it was read: a socket that is closed
    /// over unread bytes is reset, and the client never sees the answer (RFC 9112 section 9.6).
    linger: Option<(Pin<Box<Sleep>>, usize)>,
    /// Set when the first byte came.
    spoken: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Timer {
    Off,
    Head(Pin<Box<Sleep>>),
    Body(Pin<Box<Sleep>>),
}

impl<IO> Guarded<IO> {
    pub(super) fn new(io: IO, header_timeout: Duration, spoken: Arc<AtomicBool>) -> Self {
        Self {
            io,
            framing: Framing::new(),
            header_timeout,
            timer: Timer::Off,
            gathered: Vec::new(),
            linger: None,
            spoken,
        }
    }

    /// Bytes came: what timer is still right?
    fn progressed(&mut self) {
        match (self.framing.phase(), &mut self.timer) {
            // A head has one deadline, however slowly its bytes drip.
            (Phase::Head, Timer::Head(_)) => {}
            (Phase::Body, Timer::Body(sleep)) => sleep.as_mut().reset(Instant::now() + BODY_STALL),
            (_, timer) => *timer = Timer::Off,
        }
    }

    /// No bytes came: has the client had its time?
    fn waited(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match (self.framing.phase(), &self.timer) {
            (Phase::Head, Timer::Off) => self.timer = Timer::Head(Box::pin(sleep(self.header_timeout))),
            (Phase::Body, Timer::Off) => self.timer = Timer::Body(Box::pin(sleep(BODY_STALL))),
            _ => {}
        }
        match &mut self.timer {
            Timer::Off => Poll::Pending,
            Timer::Head(sleep) | Timer::Body(sleep) => {
                ready!(sleep.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the request did not come in time")))
            }
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Guarded<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                self.spoken.store(true, Ordering::Relaxed);
                self.framing.follow(&mut buf.filled_mut()[before..]);
                self.progressed();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.waited(cx),
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            if this.framing.phase() != Phase::Body {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this.linger.get_or_insert_with(|| (Box::pin(sleep(LINGER)), LINGER_BYTES));
        loop {
            let mut space = [0; 4096];
            let mut rest = ReadBuf::new(&mut space);
            match Pin::new(&mut this.io).poll_read(cx, &mut rest) {
                Poll::Ready(Ok(())) if !rest.filled().is_empty() && linger.1 > 0 => {
                    linger.1 = linger.1.saturating_sub(rest.filled().len());
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return linger.0.as_mut().poll(cx).map(Ok),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if bufs.iter().map(|part| part.len()).sum::<usize>() > MAX_GATHERED {
            return Pin::new(&mut this.io).poll_write_vectored(cx, bufs);
        }
        this.gathered.clear();
        bufs.iter().for_each(|part| this.gathered.extend_from_slice(part));
        Pin::new(&mut this.io).poll_write(cx, &this.gathered)
    }
}
