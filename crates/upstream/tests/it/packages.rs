//! Real packages of the npm registry, installed first and then run confined. Ignored by default, since they need the
//! registry: `cargo test -p bailiwick-upstream -- --ignored`.

use bailiwick_model::server::{Confinement, Sharing, Transport};
use bailiwick_upstream::ServerSpec;
use serde_json::json;

use crate::world::*;

fn npx(number: u128, words: &[&str], confinement: Confinement) -> ServerSpec {
    let mut spec = stdio(number, "legacy");
    change(&mut spec, |server| {
        server.transport = Transport::Stdio {
            command: "npx".to_owned(),
            args: words.iter().map(|&word| word.to_owned()).collect(),
            env: Default::default(),
            cwd: None,
            sharing: Sharing::Principal,
            confinement,
        };
    });
    spec
}

#[tokio::test]
#[ignore = "needs the npm registry"]
async fn the_reference_servers_are_installed_and_run_confined_without_network() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(folder.path().join("note.txt"), "a note").unwrap();
    let path = folder.path().to_str().unwrap();
    let everything = npx(1, &["-y", "@modelcontextprotocol/server-everything"], Confinement::default());
    let confinement = Confinement { read: vec![path.to_owned()], ..Confinement::default() };
    let files = npx(2, &["-y", "@modelcontextprotocol/server-filesystem", path], confinement);
    let setting = Setting { config: "[upstream]\ndiscovery_seconds = 300\n", ..Setting::default() };
    let world = World::with(setting, vec![everything.clone(), files.clone()]);
    for (index, spec, tool, arguments, expected) in [
        (0, &everything, "echo", json!({"message": "hello"}), "hello"),
        (1, &files, "read_text_file", json!({"path": format!("{path}/note.txt")}), "a note"),
    ] {
        let found = world.discover(index).await.unwrap();
        assert!(found.definitions.len() > 5 && found.dropped.is_empty(), "{:?}", found.dropped);
        let answer = world.call(&own(spec, ALICE, None), tool, arguments).await.unwrap();
        assert!(answer.to_string().contains(expected), "{answer}");
        let report = world.health(index).confinement.unwrap();
        assert!(report.seccomp && report.limits && report.no_new_privs, "{report:?}");
    }
}
