//! `bailiwick server`.

mod add;
mod capture;
mod show;
mod update;

use bailiwick_console::wire::{List, ServerView, UpdateServer};
use clap::{Args, Subcommand};

use super::clean::clean;
use super::client::{Client, segment};
use super::failure::Failure;
use super::output::Output;

/// MCP servers behind the gateway.
#[derive(Debug, Subcommand)]
pub enum Server {
    /// Register a server, and see at once what it offers.
    #[command(after_help = add::EXAMPLES)]
    Add(Box<add::Add>),
    /// List servers.
    List,
    /// Show a server, how it is, and what it offers.
    Show(Named),
    /// Change a server.
    Update(Box<update::Update>),
    /// Set what the ledger holds of the payloads of a server's calls.
    #[command(after_help = capture::EXAMPLES)]
    Capture(Box<capture::CaptureArgs>),
    /// Ask a server now what it offers.
    Refresh(Named),
    /// Neither list nor call a server from now on.
    Disable(Named),
    /// List and call a server again.
    Enable(Named),
    /// Remove a server with its secrets, selections and grants.
    Remove(Named),
}

/// Which server is meant.
#[derive(Debug, Args)]
pub struct Named {
    /// Its name or id.
    name: String,
}

pub(super) async fn run(client: &Client, command: Server, output: &Output) -> Result<(), Failure> {
    match command {
        Server::Add(args) => add::run(client, *args, output).await,
        Server::List => {
            output.show(client.list("/servers").await?, |servers: List<ServerView>| show::list(servers.items))
        }
        Server::Show(Named { name }) => {
            output.show(client.get(&path(&name)).await?, |server| show::one(&server))
        }
        Server::Update(args) => update::run(client, *args, output).await,
        Server::Capture(args) => capture::run(client, *args, output).await,
        Server::Refresh(Named { name }) => {
            let answer = client.post(&format!("{}/refresh", path(&name)), &serde_json::json!({})).await?;
            output.show(answer, |server| show::one(&server))
        }
        Server::Disable(Named { name }) => enable(client, &name, false, output).await,
        Server::Enable(Named { name }) => enable(client, &name, true, output).await,
        Server::Remove(Named { name }) => {
            client.delete(&path(&name)).await?;
            output.done(&format!("server {} is gone", clean(&name)))
        }
    }
}

fn path(name: &str) -> String {
    format!("/servers/{}", segment(name))
}

async fn enable(client: &Client, name: &str, enabled: bool, output: &Output) -> Result<(), Failure> {
    let change = UpdateServer { enabled: Some(enabled), ..UpdateServer::default() };
    output.show(client.patch(&path(name), &change).await?, |server| show::changed(&server))
}
