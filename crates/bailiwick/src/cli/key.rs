//! `bailiwick key`.

use std::time::Duration;

use bailiwick_console::wire::{IssueKey, IssuedKeyView, KeyView, List};
use bailiwick_model::key::Audience;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::clean::clean;
use super::client::{Client, segment};
use super::failure::Failure;
use super::lifetime;
use super::output::Output;
use super::table::{moment, or_dash, table};

/// API keys of agents and users.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key. It is shown only now.
    Issue(Issue),
    /// List keys, revoked ones included.
    List,
    /// Revoke a key, for good.
    Revoke {
        /// Its id, as `key list` shows it.
        id: String,
    },
}

/// Whose key, what it opens, and for how long.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("holder").required(true).args(["agent", "user"]))]
pub struct Issue {
    /// The agent whose it shall be.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// The user whose it shall be.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// What people call it.
    #[arg(long, default_value = "")]
    label: String,
    /// What it opens: the MCP endpoints, or the admin API.
    #[arg(long, value_enum, default_value = "mcp")]
    audience: AudienceArg,
    /// For how long: 90d, 12h, 30m. Without end if absent.
    #[arg(long, value_parser = lifetime::parse, value_name = "TIME")]
    expires: Option<Duration>,
}

/// What a key opens.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum AudienceArg {
    /// The MCP endpoints.
    Mcp,
    /// The admin API.
    Admin,
}

pub(super) async fn run(client: &Client, command: Key, output: &Output) -> Result<(), Failure> {
    match command {
        Key::Issue(issue) => {
            let answer = client.post("/keys", &body(issue)).await?;
            if !output.is_json() {
                output.note("the key is shown only now; `bailiwick key revoke` takes it back:");
            }
            output.show(answer, |issued: IssuedKeyView| clean(&issued.text))
        }
        Key::List => output.show(client.list("/keys").await?, |keys: List<KeyView>| {
            let rows = keys.items.into_iter().map(|key| {
                let state = state(&key);
                let used = or_dash(key.last_used_at.as_deref().map(moment));
                let start = format!("bwk_{}…", key.prefix);
                [start, key.principal, or_dash(Some(key.label)), key.audience, state, used, key.id]
            });
            table(["key", "whose", "label", "opens", "state", "last used", "id"], rows, "there are no keys")
        }),
        Key::Revoke { id } => {
            let answer = client.delete(&format!("/keys/{}", segment(&id))).await?;
            output.show(answer, |key: KeyView| {
                format!("key bwk_{}… of {} opens nothing any more", clean(&key.prefix), clean(&key.principal))
            })
        }
    }
}

fn body(issue: Issue) -> IssueKey {
    IssueKey {
        principal: issue.agent.or(issue.user).unwrap_or_default(),
        label: issue.label,
        audience: match issue.audience {
            AudienceArg::Mcp => Audience::Mcp,
            AudienceArg::Admin => Audience::Admin,
        },
        expires_in_seconds: issue.expires.map(|lifetime| lifetime.as_secs()),
    }
}

fn state(key: &KeyView) -> String {
    match (&key.revoked_at, &key.expires_at) {
        (Some(at), _) => format!("revoked {}", moment(at)),
        (None, Some(at)) => format!("until {}", moment(at)),
        (None, None) => "good".to_owned(),
    }
}
