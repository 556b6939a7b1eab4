//! How the data path comes to keys for bodies that are not known yet: `control` makes them, away from the lanes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bailiwick_control::Control;
use bailiwick_gateway::Bodies;
use bailiwick_model::{BodyKeyMaker, BodyKeyUnavailable, PrincipalId, RetentionClass};
use bailiwick_runtime::Tasks;
use tokio::runtime::Handle;

use super::compose::{Rooms, Shared};

/// What the data path encrypts bodies with.
pub(super) fn bodies(shared: &Shared, rooms: &Rooms) -> Bodies {
    let (control, tasks) = (rooms.control.clone(), shared.background.clone());
    Bodies {
        ledger: rooms.ledger.verifier().name().to_owned(),
        sealers: rooms.body_sealers.clone(),
        maker: Arc::new(Maker { control, tasks, home: Handle::current() }),
    }
}

/// Has keys made by a task of its own on the runtime of administrative work: the database is driven there, and what a call
/// no longer waits for is there for the next.
#[derive(Debug)]
struct Maker {
    control: Control,
    tasks: Tasks,
    home: Handle,
}

impl BodyKeyMaker for Maker {
    fn make(
        &self,
        principal: PrincipalId,
        class: RetentionClass,
    ) -> Pin<Box<dyn Future<Output = Result<(), BodyKeyUnavailable>> + Send>> {
        let control = self.control.clone();
        let making = self.tasks.spawn_on(&self.home, "body key", async move {
            control.make_body_key(principal, &class).await.map_err(|error| {
                tracing::warn!(%principal, %class, %error, "a key for bodies cannot be made");
                BodyKeyUnavailable
            })
        });
        Box::pin(async move { making.await.unwrap_or(Err(BodyKeyUnavailable)) })
    }
}
