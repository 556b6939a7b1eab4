//! Tracked background work: everything that is spawned has a name, hears when the process stops, and is
//! waited for. `tokio::spawn` is banned in favour of [`Tasks::spawn`].

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The lowest priority of a thread.
const LOWEST: i32 = 19;

/// A group of tasks that stop together. Clones are handles to the same group.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// Tasks did not end in time.
#[derive(Debug, thiserror::Error)]
#[error("{count} tasks were still running after {waited:?}")]
pub struct StillRunning {
    /// How many.
    pub count: usize,
    /// How long they were given.
    pub waited: Duration,
}

impl Tasks {
    /// An empty group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a future in the background. It should end soon after [`Tasks::stopping`]; `name` appears as the
    /// span `task` in debug logs.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tracker.spawn(future.instrument(tracing::debug_span!("task", name)))
    }

    /// [`Tasks::spawn`] on a runtime that is not this one.
    pub fn spawn_on<F>(&self, runtime: &Handle, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tracker.spawn_on(future.instrument(tracing::debug_span!("task", name)), runtime)
    }

    /// Runs a future in the background until it ends or the group stops, whichever is first. The future is
    /// dropped at an await point when the group stops.
    pub fn spawn_until_stop<F>(&self, name: &'static str, future: F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.spawn(name, async move {
            // `None`: the group stopped first, which is what the caller asked for.
            let _ended = stop.run_until_cancelled(future).await;
        })
    }

    /// Runs a future until it ends or the group stops, on a thread of its own and whatever threads it starts, at the
    /// lowest priority: for work that may take the machine's spare time and nothing of calls' time. What it awaits
    /// must not depend on this thread to be driven for others.
    ///
    /// # Errors
    /// If the kernel gives no thread.
    pub fn spawn_lowly<F, W>(&self, name: &'static str, work: W) -> io::Result<()>
    where
        W: FnOnce() -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        let (token, stop) = (self.tracker.token(), self.stop.clone());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Of this thread alone, and inherited by those that it starts (setpriority(2), "C library/kernel differences").
            if let Err(error) = rustix::process::setpriority_process(None, LOWEST) {
                tracing::warn!(%error, name, "a thread does not get the lowest priority");
            }
            // `None`: the group stopped first.
            let _ended = runtime.block_on(stop.run_until_cancelled(work()));
            drop((runtime, token));
        })?;
        Ok(())
    }

    /// Runs blocking work on a thread of its own; waited for like the rest.
    pub fn spawn_blocking<F, T>(&self, work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.tracker.spawn_blocking(work)
    }

    /// Resolves when the group is told to stop.
    pub fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.stop.cancelled()
    }

    /// The token behind [`Tasks::stopping`], for code that wants to own it.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Whether the group was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Tells every task to stop, without waiting.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// How many tasks run.
    pub fn count(&self) -> usize {
        self.tracker.len()
    }

    /// Tells every task to stop and waits until all ended, at most for `deadline`.
    ///
    /// # Errors
    /// Says how many tasks were still running at the deadline.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), StillRunning> {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(deadline, self.tracker.wait())
            .await
            .map_err(|_| StillRunning { count: self.tracker.len(), waited: deadline })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shutdown_tells_tasks_and_waits_for_them() {
        let tasks = Tasks::new();
        let stop = tasks.stop_token();
        let ended = tasks.spawn("one", async move { stop.cancelled().await });
        tasks.spawn_until_stop("two", std::future::pending());
        assert_eq!(tasks.count(), 2);
        tasks.shutdown(Duration::from_secs(5)).await.unwrap();
        assert!(ended.is_finished());
    }

    #[tokio::test]
    async fn shutdown_names_how_many_did_not_end() {
        let tasks = Tasks::new();
        let deaf = tasks.spawn("deaf", std::future::pending::<()>());
        let error = tasks.shutdown(Duration::from_millis(5)).await.unwrap_err();
        assert_eq!(error.count, 1);
        deaf.abort();
    }
}
