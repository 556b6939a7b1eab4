//! `server.enable` and `server.disable`: a disabled server stays registered, but is neither listed, called
//! nor contacted.

use super::ServerDetail;
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find};

impl Control {
    /// Switches a server on or off.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn enable_server(
        &self,
        actor: &Actor,
        asked: &str,
        enabled: bool,
    ) -> Result<ServerDetail, ControlError> {
        let mut change = self.change(actor).await?;
        let before = find::server(&mut change.tx, actor, asked).await?;
        if before.enabled != enabled {
            let mut after = before.clone();
            after.enabled = enabled;
            change.tx.servers().update(&after).await?;
            let operation = if enabled { "server.enable" } else { "server.disable" };
            change
                .commit(Touched::Everything, Told::new(operation, after.id).before(&before)?.after(&after)?)
                .await?;
            if enabled {
                self.discover(after.id).await;
            }
        } else {
            drop(change);
        }
        self.show_server(actor, &before.id.to_string()).await
    }
}
