//! `bailiwick grant`.

use std::time::Duration;

use bailiwick_console::wire::{AddGrant, GrantView, List, ScopeText};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::Action;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::clean::clean;
use super::client::{Client, segment};
use super::failure::Failure;
use super::lifetime;
use super::output::Output;
use super::table::{moment, or_dash, table};

/// Grants: who may use what.
#[derive(Debug, Subcommand)]
pub enum Grant {
    /// Make a grant.
    Add(Box<Add>),
    /// List grants.
    List,
    /// Take a grant back.
    Revoke {
        /// Its id, as `grant list` shows it.
        id: String,
    },
}

/// Who, what, and for how long.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("grantee").required(true).args(["agent", "user", "group"]))]
#[command(group = ArgGroup::new("place").required(true).args(["server", "toolset"]))]
#[command(group = ArgGroup::new("definition").args(["tool", "prompt", "resource", "resource_template"]))]
pub struct Add {
    /// The agent that shall have it.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// The user that shall have it.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The group that shall have it.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// On everything that this server offers, or on one thing of it.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// On everything that this toolset selects.
    #[arg(long, value_name = "NAME", conflicts_with = "definition")]
    toolset: Option<String>,
    /// On this tool of the server only.
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// On this prompt of the server only.
    #[arg(long, value_name = "NAME")]
    prompt: Option<String>,
    /// On this resource of the server only.
    #[arg(long, value_name = "URI")]
    resource: Option<String>,
    /// On this resource template of the server only.
    #[arg(long, value_name = "TEMPLATE")]
    resource_template: Option<String>,
    /// To do only this: list, call, read, get.
    #[arg(long, value_enum, value_delimiter = ',')]
    actions: Vec<ActionArg>,
    /// For how long: 90d, 12h, 30m. Without end if absent.
    #[arg(long, value_parser = lifetime::parse, value_name = "TIME")]
    expires: Option<Duration>,
}

/// What can be done.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ActionArg {
    /// See it in lists.
    List,
    /// Call tools.
    Call,
    /// Read resources.
    Read,
    /// Get prompts.
    Get,
}

impl From<ActionArg> for Action {
    fn from(from: ActionArg) -> Self {
        match from {
            ActionArg::List => Self::List,
            ActionArg::Call => Self::Call,
            ActionArg::Read => Self::Read,
            ActionArg::Get => Self::Get,
        }
    }
}

pub(super) async fn run(client: &Client, command: Grant, output: &Output) -> Result<(), Failure> {
    match command {
        Grant::Add(add) => output.show(client.post("/grants", &body(*add)).await?, |grant: GrantView| {
            let actions = grant.actions.join(", ");
            format!(
                "{} may {actions} on {}: {}",
                clean(&grant.grantee),
                clean(&scope(&grant.scope)),
                grant.id
            )
        }),
        Grant::List => output.show(client.list("/grants").await?, |grants: List<GrantView>| {
            let rows = grants.items.into_iter().map(|grant| {
                let grantee = format!("{} {}", grant.grantee_type, grant.grantee);
                let end = or_dash(grant.expires_at.as_deref().map(moment));
                [grantee, scope(&grant.scope), grant.actions.join(","), end, grant.id]
            });
            table(
                ["who", "on", "actions", "ends", "id"],
                rows,
                "there are no grants, so nobody may use anything",
            )
        }),
        Grant::Revoke { id } => {
            client.delete(&format!("/grants/{}", segment(&id))).await?;
            output.done(&format!("grant {} is taken back", clean(&id)))
        }
    }
}

fn body(add: Add) -> AddGrant {
    let definition = [
        (DefinitionKind::Tool, add.tool),
        (DefinitionKind::Prompt, add.prompt),
        (DefinitionKind::Resource, add.resource),
        (DefinitionKind::ResourceTemplate, add.resource_template),
    ];
    let definition = definition.into_iter().find_map(|(kind, key)| Some((kind, key?)));
    let server = add.server.unwrap_or_default();
    let scope = match (add.toolset, definition) {
        (Some(toolset), _) => ScopeText::Toolset { toolset },
        (None, Some((kind, key))) => ScopeText::Definition { server, kind, key },
        (None, None) => ScopeText::Server { server },
    };
    AddGrant {
        principal: add.agent.or(add.user),
        group: add.group,
        scope,
        actions: add.actions.into_iter().map(Into::into).collect(),
        expires_in_seconds: add.expires.map(|lifetime| lifetime.as_secs()),
    }
}

fn scope(scope: &ScopeText) -> String {
    match scope {
        ScopeText::Server { server } => format!("server {server}"),
        ScopeText::Toolset { toolset } => format!("toolset {toolset}"),
        ScopeText::Definition { server, kind, key } => format!("{} {key} of {server}", kind.as_str()),
    }
}
