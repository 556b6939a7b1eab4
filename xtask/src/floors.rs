//! `cargo xtask floors`: holds the crates to the floor plan.
//!
//! Cargo itself refuses cycles; this refuses every edge between our crates that the table does not list, and every use of a
//! foreign crate that belongs to one room. The table is the one in ARCHITECTURE.md.

mod table;

use std::path::Path;

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use self::table::{EVERYTHING, NEVER, OWNED, PREFIX, ROOMS, Room};
use crate::say;

/// One crate depends on another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    from: String,
    to: String,
    kind: DependencyKind,
}

/// Checks the workspace at `root`.
pub(crate) fn run(root: &Path) -> Result<()> {
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let edges = edges(&metadata);
    let mut wrong = strangers(&metadata);
    wrong.extend(edges.iter().filter_map(forbidden));
    if !wrong.is_empty() {
        bail!("the floor plan is broken:\n  {}", wrong.join("\n  "));
    }
    say::line(format_args!(
        "{} dependencies of {} crates keep to the floor plan",
        edges.len(),
        rooms(&metadata).count()
    ));
    Ok(())
}

fn rooms(metadata: &Metadata) -> impl Iterator<Item = &str> {
    metadata.packages.iter().map(|package| short(&package.name))
}

/// Crates that the table does not know.
fn strangers(metadata: &Metadata) -> Vec<String> {
    let unknown = rooms(metadata).filter(|name| room(name).is_none());
    unknown.map(|name| format!("`{name}` has no row in the table: xtask/src/floors/table.rs")).collect()
}

fn edges(metadata: &Metadata) -> Vec<Edge> {
    let of = |package: &cargo_metadata::Package| {
        let from = short(&package.name).to_owned();
        package
            .dependencies
            .iter()
            .map(|to| Edge { from: from.clone(), to: to.name.clone(), kind: to.kind })
            .collect::<Vec<_>>()
    };
    metadata.packages.iter().flat_map(of).collect()
}

/// The name of a crate's room.
fn short(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// Why an edge must not be, if so.
fn forbidden(edge: &Edge) -> Option<String> {
    let from = room(&edge.from)?;
    let development = edge.kind == DependencyKind::Development;
    if let Some(to) = room(short(&edge.to)) {
        let listed = match from.may_import {
            EVERYTHING => !NEVER.contains(&to.name),
            rooms => rooms.contains(&to.name),
        };
        let allowed = listed && to.floor < from.floor || development && to.name == "testkit";
        return (!allowed).then(|| {
            let may = if from.may_import.is_empty() {
                "none of our crates".to_owned()
            } else {
                from.may_import.join(", ")
            };
            format!("`{}` -> `{}`: `{}` may import {may}", edge.from, to.name, edge.from)
        });
    }
    let (_, owners) = OWNED.iter().find(|(owned, _)| *owned == edge.to)?;
    (!development && !owners.contains(&from.name)).then(|| {
        format!("`{}` -> `{}`: only {} may use `{}`", edge.from, edge.to, owners.join(", "), edge.to)
    })
}

#[cfg(test)]
mod tests;
