//! `bailiwick team`.

use bailiwick_console::wire::{AddTeam, List, TeamView};
use clap::Subcommand;

use super::client::Client;
use super::failure::Failure;
use super::output::Output;
use super::table::{moment, table};

/// Teams: who owns what.
#[derive(Debug, Subcommand)]
pub enum Team {
    /// Make a team.
    Add {
        /// Its name: a-z, 0-9 and '-'.
        name: String,
    },
    /// List teams.
    List,
}

pub(super) async fn run(client: &Client, command: Team, output: &Output) -> Result<(), Failure> {
    match command {
        Team::Add { name } => {
            let answer = client.post("/teams", &AddTeam { name }).await?;
            output.show(answer, |team: TeamView| format!("team {} is there", team.name))
        }
        Team::List => output.show(client.list("/teams").await?, |teams: List<TeamView>| {
            let rows = teams.items.into_iter().map(|team| [team.name, moment(&team.created_at), team.id]);
            table(["name", "made", "id"], rows, "there are no teams")
        }),
    }
}
