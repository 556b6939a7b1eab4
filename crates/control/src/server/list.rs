//! `server list`.

use bailiwick_model::ServerId;
use bailiwick_store::Page;

use super::ServerDetail;
use crate::{Actor, Control, ControlError, Listed};

impl Control {
    /// A piece of the list of servers, in the order of registration.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list_servers(
        &self,
        actor: &Actor,
        page: Page<ServerId>,
    ) -> Result<Listed<ServerDetail, ServerId>, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let servers = tx.servers().list(page).await?;
        let mut listed = Listed::after(&servers, &page, |server| server.id);
        for server in servers.into_iter().filter(|server| actor.sees(server.team)) {
            listed.items.push(self.detail(&mut tx, server).await?);
        }
        Ok(listed)
    }
}
