//! When servers are asked again: the background loop.

use std::collections::HashSet;
use std::future::Future;

use bailiwick_model::ServerId;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Control;

impl Control {
    /// Asks all servers at once, then each again every poll interval and whenever `upstream` says so, until
    /// `stop` ends.
    pub(crate) async fn discovery_rounds(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut changes = self.parts().upstreams.changes();
        let mut poll = tokio::time::interval(self.parts().settings.poll);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut round = Round::default();
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = poll.tick() => {
                    let servers: Vec<ServerId> = self.enabled_servers();
                    self.discoveries().retain(|server| servers.contains(&server));
                    servers.into_iter().for_each(|server| round.start(self, server));
                }
                Some(server) = next(&mut changes) => round.start(self, server),
                Some(ended) = round.tasks.join_next() => round.ended(self, ended.ok()),
            }
        }
        // A discovery holds nothing that must be finished: the transaction of one that is cut is undone.
        round.tasks.shutdown().await;
    }

    fn enabled_servers(&self) -> Vec<ServerId> {
        let snapshot = self.snapshot();
        let enabled = snapshot.catalogue.servers().filter(|known| known.server.enabled);
        enabled.map(|known| known.server.id).collect()
    }
}

async fn next(changes: &mut Option<mpsc::UnboundedReceiver<ServerId>>) -> Option<ServerId> {
    match changes {
        Some(receiver) => receiver.recv().await,
        None => std::future::pending().await,
    }
}

#[derive(Default)]
struct Round {
    tasks: JoinSet<ServerId>,
    running: HashSet<ServerId>,
    again: HashSet<ServerId>,
}

impl Round {
    /// Asks a server; if it is being asked, once more after that.
    fn start(&mut self, control: &Control, server: ServerId) {
        if !self.running.insert(server) {
            self.again.insert(server);
            return;
        }
        let control = control.clone();
        self.tasks.spawn(async move {
            control.discover(server).await;
            server
        });
    }

    fn ended(&mut self, control: &Control, server: Option<ServerId>) {
        let Some(server) = server else {
            // A task that panicked does not say which server's it was: let all be asked in the next round.
            tracing::error!("a discovery ended by a panic");
            self.running.clear();
            return;
        };
        self.running.remove(&server);
        if self.again.remove(&server) {
            self.start(control, server);
        }
    }
}
