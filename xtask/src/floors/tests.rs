use super::*;

fn edge(from: &str, to: &str, kind: DependencyKind) -> Edge {
    Edge { from: from.to_owned(), to: to.to_owned(), kind }
}

fn metadata() -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap()
}

#[test]
fn a_planted_edge_is_named() {
    let mut planted = serde_json::to_value(metadata()).unwrap();
    let packages = planted["packages"].as_array_mut().unwrap();
    let package = |packages: &[serde_json::Value], name: &str| {
        packages.iter().position(|package| package["name"] == name).unwrap()
    };
    let control = package(packages, "bailiwick-control");
    let dependencies = packages[control]["dependencies"].as_array().unwrap();
    let store = dependencies.iter().find(|to| to["name"] == "bailiwick-store").unwrap().clone();
    let gateway = package(packages, "bailiwick-gateway");
    packages[gateway]["dependencies"].as_array_mut().unwrap().push(store);

    let planted: Metadata = serde_json::from_value(planted).unwrap();
    let found: Vec<String> = edges(&planted).iter().filter_map(forbidden).collect();
    assert!(
        found.iter().any(|wrong| wrong.starts_with("`gateway` -> `store`: `gateway` may import model")),
        "{found:?}"
    );
}

#[test]
fn forbidden_and_permitted_edges_are_told_apart() {
    use DependencyKind::{Build, Development, Normal};
    let cases = [
        ("policy", "bailiwick-model", Normal, true),
        ("policy", "bailiwick-mcp", Normal, false),
        ("policy", "bailiwick-mcp", Development, false),
        ("policy", "bailiwick-testkit", Development, true),
        ("policy", "bailiwick-testkit", Normal, false),
        ("model", "bailiwick-policy", Build, false),
        ("console", "bailiwick-store", Normal, false),
        ("bailiwick", "bailiwick-gateway", Normal, true),
        ("bailiwick", "bailiwick-testkit", Development, true),
        ("bailiwick", "bailiwick-testkit", Normal, false),
        ("testkit", "bailiwick", Normal, false),
        ("testkit", "bailiwick-control", Normal, true),
        ("xtask", "bailiwick-model", Normal, false),
        ("gateway", "sqlx", Normal, false),
        ("gateway", "sqlx", Development, true),
        ("store", "sqlx", Normal, true),
        ("upstream", "hyper-util", Normal, false),
        ("console", "clap", Normal, false),
        ("gateway", "serde", Normal, true),
    ];
    for (from, to, kind, allowed) in cases {
        assert_eq!(forbidden(&edge(from, to, kind)).is_none(), allowed, "{from} -> {to}, {kind}");
    }
}

#[test]
fn every_crate_has_a_row() {
    assert_eq!(strangers(&metadata()), Vec::<String>::new());
}

#[test]
fn a_row_lists_only_lower_floors() {
    for from in ROOMS.iter().filter(|room| room.may_import != EVERYTHING) {
        for name in from.may_import {
            let to = room(name).unwrap();
            assert!(to.floor < from.floor, "{} -> {}", from.name, to.name);
        }
    }
}
