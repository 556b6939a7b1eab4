//! `server refresh`: asks a server now what it offers. Changes nothing that somebody decided, so it is no
//! recorded change; a drift of definitions is recorded by the discovery itself.

use super::ServerDetail;
use crate::{Actor, Control, ControlError, find};

impl Control {
    /// Asks a server what it offers, and answers with what is known then.
    ///
    /// # Errors
    /// [`ControlError`]; not if the server does not answer.
    pub async fn refresh_server(&self, actor: &Actor, asked: &str) -> Result<ServerDetail, ControlError> {
        actor.may_change()?;
        let server = find::server(&mut self.parts().store.read().await?, actor, asked).await?;
        if !server.enabled {
            return Err(ControlError::Conflict(format!("{} is disabled; enable it first", server.name)));
        }
        self.discover(server.id).await;
        self.show_server(actor, &server.id.to_string()).await
    }
}
