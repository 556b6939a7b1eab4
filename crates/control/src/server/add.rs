//! `server.add`: registers a server and asks it at once what it offers. A server that does not answer is
//! registered nevertheless, and the answer says why it did not.

use std::collections::BTreeMap;

use bailiwick_model::principal::Role;
use bailiwick_model::server::{Server, Timeouts, Transport};
use bailiwick_model::{Capture, Name, ServerId};
use bailiwick_store::WriteTx;
use secrecy::SecretString;

use super::{ServerDetail, capture, name, transport};
use crate::change::Told;
use crate::publish::Touched;
use crate::{Actor, Control, ControlError, find, text};

/// A server to register.
#[derive(Debug)]
pub struct NewServer {
    /// Its name; derived from the registry name if absent.
    pub name: Option<Name>,
    /// Its name in a registry, such as `io.github.acme/weather`.
    pub registry_name: Option<String>,
    /// The team that shall own it, by id or name; the actor's own if absent.
    pub team: Option<String>,
    /// What people read.
    pub description: String,
    /// How it is reached.
    pub transport: Transport,
    /// The values of the headers or variables that are marked as secret, by their name as written.
    pub secrets: BTreeMap<String, SecretString>,
    /// Waiting times.
    pub timeouts: Timeouts,
    /// What the ledger holds of the payloads of its calls.
    pub capture: Capture,
    /// Whether it may be used at once.
    pub enabled: bool,
}

/// A server that was registered.
#[derive(Debug)]
pub struct ServerAdded {
    /// What is known of it now.
    pub detail: ServerDetail,
    /// What the operator should know, one sentence each.
    pub warnings: Vec<String>,
}

impl Control {
    /// Registers a server.
    ///
    /// # Errors
    /// [`ControlError`]; not if the server does not answer.
    pub async fn add_server(&self, actor: &Actor, new: NewServer) -> Result<ServerAdded, ControlError> {
        let mut change = self.change(actor).await?;
        self.check_command(actor, &new.transport)?;
        let transport = transport::check(new.transport, &new.secrets)?;
        let now = self.parts().clock.now();
        let team = find::team_or_own(&mut change.tx, actor, new.team.as_deref()).await?;
        let server = Server {
            id: ServerId::new(now, &*self.parts().entropy),
            name: free_name(&mut change.tx, new.name, new.registry_name.as_deref()).await?,
            team: team.id,
            description: text::description("description", new.description)?,
            transport,
            enabled: new.enabled,
            timeouts: new.timeouts,
            capture: capture::check(new.capture)?,
            created_at: now,
        };
        change.tx.servers().insert(&server).await?;
        let told = Told::new("server.add", &server.id).after(&server)?.secrets(new.secrets.keys());
        self.put_secrets(&mut change.tx, &server, new.secrets, false).await?;
        change.commit(Touched::Everything, told).await?;
        if server.enabled {
            self.discover(server.id).await;
        }
        let detail = self.show_server(actor, &server.id.to_string()).await?;
        Ok(ServerAdded { warnings: self.warnings(&detail), detail })
    }

    /// Only administrators start programs, and only those that the operator allows.
    pub(super) fn check_command(&self, actor: &Actor, transport: &Transport) -> Result<(), ControlError> {
        let Transport::Stdio { command, .. } = transport else { return Ok(()) };
        if actor.role() != Role::Admin {
            return Err(ControlError::Forbidden { needs: Role::Admin });
        }
        let allowed = &self.parts().settings.allowed_commands;
        if allowed.is_empty() || allowed.contains(command) {
            return Ok(());
        }
        let problem = format!("{command:?} is not among upstream.allowed_commands: {}", allowed.join(", "));
        Err(ControlError::invalid("transport.command", problem))
    }

    /// What is allowed but likely a mistake.
    pub(super) fn warnings(&self, detail: &ServerDetail) -> Vec<String> {
        let Transport::Http { url, headers } = &detail.server.transport else { return Vec::new() };
        let mut warnings = Vec::new();
        if url.starts_with("http://") && !headers.is_empty() && !is_loopback(url) {
            warnings.push("its headers travel in the clear: use https".into());
        }
        if detail.failure.as_ref().is_some_and(|failure| failure.reason.contains("egress rules")) {
            let allow = "addresses of this machine and of private networks are forbidden by default: if it is \
                         meant, name its address and port in egress.allow of the gateway's settings";
            warnings.push(allow.into());
        }
        warnings
    }
}

fn is_loopback(url: &str) -> bool {
    let host = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(ToOwned::to_owned));
    host.is_some_and(|host| {
        let plain = host.trim_matches(['[', ']']);
        plain == "localhost" || plain.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// The name that was asked for, or a free one derived from the registry's.
async fn free_name(
    tx: &mut WriteTx,
    asked: Option<Name>,
    registry: Option<&str>,
) -> Result<Name, ControlError> {
    if let Some(name) = asked {
        return Ok(name);
    }
    let registry = registry.ok_or_else(|| ControlError::invalid("name", "give a name or a registry name"))?;
    let derived = name::derive(registry)
        .ok_or_else(|| ControlError::invalid("registry_name", "no name can be derived from it; give one"))?;
    if tx.servers().by_name(&derived).await?.is_none() {
        return Ok(derived);
    }
    for number in 2..100 {
        if let Some(name) = name::numbered(&derived, number)
            && tx.servers().by_name(&name).await?.is_none()
        {
            return Ok(name);
        }
    }
    Err(ControlError::Conflict(format!("the names {derived} to {derived}-99 are taken; give one")))
}
