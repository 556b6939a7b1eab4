//! `bailiwick agent` and `bailiwick user`.

use bailiwick_console::wire::{AddPrincipal, List, LoginLinkView, MakeLink, PrincipalView, UpdatePrincipal};
use bailiwick_model::principal::{PrincipalKind, Role};
use clap::{Args, Subcommand, ValueEnum};

use super::clean::clean;
use super::client::{Client, segment};
use super::failure::Failure;
use super::output::Output;
use super::table::{facts, moment, or_dash, table, yes_no};

/// Agents: workloads with an identity of their own.
#[derive(Debug, Subcommand)]
pub enum Agent {
    /// Make an agent.
    Add(Add),
    /// List agents.
    List,
    /// Show an agent.
    Show(Named),
    /// Refuse every credential of an agent from now on.
    Disable(Named),
    /// Accept an agent's credentials again.
    Enable(Named),
}

/// Users: people.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Make a user.
    Add {
        /// Who.
        #[command(flatten)]
        add: Add,
        /// What the user may do on the admin API.
        #[arg(long, value_enum, default_value = "member")]
        role: RoleArg,
    },
    /// List users.
    List,
    /// Show a user.
    Show(Named),
    /// Refuse every credential of a user from now on.
    Disable(Named),
    /// Accept a user's credentials again.
    Enable(Named),
    /// Change what a user may do on the admin API.
    Role {
        /// The user's name or id.
        name: String,
        /// The new role.
        #[arg(value_enum)]
        role: RoleArg,
    },
    /// Make a one-time login link for a user with the role auditor or admin.
    Link(Named),
}

/// Whom to make.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Add {
    /// The name: letters, digits and '-_.@+'.
    name: String,
    /// What people read.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// The team; your own if absent.
    #[arg(long)]
    team: Option<String>,
}

/// Who is meant.
#[derive(Debug, Args)]
pub struct Named {
    /// The name or id.
    name: String,
}

/// What somebody may do on the admin API.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleArg {
    /// Nothing there.
    Member,
    /// Read everything.
    Auditor,
    /// Everything.
    Admin,
}

impl From<RoleArg> for Role {
    fn from(from: RoleArg) -> Self {
        match from {
            RoleArg::Member => Self::Member,
            RoleArg::Auditor => Self::Auditor,
            RoleArg::Admin => Self::Admin,
        }
    }
}

pub(super) async fn run_agent(client: &Client, command: Agent, output: &Output) -> Result<(), Failure> {
    match command {
        Agent::Add(args) => {
            let answer = client.post("/principals", &body(args, PrincipalKind::Agent, Role::Member)).await?;
            output.show(answer, |agent: PrincipalView| {
                let name = clean(&agent.name);
                format!("agent {name} is there\nnext: bailiwick key issue --agent {name}, and bailiwick grant add --agent {name} --server …")
            })
        }
        Agent::List => list(client, "agent", output).await,
        Agent::Show(named) => show(client, &named.name, output).await,
        Agent::Disable(named) => enable(client, &named.name, false, output).await,
        Agent::Enable(named) => enable(client, &named.name, true, output).await,
    }
}

pub(super) async fn run_user(client: &Client, command: User, output: &Output) -> Result<(), Failure> {
    match command {
        User::Add { add, role } => {
            let answer = client.post("/principals", &body(add, PrincipalKind::User, role.into())).await?;
            output.show(answer, |user: PrincipalView| format!("user {} is there", clean(&user.name)))
        }
        User::List => list(client, "user", output).await,
        User::Show(named) => show(client, &named.name, output).await,
        User::Disable(named) => enable(client, &named.name, false, output).await,
        User::Enable(named) => enable(client, &named.name, true, output).await,
        User::Role { name, role } => {
            let change = UpdatePrincipal { role: Some(role.into()), ..UpdatePrincipal::default() };
            update(client, &name, &change, output).await
        }
        User::Link(named) => {
            let answer = client.post("/links", &MakeLink { user: named.name }).await?;
            output.show(answer, |link: LoginLinkView| {
                let (url, user, end) = (clean(&link.url), clean(&link.user), moment(&link.expires_at));
                format!("{url}\nlets {user} in once, until {end}; it is shown only now")
            })
        }
    }
}

fn body(args: Add, kind: PrincipalKind, role: Role) -> AddPrincipal {
    AddPrincipal { kind, name: args.name, display_name: args.display_name, team: args.team, role }
}

async fn list(client: &Client, kind: &str, output: &Output) -> Result<(), Failure> {
    let answer = client.list(&format!("/principals?kind={kind}")).await?;
    output.show(answer, |found: List<PrincipalView>| {
        let rows = found.items.into_iter().map(|one| {
            [
                one.name,
                one.display_name,
                one.team,
                one.role,
                yes_no(one.enabled),
                or_dash(Some(one.groups.join(", "))),
            ]
        });
        table(
            ["name", "reads as", "team", "role", "enabled", "groups"],
            rows,
            &format!("there are no {kind}s"),
        )
    })
}

async fn show(client: &Client, name: &str, output: &Output) -> Result<(), Failure> {
    output.show(client.get(&format!("/principals/{}", segment(name))).await?, text)
}

async fn enable(client: &Client, name: &str, enabled: bool, output: &Output) -> Result<(), Failure> {
    let change = UpdatePrincipal { enabled: Some(enabled), ..UpdatePrincipal::default() };
    update(client, name, &change, output).await
}

async fn update(
    client: &Client,
    name: &str,
    change: &UpdatePrincipal,
    output: &Output,
) -> Result<(), Failure> {
    output.show(client.patch(&format!("/principals/{}", segment(name)), change).await?, text)
}

fn text(one: PrincipalView) -> String {
    facts([
        ("name", Some(one.name)),
        ("kind", Some(one.kind)),
        ("reads as", Some(one.display_name)),
        ("team", Some(one.team)),
        ("role", Some(one.role)),
        ("enabled", Some(yes_no(one.enabled))),
        ("groups", Some(or_dash(Some(one.groups.join(", "))))),
        ("issuer", Some(one.issuer)),
        ("made", Some(moment(&one.created_at))),
        ("id", Some(one.id)),
    ])
}
