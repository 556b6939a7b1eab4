//! The room's background work: following the store, asking servers, writing down when keys were used, feeding the
//! index over the ledger, archiving its segments.

use std::time::Duration;

use bailiwick_runtime::Tasks;

use crate::{Control, ControlError};

/// How often uses of keys are written down.
const TOUCH: Duration = Duration::from_secs(60);

impl Control {
    /// A file is fed by a thread of the lowest priority. A database does the work itself, and its connections are
    /// everybody's, so that no such thread may drive them.
    fn run_index_feed(&self, tasks: &Tasks) {
        let control = self.clone();
        if !self.parts().index.is_file() {
            tasks.spawn_until_stop("ledger-index", async move { control.feed_index().await });
            return;
        }
        let fed = tasks.spawn_lowly("ledger-index", move || async move { control.feed_index().await });
        if let Err(error) = fed {
            tracing::error!(%error, "the ledger's index is not fed: calls are recorded, but not found");
        }
    }

    /// Starts the background work, which ends when the tasks are told to stop. Call it after
    /// [`Control::catch_up`].
    pub fn run(&self, tasks: &Tasks) {
        let control = self.clone();
        tasks.spawn_until_stop("follow", async move { control.follow().await });
        let (control, stop) = (self.clone(), tasks.stop_token());
        tasks.spawn("discovery", async move { control.discovery_rounds(stop.cancelled_owned()).await });
        self.run_index_feed(tasks);
        let control = self.clone();
        tasks.spawn_until_stop("ledger-archive", async move {
            if let Some(archive) = &control.parts().archive {
                control.keep_ledger(archive).await;
            }
        });
        let (control, stop) = (self.clone(), tasks.stop_token());
        tasks.spawn("key-use", async move {
            let mut ticks = tokio::time::interval(TOUCH);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                control.write_uses().await;
            }
            control.write_uses().await;
        });
    }

    /// Publishes what others commit, and what of our own could not be published at once.
    async fn follow(&self) {
        let mut watch = self.parts().store.watch_generation();
        loop {
            watch.changed().await;
            while let Err(error) = self.catch_up().await {
                tracing::warn!(%error, "the state cannot be read; the last one stays in force");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    async fn write_uses(&self) {
        let uses = self.parts().last_use.drain();
        if uses.is_empty() {
            return;
        }
        let written: Result<(), ControlError> = async {
            let mut tx = self.parts().store.begin().await?;
            tx.keys().touch(&uses).await?;
            tx.commit().await?;
            Ok(())
        }
        .await;
        if let Err(error) = written {
            tracing::warn!(%error, "when keys were last used is not written down yet");
            for (key, at) in uses {
                self.parts().last_use.note(key, at);
            }
        }
    }
}
