//! The command line: nouns, then verbs (`bailiwick server add`). [`Command::Serve`] runs the gateway; everything
//! else is a client of a running gateway's admin API, or works on files alone ([`run`]).
//!
//! What comes from the gateway may have been written by a hostile server, so no control character of it
//! reaches the terminal (`clean`). Secrets are read from the environment or files, never from arguments, which
//! every process on the machine can read.

mod audit;
mod backup;
mod clean;
mod client;
mod config;
mod credentials;
mod environment;
mod failure;
mod grant;
mod group;
mod key;
mod lifetime;
mod login;
mod output;
mod principal;
mod restore;
mod server;
mod settings;
mod table;
mod team;
mod toolset;
mod value;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use client::Client;
pub use failure::Failure;
use output::Output;
pub use settings::load_settings;

/// The control plane between AI agents and MCP servers.
#[derive(Debug, Parser)]
#[command(name = "bailiwick", version, about, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Print JSON instead of tables and sentences.
    #[arg(long, global = true)]
    pub json: bool,
    /// The gateway to talk to [env: BAILIWICK_URL; default: the one of `bailiwick login`, else
    /// http://127.0.0.1:7420].
    #[arg(long, global = true, value_name = "URL")]
    pub gateway: Option<String>,
    /// Further certificate authorities to trust when talking to the gateway, as PEM
    /// [env: BAILIWICK_CA_FILE].
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway.
    Serve(ServeArgs),
    /// Anything else.
    #[command(flatten)]
    Noun(Noun),
}

/// Arguments of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The settings file [default: ./bailiwick.toml, if there is one].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Everything that does not run the gateway.
#[derive(Debug, Subcommand)]
pub enum Noun {
    /// Exchange a one-time login link for a key, and keep the key for later commands.
    Login(login::Login),
    /// MCP servers behind the gateway.
    #[command(subcommand)]
    Server(server::Server),
    /// Named selections of tools, served as one endpoint.
    #[command(subcommand)]
    Toolset(toolset::Toolset),
    /// Agents: workloads with an identity of their own.
    #[command(subcommand)]
    Agent(principal::Agent),
    /// Users: people.
    #[command(subcommand)]
    User(principal::User),
    /// Groups of users and agents.
    #[command(subcommand)]
    Group(group::Group),
    /// Teams: who owns what.
    #[command(subcommand)]
    Team(team::Team),
    /// Grants: who may use what.
    #[command(subcommand)]
    Grant(grant::Grant),
    /// API keys of agents and users.
    #[command(subcommand)]
    Key(key::Key),
    /// The audit ledger.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Back up state, ledger and keys, of a running gateway or of a stopped one.
    Backup(backup::Backup),
    /// Restore a backup into an empty data directory.
    Restore(restore::Restore),
    /// The settings file.
    #[command(subcommand)]
    Config(config::Config),
}

/// Does what is no `serve`, and says how it went. Makes its own runtime: call it outside of one.
pub fn run(global: &Global, noun: Noun) -> ExitCode {
    let output = Output::new(global.json);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(global, noun, &output)),
        Err(error) => Err(Failure::other(format!("no runtime: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(global: &Global, noun: Noun, output: &Output) -> Result<(), Failure> {
    let client = || Client::new(global);
    match noun {
        Noun::Login(args) => login::run(global, args, output).await,
        Noun::Server(command) => server::run(&client()?, command, output).await,
        Noun::Toolset(command) => toolset::run(&client()?, command, output).await,
        Noun::Agent(command) => principal::run_agent(&client()?, command, output).await,
        Noun::User(command) => principal::run_user(&client()?, command, output).await,
        Noun::Group(command) => group::run(&client()?, command, output).await,
        Noun::Team(command) => team::run(&client()?, command, output).await,
        Noun::Grant(command) => grant::run(&client()?, command, output).await,
        Noun::Key(command) => key::run(&client()?, command, output).await,
        Noun::Audit(command) => audit::run(client, command, output).await,
        Noun::Backup(args) => backup::run(client, &args, output).await,
        Noun::Restore(args) => restore::run(&args, output),
        Noun::Config(command) => config::run(&command, output),
    }
}

#[cfg(test)]
mod tests;
