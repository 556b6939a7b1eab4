//! `server.update`: changes what is said of a server, or switches it on or off. Its id, name and team stay.

use std::collections::BTreeMap;

use bailiwick_model::Capture;
use bailiwick_model::server::{Timeouts, Transport};
use secrecy::SecretString;

use super::{ServerAdded, capture, transport};
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find, text};

/// What shall be different; what is absent stays.
#[derive(Debug, Default)]
pub struct ServerChange {
    /// What people read.
    pub description: Option<String>,
    /// How it is reached, whole. A header or variable marked as secret keeps its value if none is given and
    /// the server is still the same program or at the same origin.
    pub transport: Option<Transport>,
    /// New secret values.
    pub secrets: BTreeMap<String, SecretString>,
    /// Waiting times.
    pub timeouts: Option<Timeouts>,
    /// What the ledger holds of the payloads of its calls, whole.
    pub capture: Option<Capture>,
    /// Off: registered, but neither listed, called nor contacted.
    pub enabled: Option<bool>,
}

impl Control {
    /// Changes a server.
    ///
    /// # Errors
    /// [`ControlError`]; not if the server does not answer afterwards.
    pub async fn update_server(
        &self,
        actor: &Actor,
        asked: &str,
        wanted: ServerChange,
    ) -> Result<ServerAdded, ControlError> {
        let mut change = self.change(actor).await?;
        let before = find::server(&mut change.tx, actor, asked).await?;
        let mut after = before.clone();
        if let Some(description) = wanted.description {
            after.description = text::description("description", description)?;
        }
        if let Some(transport) = wanted.transport {
            self.check_command(actor, &transport)?;
            after.transport = transport::check(transport, &wanted.secrets)?;
        }
        after.timeouts = wanted.timeouts.unwrap_or(after.timeouts);
        if let Some(wanted) = wanted.capture {
            after.capture = capture::check(wanted)?;
        }
        after.enabled = wanted.enabled.unwrap_or(after.enabled);
        change.tx.servers().update(&after).await?;
        let keep = same_place(&before.transport, &after.transport);
        let told = Told::new("server.update", &after.id).before(&before)?.after(&after)?;
        let told = told.secrets(wanted.secrets.keys());
        self.put_secrets(&mut change.tx, &after, wanted.secrets, keep).await?;
        change.commit(Touched::Everything, told).await?;
        if after.enabled {
            self.discover(after.id).await;
        }
        let detail = self.show_server(actor, &after.id.to_string()).await?;
        Ok(ServerAdded { warnings: self.warnings(&detail), detail })
    }
}

/// Whether what was meant for the one may be shown to the other. A secret does not follow a server to
/// another place: whoever moves it must know it.
fn same_place(before: &Transport, after: &Transport) -> bool {
    match (before, after) {
        (Transport::Http { url: before, .. }, Transport::Http { url: after, .. }) => {
            let origin = |url: &str| {
                url.parse::<http::Uri>().ok().map(|uri| (uri.scheme().cloned(), uri.authority().cloned()))
            };
            origin(before) == origin(after)
        }
        (
            Transport::Stdio { command: before, args: before_args, .. },
            Transport::Stdio { command: after, args: after_args, .. },
        ) => before == after && before_args == after_args,
        _ => false,
    }
}
