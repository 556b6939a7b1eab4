//! `cargo xtask quickstart`: a governed gateway in front of real MCP servers, from a clone to the first call.
//!
//! Everything it does is what an administrator and an agent would do, by the CLI and by HTTP, and is said on the way.

mod snippets;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Settings};
use crate::place::{Place, Profile, fresh};
use crate::run::{exists, interrupted};
use crate::{http, say, setup};

/// Build, start and try a gateway with sample servers.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// End after the first call.
    #[arg(long)]
    pub(crate) once: bool,
    /// Use the debug build, which is quicker to make and slower to run.
    #[arg(long)]
    pub(crate) debug: bool,
}

/// The gateway's own default.
const PORT: u16 = 7420;
/// SIGTERM drains for at most 30 s.
const DRAIN: Duration = Duration::from_secs(40);

/// Runs it until Ctrl-C.
pub(crate) fn run(place: &Place, options: &Options) -> Result<()> {
    if !exists("node") {
        bail!("the sample server needs Node (18 or later): install it, then run this again");
    }
    let profile = if options.debug { Profile::Debug } else { Profile::Release };
    say::heading(if options.debug {
        "Building"
    } else {
        "Building the release (some minutes at the first time)"
    });
    place.build(&["bailiwick"], profile)?;

    let home = place.target.join("quickstart");
    say::heading(format_args!("Starting the gateway with a fresh embedded database in {}", home.display()));
    fresh(&home)?;
    let port = if options.once { 0 } else { PORT };
    let mut gateway = Gateway::start(Settings {
        program: place.binary("bailiwick", profile),
        home,
        port,
        durability: "os",
    })?;
    say::line(format_args!("It listens on {}", gateway.url("/")));

    let servers = register(place, &gateway)?;
    say::heading("Making the agent `quickstart` with a grant on each server, and a key");
    let key = gateway.add_agent("quickstart", &servers)?;
    try_it(&gateway, &key)?;
    show_record(&gateway)?;
    if options.once {
        return stop(&mut gateway);
    }
    say::heading("Your turn");
    say::line(snippets::text(&gateway.url("/mcp"), &key));
    say::line("\nThe gateway runs until you press Ctrl-C.");
    match gateway.child().wait() {
        Ok(status) => bail!("the gateway ended with {status}:\n{}", gateway.log()),
        Err(_) if interrupted() => {
            say::line("\nEnding the gateway");
            stop(&mut gateway)
        }
        Err(error) => Err(error),
    }
}

fn stop(gateway: &mut Gateway) -> Result<()> {
    let status = gateway.child().terminate(DRAIN)?;
    if !status.success() {
        bail!("the gateway ended with {status}:\n{}", gateway.log());
    }
    Ok(())
}

/// Registers the sample server and, where npm works, two reference servers; their names.
fn register(place: &Place, gateway: &Gateway) -> Result<Vec<&'static str>> {
    say::heading("Registering servers");
    let sample = place.root.join("examples/sample-server");
    let script = sample.join("server.mjs");
    gateway.add_stdio_server("sample", &[&sample], &["node", &script.to_string_lossy()])?;
    say::line("sample      the sample server of this repository: dates, texts, units, JSON");
    let mut servers = vec!["sample"];
    if let Err(error) = setup::npm(place) {
        say::line(format_args!(
            "The reference servers are left out, because npm does not work here: {error:#}"
        ));
        return Ok(servers);
    }
    let folder = place.root.join("examples/sample-folder");
    let packages = place.npm();
    let script = |package: &str| {
        let script = packages.join("node_modules/@modelcontextprotocol").join(package).join("dist/index.js");
        script.to_string_lossy().into_owned()
    };
    let reads: [&Path; 2] = [&packages, &folder];
    gateway.add_stdio_server("everything", &reads[..1], &["node", &script("server-everything")])?;
    say::line("everything  @modelcontextprotocol/server-everything: one of each thing that MCP has");
    gateway.add_stdio_server(
        "files",
        &reads,
        &["node", &script("server-filesystem"), &folder.to_string_lossy()],
    )?;
    say::line(format_args!("files       @modelcontextprotocol/server-filesystem on {}", folder.display()));
    servers.extend(["everything", "files"]);
    Ok(servers)
}

/// One list and one call, as an agent makes them.
fn try_it(gateway: &Gateway, key: &str) -> Result<()> {
    let url = gateway.url("/mcp");
    say::heading(format_args!("tools/list at {url}"));
    let listed = http::mcp(&url, key, "tools/list", json!({}))?;
    let tools = listed["tools"].as_array().context("the list has no tools")?;
    for tool in tools {
        let title = tool["title"].as_str().or(tool["annotations"]["title"].as_str()).unwrap_or_default();
        say::line(format_args!("{:<44} {title}", tool["name"].as_str().unwrap_or_default()));
    }
    let arguments = json!({ "from": "2026-11-23", "to": "2026-12-24" });
    say::heading(format_args!("tools/call sample__calendar_days_between {arguments}"));
    let called = http::mcp(
        &url,
        key,
        "tools/call",
        json!({ "name": "sample__calendar_days_between", "arguments": arguments }),
    )?;
    let answer = &called["structuredContent"];
    say::line(answer);
    if answer["days"] != 31 {
        bail!("31 days were expected, the answer is {called}");
    }
    Ok(())
}

/// The records of the last call: what was about to be done, and how it ended.
fn show_record(gateway: &Gateway) -> Result<()> {
    say::heading("The ledger's records of that call (bailiwick audit tail)");
    let records = gateway.last_records(4)?;
    let is_intent = |record: &&Value| record["kind"] == "intent" && record["what"]["method"] == "tools/call";
    let intent = records.iter().rev().find(is_intent).context("the call has no intent in the ledger")?;
    let of_call = |record: &&Value| record["call"] == intent["call"];
    let call: Vec<_> = records.iter().filter(of_call).collect();
    for record in &call {
        say::line(serde_json::to_string_pretty(record)?);
    }
    if call.len() != 2 {
        bail!("a call has two records, an intent and an outcome, and this one has {}", call.len());
    }
    Ok(())
}
