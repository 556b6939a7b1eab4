//! The idle clock of HTTP/1.1 connections. hyper wants a timer for each request; entering one and taking it out again
//! costs as much as many a step of a call. Here a deadline is only compared with the time whenever its connection is
//! looked at, and the connection's task looks once in a while.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// Makes deadlines that wake nobody.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdleTimer;

#[derive(Debug)]
struct Deadline(Instant);

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Timer for IdleTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Deadline(deadline))
    }

    fn now(&self) -> Instant {
        now()
    }
}

impl Sleep for Deadline {}

impl Future for Deadline {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if now() < self.0 { Poll::Pending } else { Poll::Ready(()) }
    }
}
