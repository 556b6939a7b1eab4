//! `bailiwick server add`.

use std::collections::BTreeMap;

use bailiwick_console::wire::{AddServer, Confinement, Transport, Value};
use bailiwick_model::server::Sharing;
use clap::{ArgGroup, Args, ValueEnum};

use super::super::client::Client;
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::value::{self, Assignment};
use super::show;

pub(super) const EXAMPLES: &str = "\
Examples:
  bailiwick server add crm --url https://crm.example/mcp --header Authorization=env:CRM_TOKEN
  bailiwick server add files --stdio --allow-read /data -- npx -y @modelcontextprotocol/server-filesystem /data";

/// The server to register.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("transport").required(true).args(["url", "stdio"]))]
pub struct Add {
    /// Its name: a-z, 0-9 and '-'. Derived from --registry-name if absent.
    #[arg(required_unless_present = "registry_name")]
    name: Option<String>,
    /// Its name in a registry, such as io.github.acme/weather.
    #[arg(long, value_name = "NAME")]
    registry_name: Option<String>,
    /// The MCP endpoint of a server that speaks Streamable HTTP.
    #[arg(long, value_name = "URL", conflicts_with_all = ["env", "cwd", "command"])]
    url: Option<String>,
    /// A header for the server: NAME=env:VARIABLE, NAME=file:PATH (secret) or NAME=plain:TEXT.
    #[arg(long = "header", value_parser = value::parse, value_name = "HEADER", conflicts_with = "stdio")]
    headers: Vec<Assignment>,
    /// The server is a program, named behind `--`.
    #[arg(long, requires = "command")]
    stdio: bool,
    /// A variable for the program: NAME=env:VARIABLE, NAME=file:PATH (secret) or NAME=plain:TEXT.
    #[arg(long = "env", id = "env", value_parser = value::parse, value_name = "VARIABLE")]
    variables: Vec<Assignment>,
    /// The program's working directory; a private empty one if absent.
    #[arg(long, value_name = "FOLDER")]
    cwd: Option<String>,
    /// Who may share a process of it.
    #[arg(long, value_enum, default_value = "principal")]
    sharing: SharingArg,
    /// What the process may reach.
    #[command(flatten)]
    reach: Reach,
    /// What people read.
    #[arg(long, default_value = "")]
    description: String,
    /// The team; your own if absent.
    #[arg(long)]
    team: Option<String>,
    /// Register it, but neither list nor call it yet.
    #[arg(long)]
    disabled: bool,
    /// The program and its arguments.
    #[arg(last = true, value_name = "COMMAND", requires = "stdio")]
    command: Vec<String>,
}

/// What the process may reach.
#[derive(Debug, Clone, Default, Args)]
struct Reach {
    /// A folder or file that the program may read; may be said several times.
    #[arg(long, value_name = "PATH")]
    allow_read: Vec<String>,
    /// A folder that the program may write; may be said several times.
    #[arg(long, value_name = "PATH")]
    allow_write: Vec<String>,
    /// The program may open network connections.
    #[arg(long)]
    allow_network: bool,
    /// Most memory of the program, in megabytes.
    #[arg(long, value_name = "MB")]
    memory_mb: Option<u64>,
}

/// Who may share a process.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum SharingArg {
    /// Each user and agent has a process of its own.
    #[default]
    Principal,
    /// All share one, which keeps no state of its callers.
    Stateless,
}

pub(super) async fn run(client: &Client, args: Add, output: &Output) -> Result<(), Failure> {
    output.show(client.post("/servers", &body(args)?).await?, show::added)
}

fn body(args: Add) -> Result<AddServer, Failure> {
    let transport = match args.url {
        Some(url) => Transport::Http { url, headers: resolve(args.headers)? },
        None => {
            let mut words = args.command.into_iter();
            Transport::Stdio {
                command: words.next().ok_or_else(|| Failure::other("name a program behind `--`"))?,
                args: words.collect(),
                env: resolve(args.variables)?,
                cwd: args.cwd,
                sharing: match args.sharing {
                    SharingArg::Principal => Sharing::Principal,
                    SharingArg::Stateless => Sharing::Stateless,
                },
                confinement: Confinement {
                    read: args.reach.allow_read,
                    write: args.reach.allow_write,
                    network: args.reach.allow_network,
                    memory_mb: args.reach.memory_mb,
                },
            }
        }
    };
    Ok(AddServer {
        name: args.name,
        registry_name: args.registry_name,
        team: args.team,
        description: args.description,
        transport,
        timeouts: None,
        capture: None,
        enabled: !args.disabled,
    })
}

pub(super) fn resolve(given: Vec<Assignment>) -> Result<BTreeMap<String, Value>, Failure> {
    given.into_iter().map(Assignment::resolve).collect()
}
