//! The accept loop.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::Listener;
use super::connection::{Shared, serve};
use crate::{Lanes, Tasks};

/// How long to wait when the system has no more file descriptors.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Accepts connections and serves each with a clone of `service`, until `tasks` stop; connections then
    /// finish what is in flight, as tasks of the same group, while this returns. Each request has a
    /// [`super::PeerInfo`] in its extensions. A tower service fits through
    /// `hyper_util::service::TowerToHyperService`.
    pub async fn serve<S, B>(self, service: S, tasks: &Tasks, lanes: &Lanes)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn StdError + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let connections = Arc::new(Semaphore::new(self.limits.max_connections.min(Semaphore::MAX_PERMITS)));
        if let Some(tls) = &self.tls {
            tls.watch(tasks);
        }
        let tls = self.tls.as_ref().map(|tls| TlsAcceptor::from(tls.server_config()));
        let shared = Arc::new(Shared { tls, limits: self.limits.clone(), stop: tasks.stop_token() });
        loop {
            let accepted = tokio::select! {
                biased;
                () = tasks.stopping() => return,
                accepted = self.tcp.accept() => accepted,
            };
            let (tcp, address) = match accepted.and_then(|(tcp, address)| Ok((tcp.into_std()?, address))) {
                Ok(accepted) => accepted,
                Err(error) => {
                    refused(&error).await;
                    continue;
                }
            };
            let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else {
                tracing::debug!(%address, "too many connections: closed");
                continue;
            };
            let (shared, service, seat) = (Arc::clone(&shared), service.clone(), lanes.seat());
            let lane = seat.lane().clone();
            tasks.spawn_on(&lane, "connection", async move {
                if let Err(error) = serve(tcp, address, shared, service).await {
                    tracing::debug!(%address, %error, "connection ended early");
                }
                drop((permit, seat));
            });
        }
    }
}

/// One connection's trouble is over at once; the system's (no file descriptors, no memory) is given time.
async fn refused(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
        return;
    }
    tracing::error!(%error, "no connection can be accepted");
    tokio::time::sleep(EXHAUSTED_PAUSE).await;
}
