//! What a record of a change took away: so that it can be taken away again from an older state.
//!
//! Only what takes away is done again. What gave is lost with a restore, and somebody notices; what took away would
//! come back to life, and nobody would.

use bailiwick_model::body_key::BodyKey;
use bailiwick_model::principal::{Group, Principal, Role};
use bailiwick_model::server::Server;
use bailiwick_model::{GrantId, GroupId, KeyId, PrincipalId, ServerId, ToolsetId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Something that was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Withdrawal {
    /// A key was revoked.
    Key {
        /// Which.
        id: KeyId,
    },
    /// A grant was revoked.
    Grant {
        /// Which.
        id: GrantId,
    },
    /// A principal was switched off or has a weaker role.
    Principal {
        /// Which.
        id: PrincipalId,
        /// Whether it was still on.
        enabled: bool,
        /// The role that it had then.
        role: Role,
    },
    /// A principal was taken out of a group.
    Member {
        /// The group.
        group: GroupId,
        /// The principal.
        id: PrincipalId,
    },
    /// A group was removed.
    Group {
        /// Which.
        id: GroupId,
    },
    /// A server was switched off.
    ServerOff {
        /// Which.
        id: ServerId,
    },
    /// A server was removed.
    Server {
        /// Which.
        id: ServerId,
    },
    /// Keys for bodies were destroyed.
    Bodies {
        /// Which, each with how it came to its end.
        keys: Vec<BodyKey>,
    },
    /// A toolset was removed.
    Toolset {
        /// Which.
        id: ToolsetId,
    },
}

/// What a change took away.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// This, which may be nothing.
    Known(Vec<Withdrawal>),
    /// Nobody can tell from the record alone: an administrator has to look.
    Unclear,
}

/// Operations that take nothing away.
const GIVES: [&str; 16] = [
    "agent.add",
    "user.add",
    "team.add",
    "group.add",
    "group.add_member",
    "server.add",
    "toolset.add",
    "grant.add",
    "key.issue",
    "link.make",
    "link.open",
    "bootstrap",
    "backup.take",
    "bodies.read",
    "restore",
    "change.failed",
];

/// What an `admin_change` record took away. Links are no matter: a restored gateway forgets them all.
pub(super) fn taken(record: &Value) -> Taken {
    let operation = record["operation"].as_str().unwrap_or_default();
    if GIVES.contains(&operation) || operation.starts_with("audit.") || operation.starts_with("ledger.") {
        return Taken::Known(Vec::new());
    }
    read(operation, record).map_or(Taken::Unclear, Taken::Known)
}

fn read(operation: &str, record: &Value) -> Option<Vec<Withdrawal>> {
    let object = record["object"].as_str()?;
    let one = |withdrawal| Some(vec![withdrawal]);
    match operation {
        "key.revoke" => one(Withdrawal::Key { id: object.parse().ok()? }),
        "grant.revoke" => one(Withdrawal::Grant { id: object.parse().ok()? }),
        "group.remove" => one(Withdrawal::Group { id: object.parse().ok()? }),
        "server.remove" => one(Withdrawal::Server { id: object.parse().ok()? }),
        "toolset.remove" => one(Withdrawal::Toolset { id: object.parse().ok()? }),
        "bodies.erase" => bodies(record),
        "agent.update" | "user.update" => {
            let (before, after): (Principal, Principal) = both(record)?;
            let weaker = after.role < before.role || (before.enabled && !after.enabled);
            let id = after.id;
            Some(if weaker {
                vec![Withdrawal::Principal { id, enabled: after.enabled, role: after.role }]
            } else {
                Vec::new()
            })
        }
        "group.remove_member" => {
            let (before, after): (Group, Group) = both(record)?;
            let gone = before.members.into_iter().filter(|id| !after.members.contains(id));
            Some(gone.map(|id| Withdrawal::Member { group: after.id, id }).collect())
        }
        "server.update" => server(record),
        _ => None,
    }
}

/// Keys for bodies that were destroyed; an erasure may have found none.
fn bodies(record: &Value) -> Option<Vec<Withdrawal>> {
    let keys = Vec::<BodyKey>::deserialize(record.get("after")?.get("keys")?).ok()?;
    if keys.iter().any(|key| key.destroyed.is_none()) {
        return None;
    }
    Some(if keys.is_empty() { Vec::new() } else { vec![Withdrawal::Bodies { keys }] })
}

/// A server that was only switched or described anew. One that moved or has other secrets now is for somebody to look
/// at: the old place and the old secrets are back.
fn server(record: &Value) -> Option<Vec<Withdrawal>> {
    if record["after"].get("secrets_set").is_some() {
        return None;
    }
    let (before, after): (Server, Server) = both(record)?;
    let moved = before.transport != after.transport;
    match (moved, before.enabled && !after.enabled) {
        (_, true) => Some(vec![Withdrawal::ServerOff { id: after.id }]),
        (true, false) => None,
        (false, false) => Some(Vec::new()),
    }
}

fn both<T: DeserializeOwned>(record: &Value) -> Option<(T, T)> {
    let read = |member: &str| T::deserialize(record.get(member)?).ok();
    Some((read("before")?, read("after")?))
}
