//! `cargo xtask e2e`: the official TypeScript and Python SDKs as clients, server-everything and server-filesystem as
//! servers, the gateway between. The clients are scripts under `xtask/e2e/`; each asserts and exits.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::gateway::{Gateway, Settings};
use crate::place::{Place, Profile};
use crate::run::Run;
use crate::{say, setup};

/// The tools of server-filesystem that the agent is granted; it has many more.
const GRANTED: &[&str] = &["read_text_file", "list_directory"];

/// Runs it with debug builds, which have to be there. Returns what was left out.
pub(crate) fn run(place: &Place) -> Result<Vec<String>> {
    let Some(programs) = setup::npm_programs(place) else {
        return Ok(vec!["the npm packages are not installed".to_owned()]);
    };
    let scratch = place.scratch("e2e")?;
    let program = place.binary("bailiwick", Profile::Debug);
    let gateway =
        Gateway::start(Settings { program, home: scratch.path().to_owned(), port: 0, durability: "os" })?;
    let folder = place.root.join("examples/sample-folder");
    let node = place.npm().join("node_modules/node/bin/node");
    add(&gateway, "everything", place, &node, &[])?;
    add(&gateway, "files", place, &node, &[&folder])?;
    let key = gateway.add_agent("sdk", &["everything"])?;
    for tool in GRANTED {
        gateway.json(&["grant", "add", "--agent", "sdk", "--server", "files", "--tool", tool])?;
    }

    let client = |run: Run| {
        run.env("GATEWAY", gateway.url(""))
            .env("KEY", &key)
            .env("FOLDER", &folder)
            .status()
            .map_err(|error| error.context(format!("the gateway's log ends with:\n{}", gateway.log())))
    };
    client(Run::new(programs.join("node")).dir(&place.npm()).arg(place.root.join("xtask/e2e/client.mjs")))?;
    let Some(python) = setup::python_program(place) else {
        say::line("SKIPPED: the Python SDK is not installed");
        return Ok(vec!["the Python SDK is not installed".to_owned()]);
    };
    for era in ["legacy", "2026-07-28"] {
        client(Run::new(&python).arg(place.root.join("xtask/e2e/client.py")).arg(era))?;
    }
    Ok(Vec::new())
}

/// Registers a reference server that npm has installed.
fn add(gateway: &Gateway, name: &str, place: &Place, node: &Path, folders: &[&PathBuf]) -> Result<()> {
    let package = if name == "files" { "server-filesystem" } else { "server-everything" };
    let script = place.npm().join("node_modules/@modelcontextprotocol").join(package).join("dist/index.js");
    let command: Vec<_> = [node, &script]
        .into_iter()
        .chain(folders.iter().map(|folder| folder.as_path()))
        .map(Path::to_string_lossy)
        .collect();
    let command: Vec<&str> = command.iter().map(AsRef::as_ref).collect();
    let mut read = vec![place.npm()];
    read.extend(folders.iter().map(|folder| (*folder).clone()));
    let read: Vec<&Path> = read.iter().map(PathBuf::as_path).collect();
    gateway.add_stdio_server(name, &read, &command)
}
