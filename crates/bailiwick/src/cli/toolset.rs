//! `bailiwick toolset`.

use bailiwick_console::wire::{AddToolset, List, SelectionText, ToolsetView, UpdateToolset};
use bailiwick_model::definition::DefinitionKind;
use clap::Subcommand;

use super::clean::clean;
use super::client::{Client, segment};
use super::failure::Failure;
use super::output::Output;
use super::table::{facts, moment, or_dash, table};

/// Named selections of tools, served as one endpoint.
#[derive(Debug, Subcommand)]
pub enum Toolset {
    /// Make a toolset.
    Add {
        /// Its name, as in /toolsets/NAME/mcp.
        name: String,
        /// What it holds: SERVER, SERVER:KIND or SERVER:KIND:KEY (tool, prompt, resource, resource_template);
        /// may be said several times.
        #[arg(long = "select", value_parser = selection, value_name = "WHAT")]
        selections: Vec<SelectionText>,
        /// What people read.
        #[arg(long, default_value = "")]
        description: String,
        /// The team; your own if absent.
        #[arg(long)]
        team: Option<String>,
    },
    /// List toolsets.
    List,
    /// Show a toolset.
    Show {
        /// Its name or id.
        name: String,
    },
    /// Change a toolset.
    Update {
        /// Its name or id.
        name: String,
        /// What it holds from now on, whole; as in `add`.
        #[arg(long = "select", value_parser = selection, value_name = "WHAT")]
        selections: Vec<SelectionText>,
        /// What people read.
        #[arg(long)]
        description: Option<String>,
    },
    /// Remove a toolset with the grants on it.
    Remove {
        /// Its name or id.
        name: String,
    },
}

pub(super) async fn run(client: &Client, command: Toolset, output: &Output) -> Result<(), Failure> {
    match command {
        Toolset::Add { name, selections, description, team } => {
            let body = AddToolset { name, team, description, selections };
            output.show(client.post("/toolsets", &body).await?, text)
        }
        Toolset::List => output.show(client.list("/toolsets").await?, |toolsets: List<ToolsetView>| {
            let rows = toolsets.items.into_iter().map(|toolset| {
                let endpoint = format!("/toolsets/{}/mcp", toolset.name);
                let holds: Vec<_> = toolset.selections.iter().map(written).collect();
                [toolset.name, toolset.team, endpoint, or_dash(Some(holds.join(", ")))]
            });
            table(["name", "team", "endpoint", "holds"], rows, "there are no toolsets")
        }),
        Toolset::Show { name } => output.show(client.get(&path(&name)).await?, text),
        Toolset::Update { name, selections, description } => {
            let selections = Some(selections).filter(|selections| !selections.is_empty());
            let body = UpdateToolset { description, selections };
            output.show(client.patch(&path(&name), &body).await?, text)
        }
        Toolset::Remove { name } => {
            client.delete(&path(&name)).await?;
            output.done(&format!("toolset {} is gone", clean(&name)))
        }
    }
}

fn path(name: &str) -> String {
    format!("/toolsets/{}", segment(name))
}

fn text(toolset: ToolsetView) -> String {
    let holds: Vec<_> = toolset.selections.iter().map(written).collect();
    facts([
        ("endpoint", Some(format!("/toolsets/{}/mcp", toolset.name))),
        ("name", Some(toolset.name)),
        ("team", Some(toolset.team)),
        ("description", Some(toolset.description).filter(|text| !text.is_empty())),
        ("holds", Some(or_dash(Some(holds.join(", "))))),
        ("made", Some(moment(&toolset.created_at))),
        ("id", Some(toolset.id)),
    ])
}

fn written(selection: &SelectionText) -> String {
    let kind = selection.kind.map(|kind| format!(":{}", kind.as_str())).unwrap_or_default();
    let key = selection.key.as_ref().map(|key| format!(":{key}")).unwrap_or_default();
    format!("{}{kind}{key}", selection.server)
}

fn selection(text: &str) -> Result<SelectionText, String> {
    let mut parts = text.splitn(3, ':');
    let server = parts.next().filter(|server| !server.is_empty()).ok_or("name a server")?.to_owned();
    let kind = match parts.next() {
        None => None,
        Some(word) => Some(
            DefinitionKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == word)
                .ok_or("the kind is tool, prompt, resource or resource_template")?,
        ),
    };
    Ok(SelectionText { server, kind, key: parts.next().map(ToOwned::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_read_back_as_they_are_written() {
        for text in ["files", "files:tool", "files:tool:read_file", "files:resource:file:///a:b"] {
            assert_eq!(written(&selection(text).unwrap()), text);
        }
        for text in ["", ":tool", "files:tools"] {
            assert!(selection(text).is_err(), "{text}");
        }
    }
}
