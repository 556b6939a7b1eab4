//! `bailiwick server update`: reads the server, changes what is said, and writes it back.

use bailiwick_console::wire::{ServerView, Timeouts, Transport, UpdateServer};
use clap::Args;

use super::super::client::Client;
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::value::{self, Assignment};
use super::add::resolve;
use super::{path, show};

/// What shall be different.
#[derive(Debug, Args)]
pub struct Update {
    /// The server's name or id.
    name: String,
    /// What people read.
    #[arg(long)]
    description: Option<String>,
    /// Another MCP endpoint. At another origin its secrets have to be given anew.
    #[arg(long)]
    url: Option<String>,
    /// A new or changed header (HTTP), as in `add`.
    #[arg(long = "header", value_parser = value::parse, value_name = "HEADER")]
    headers: Vec<Assignment>,
    /// A new or changed variable (stdio), as in `add`.
    #[arg(long = "env", value_parser = value::parse, value_name = "VARIABLE")]
    env: Vec<Assignment>,
    /// A header or variable to take away.
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Time to connect or start, in milliseconds.
    #[arg(long, value_name = "MS")]
    connect_ms: Option<u64>,
    /// Time to the first byte of an answer, in milliseconds.
    #[arg(long, value_name = "MS")]
    first_byte_ms: Option<u64>,
    /// Time between two pieces of an answer, in milliseconds.
    #[arg(long, value_name = "MS")]
    idle_ms: Option<u64>,
}

pub(super) async fn run(client: &Client, args: Update, output: &Output) -> Result<(), Failure> {
    let path = path(&args.name);
    let now: ServerView = serde_json::from_value(client.get(&path).await?)
        .map_err(|_| Failure::other("the gateway's answer is not understood"))?;
    output.show(client.patch(&path, &body(args, now)?).await?, show::added)
}

fn body(args: Update, now: ServerView) -> Result<UpdateServer, Failure> {
    let timeouts = Timeouts {
        connect_ms: args.connect_ms.unwrap_or(now.timeouts.connect_ms),
        first_byte_ms: args.first_byte_ms.unwrap_or(now.timeouts.first_byte_ms),
        idle_ms: args.idle_ms.unwrap_or(now.timeouts.idle_ms),
    };
    let untimed = args.connect_ms.or(args.first_byte_ms).or(args.idle_ms).is_none();
    let untouched =
        args.url.is_none() && args.headers.is_empty() && args.env.is_empty() && args.without.is_empty();
    let mut transport = now.transport;
    match &mut transport {
        Transport::Http { url, headers } => {
            if !args.env.is_empty() {
                return Err(Failure::other("this server is reached by HTTP: it has headers, no variables"));
            }
            if let Some(other) = args.url {
                *url = other;
            }
            headers
                .extend(resolve(args.headers)?.into_iter().map(|(name, v)| (name.to_ascii_lowercase(), v)));
            headers.retain(|name, _| !args.without.iter().any(|gone| gone.eq_ignore_ascii_case(name)));
        }
        Transport::Stdio { env, .. } => {
            if args.url.is_some() || !args.headers.is_empty() {
                return Err(Failure::other(
                    "this server is a program: it has variables, no URL and no headers",
                ));
            }
            env.extend(resolve(args.env)?);
            env.retain(|name, _| !args.without.contains(name));
        }
    }
    Ok(UpdateServer {
        description: args.description,
        transport: (!untouched).then_some(transport),
        timeouts: (!untimed).then_some(timeouts),
        capture: None,
        enabled: None,
    })
}
