//! From committed state to the data path: builds the [`Snapshot`] and hands `upstream` its servers.
//!
//! A change of one part rebuilds that part only, if the published snapshot is just one generation behind; if
//! somebody else committed in between, everything is read anew. One publication at a time, newest last.

mod build;

use std::sync::Arc;

use bailiwick_model::Generation;
use bailiwick_policy::{Parts, Snapshot};
use bailiwick_store::{ReadTx, StoreImage};
use bailiwick_upstream::ServerSpec;
use tokio::sync::Mutex;

use crate::{Control, ControlError};

/// What is published.
#[derive(Debug, Default)]
pub(crate) struct Published(Mutex<Option<Parts>>);

/// Which part of the snapshot a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touched {
    /// Nothing that calls depend on.
    Nothing,
    /// Keys alone.
    Keys,
    /// Principals, groups, and with them keys.
    People,
    /// Grants alone.
    Grants,
    /// Keys for bodies alone.
    BodyKeys,
    /// Servers, definitions and toolsets, and whatever goes with what is removed.
    Everything,
}

impl Control {
    /// Publishes the state as committed, if it is newer than what is published.
    ///
    /// # Errors
    /// [`ControlError::Unavailable`] if it cannot be read; what is published stays in force.
    pub async fn catch_up(&self) -> Result<Generation, ControlError> {
        let mut published = self.published().0.lock().await;
        let mut tx = self.parts().store.read().await?;
        let generation = tx.generation().await?;
        if let Some(parts) = published.as_ref().filter(|parts| parts.generation >= generation) {
            return Ok(parts.generation);
        }
        let parts = self.everything(&mut tx).await?;
        self.send(&mut published, parts);
        Ok(generation)
    }

    /// Publishes a change of this process that was just committed as `generation`. If that fails, the loop
    /// that follows the store makes up for it within a second.
    pub(crate) async fn publish(&self, generation: Generation, touched: Touched) {
        if let Err(error) = self.try_publish(generation, touched).await {
            tracing::error!(%error, %generation, "a committed change is not in force yet");
        }
    }

    /// Publishes the catalogue anew although no generation tells of a change: a discovery failed.
    pub(crate) async fn publish_staleness(&self) -> Result<(), ControlError> {
        let mut published = self.published().0.lock().await;
        let parts = self.everything(&mut self.parts().store.read().await?).await?;
        self.send(&mut published, parts);
        Ok(())
    }

    async fn try_publish(&self, committed: Generation, touched: Touched) -> Result<(), ControlError> {
        let mut published = self.published().0.lock().await;
        if published.as_ref().is_some_and(|parts| parts.generation >= committed) {
            return Ok(());
        }
        let mut tx = self.parts().store.read().await?;
        let current = tx.generation().await?;
        let before = published
            .as_ref()
            .filter(|parts| current == committed && parts.generation.0.checked_add(1) == Some(current.0));
        let parts = match before {
            Some(before) => self.one_part(&mut tx, before.clone(), touched).await?,
            None => self.everything(&mut tx).await?,
        };
        self.send(&mut published, Parts { generation: current, ..parts });
        Ok(())
    }

    async fn one_part(
        &self,
        tx: &mut ReadTx,
        mut parts: Parts,
        touched: Touched,
    ) -> Result<Parts, ControlError> {
        match touched {
            Touched::Nothing => {}
            Touched::Keys => parts.keys = Arc::new(build::keys(build::read_keys(tx).await?, &parts.people)),
            Touched::People => {
                parts.people = Arc::new(build::read_people(tx).await?);
                parts.keys = Arc::new(build::keys(build::read_keys(tx).await?, &parts.people));
            }
            Touched::BodyKeys => self.reload_body_keys().await?,
            Touched::Grants => parts.grants = Arc::new(build::read_grants(tx).await?),
            Touched::Everything => parts = self.everything(tx).await?,
        }
        Ok(parts)
    }

    async fn everything(&self, tx: &mut ReadTx) -> Result<Parts, ControlError> {
        let mut image = tx.load_all().await?;
        let specs = self.specs(&mut image);
        let parts = build::everything(image, &specs);
        self.reload_body_keys().await?;
        self.parts().upstreams.apply(specs);
        Ok(parts)
    }

    fn send(&self, published: &mut Option<Parts>, parts: Parts) {
        tracing::debug!(generation = %parts.generation, "published");
        *published = Some(parts.clone());
        self.parts().snapshots.send_replace(Arc::new(Snapshot::new(parts)));
    }

    /// The servers with their secrets opened. A secret that does not open is left out, so that its server
    /// refuses calls and every other one goes on.
    fn specs(&self, image: &mut StoreImage) -> Vec<ServerSpec> {
        let entries = std::mem::take(&mut image.servers).into_iter();
        entries
            .map(|entry| {
                let server = Arc::new(entry.server);
                let open = |(name, sealed): (String, bailiwick_store::Sealed)| match self
                    .unseal(server.id, &name, &sealed.0)
                {
                    Ok(value) => Some((name, value)),
                    Err(error) => {
                        tracing::error!(server = %server.name, name, %error, "a secret is unusable");
                        None
                    }
                };
                let secrets = entry.secrets.into_iter().filter_map(open).collect();
                ServerSpec { server, secrets }
            })
            .collect()
    }
}
