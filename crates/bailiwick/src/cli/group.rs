//! `bailiwick group`.

use bailiwick_console::wire::{AddGroup, GroupView, List};
use clap::{Args, Subcommand};

use super::clean::clean;
use super::client::{Client, segment};
use super::failure::Failure;
use super::output::Output;
use super::table::{or_dash, table};

/// Groups of users and agents.
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Make a group.
    Add {
        /// Its name: a-z, 0-9 and '-'.
        name: String,
        /// Who shall be in it; may be said several times.
        #[arg(long = "member", value_name = "NAME")]
        members: Vec<String>,
    },
    /// List groups.
    List,
    /// Show a group.
    Show {
        /// Its name or id.
        name: String,
    },
    /// Put a user or agent into a group.
    AddMember(Member),
    /// Take a user or agent out of a group.
    RemoveMember(Member),
    /// Remove a group with the grants that it has.
    Remove {
        /// Its name or id.
        name: String,
    },
}

/// Who, and which group.
#[derive(Debug, Args)]
pub struct Member {
    /// The group's name or id.
    group: String,
    /// The user's or agent's name or id.
    principal: String,
}

pub(super) async fn run(client: &Client, command: Group, output: &Output) -> Result<(), Failure> {
    match command {
        Group::Add { name, members } => {
            output.show(client.post("/groups", &AddGroup { name, members }).await?, |group| text(&group))
        }
        Group::List => output.show(client.list("/groups").await?, |groups: List<GroupView>| {
            let rows = groups.items.into_iter().map(|group| [group.name.clone(), members(&group)]);
            table(["name", "members"], rows, "there are no groups")
        }),
        Group::Show { name } => output.show(client.get(&path(&name)).await?, |group| text(&group)),
        Group::AddMember(member) => {
            output.show(client.put(&member_path(&member)).await?, |group| text(&group))
        }
        Group::RemoveMember(member) => {
            output.show(client.delete(&member_path(&member)).await?, |group| text(&group))
        }
        Group::Remove { name } => {
            client.delete(&path(&name)).await?;
            output.done(&format!("group {} is gone", clean(&name)))
        }
    }
}

fn path(name: &str) -> String {
    format!("/groups/{}", segment(name))
}

fn member_path(member: &Member) -> String {
    format!("/groups/{}/members/{}", segment(&member.group), segment(&member.principal))
}

fn members(group: &GroupView) -> String {
    let names: Vec<_> = group.members.iter().map(|member| member.name.as_str()).collect();
    or_dash(Some(names.join(", ")))
}

fn text(group: &GroupView) -> String {
    format!("group {}: {}", clean(&group.name), clean(&members(group)))
}
