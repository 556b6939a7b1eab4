//! `server show`: a server, how it is, and what it offers.

use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::server::Server;
use bailiwick_model::{Name, Timestamp};
use bailiwick_store::{DiscoveryFailure, ReadTx};
use bailiwick_upstream::{Health, State};

use crate::{Actor, Control, ControlError, find};

/// A server with everything that is known of it, secrets excepted.
#[derive(Debug, Clone)]
pub struct ServerDetail {
    /// The server as registered.
    pub server: Server,
    /// The name of the team that owns it.
    pub team: Name,
    /// How it is on this node; none if it is disabled.
    pub health: Option<ServerHealth>,
    /// What it offered when last asked; none before the first answer.
    pub discovery: Option<DiscoverySummary>,
    /// Why it did not answer when last asked.
    pub failure: Option<DiscoveryFailure>,
}

/// How a server is on this node.
#[derive(Debug, Clone)]
pub struct ServerHealth {
    /// `up`, `down` or `unknown`.
    pub state: &'static str,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What went wrong last, in the gateway's own words.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
    /// Processes that run now.
    pub children: usize,
    /// Messages that it sent and nobody waited for.
    pub strays: u64,
    /// Which parts of its processes' confinement hold here; none before the first process.
    pub confinement: Option<serde_json::Value>,
}

impl From<Health> for ServerHealth {
    fn from(from: Health) -> Self {
        Self {
            state: match from.state {
                State::Unknown => "unknown",
                State::Up => "up",
                State::Down => "down",
            },
            since: from.since,
            last_error: from.last_error,
            last_error_at: from.last_error_at,
            children: from.children,
            strays: from.strays,
            confinement: from.confinement.and_then(|report| serde_json::to_value(report).ok()),
        }
    }
}

/// What a server offered when last asked.
#[derive(Debug, Clone)]
pub struct DiscoverySummary {
    /// When.
    pub at: Timestamp,
    /// The protocol revisions that it speaks, as dates.
    pub eras: Vec<String>,
    /// Its definitions: kind and key, in its own order.
    pub definitions: Vec<(DefinitionKind, String)>,
    /// What was left out, and why.
    pub dropped: Vec<String>,
}

impl Control {
    /// One server.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn show_server(&self, actor: &Actor, asked: &str) -> Result<ServerDetail, ControlError> {
        actor.may_read()?;
        let mut tx = self.parts().store.read().await?;
        let server = find::server(&mut tx, actor, asked).await?;
        self.detail(&mut tx, server).await
    }

    pub(super) async fn detail(&self, tx: &mut ReadTx, server: Server) -> Result<ServerDetail, ControlError> {
        let state = tx.discoveries().get(server.id).await?;
        let (last_good, failure) = state.map_or((None, None), |state| (state.last_good, state.failure));
        let discovery = last_good.map(|good| DiscoverySummary {
            at: good.discovered_at,
            eras: good.discovery.eras,
            definitions: good
                .discovery
                .definitions
                .into_iter()
                .map(|found| (found.kind, found.key))
                .collect(),
            dropped: good.discovery.dropped,
        });
        Ok(ServerDetail {
            team: find::team_name(tx, server.team).await?,
            health: self.parts().upstreams.health(server.id).map(ServerHealth::from),
            server,
            discovery,
            failure,
        })
    }
}
