//! Requests of legacy sessions that are under way, so that `notifications/cancelled` finds them.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use bailiwick_model::QuickMap;
use bailiwick_policy::CatalogueServer;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::Inner;

/// Running requests by session and JSON-RPC id.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<QuickMap<Key, Run>>);

type Key = (u128, Box<str>);

/// Tells one waiter that a request is cancelled. Each request has one, so it costs next to nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cancel(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    given: AtomicBool,
    waiter: AtomicWaker,
}

impl Cancel {
    /// Gives the signal.
    pub(crate) fn cancel(&self) {
        self.0.given.store(true, Ordering::Release);
        self.0.waiter.wake();
    }

    /// Waits for the signal; only the last who waits hears it.
    pub(crate) async fn cancelled(&self) {
        poll_fn(|cx| {
            if !self.0.given.load(Ordering::Acquire) {
                self.0.waiter.register(cx.waker());
                // Again: it may have been given in between.
                if !self.0.given.load(Ordering::Acquire) {
                    return Poll::Pending;
                }
            }
            Poll::Ready(())
        })
        .await;
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) server: Arc<CatalogueServer>,
    pub(crate) cancel: Cancel,
}

/// Keeps a request in the table while it runs.
#[derive(Debug)]
pub(crate) struct Entry {
    inner: Arc<Inner>,
    key: Key,
    pub(crate) cancel: Cancel,
}

impl Running {
    /// Enters a request.
    pub(crate) fn enter(inner: &Arc<Inner>, session: u128, id: &str, server: &Arc<CatalogueServer>) -> Entry {
        let key: Key = (session, id.into());
        let cancel = Cancel::default();
        let run = Run { server: Arc::clone(server), cancel: cancel.clone() };
        inner.running.0.lock().insert(key.clone(), run);
        Entry { inner: Arc::clone(inner), key, cancel }
    }

    /// The request that shall be cancelled.
    pub(crate) fn find(&self, session: u128, id: &str) -> Option<Run> {
        self.0.lock().get(&(session, Box::from(id))).cloned()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.inner.running.0.lock().remove(&self.key);
    }
}
