//! What a child can reach, and that nothing of it outlives the gateway.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use bailiwick_config::Confine;
use bailiwick_model::server::{Confinement, Transport, Value};
use secrecy::SecretString;
use serde_json::json;

use crate::world::*;

fn confined(number: u128, confinement: Confinement) -> bailiwick_upstream::ServerSpec {
    let mut spec = stdio(number, "legacy");
    change(&mut spec, |server| {
        if let Transport::Stdio { confinement: own, .. } = &mut server.transport {
            *own = confinement;
        }
    });
    spec
}

#[tokio::test]
async fn a_child_has_only_what_was_declared() {
    let secret = tempfile::tempdir().unwrap();
    let granted = tempfile::tempdir().unwrap();
    let folder = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    for (path, mode) in [(secret.path(), 0o755), (granted.path(), 0o777)] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        std::fs::write(path.join("file"), "x").unwrap();
    }
    let mut spec = confined(1, Confinement { write: vec![folder(granted.path())], ..Confinement::default() });
    change(&mut spec, |server| {
        if let Transport::Stdio { env, .. } = &mut server.transport {
            env.insert("TOKEN".to_owned(), Value::Secret);
            env.insert("PLAIN".to_owned(), Value::Plain { value: "p".to_owned() });
        }
    });
    spec.secrets.insert("TOKEN".to_owned(), SecretString::from("s3cret"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let world = World::new(vec![spec.clone()]);
    let conversation = own(&spec, ALICE, None);
    let look = |read: String, write: String| json!({"read": read, "write": write, "connect": listener.local_addr().unwrap().to_string()});
    let inside = look(folder(&granted.path().join("file")), folder(&granted.path().join("new")));
    let seen = world.call(&conversation, "look", inside).await.unwrap()["result"].clone();
    assert_eq!(
        seen["environment"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["LANG", "PATH", "PLAIN", "TOKEN"]
    );
    assert_eq!(seen["fds"], 3, "{seen}");
    assert_eq!((&seen["reads"], &seen["writes"]), (&json!(true), &json!(true)), "{seen}");
    let outside = look(folder(&secret.path().join("file")), folder(&secret.path().join("new")));
    let seen = world.call(&conversation, "look", outside).await.unwrap()["result"].clone();
    let report = world.health(0).confinement.expect("a report");
    if report.file_system {
        assert_eq!((&seen["cwd"], &seen["writes_tmp"]), (&json!("/work"), &json!(true)));
    }
    if report.file_system || report.landlock.is_some() {
        assert_eq!((&seen["reads"], &seen["writes"]), (&json!(false), &json!(false)), "{seen}");
    }
    if report.no_network || report.landlock.is_some_and(|version| version >= 4) {
        assert_eq!(seen["connects"], false);
    }
    if report.pid_namespace {
        assert!(seen["processes"].as_u64().unwrap() <= 3, "{seen}");
    }
    if let Some(uid) = report.own_uid {
        assert_eq!((&seen["uid"], uid >= 1_900_000_000), (&json!(uid.to_string()), true));
    }
    assert!(report.limits && report.missing.is_empty() == (report.own_uid.is_some() && report.file_system));
    assert_eq!(seen["capabilities"], "0000000000000000");
    assert_eq!((&seen["no_new_privs"], &seen["seccomp"]), (&json!("1"), &json!("2")), "{seen}");
    assert_eq!((&seen["mounts"], &seen["unshares"]), (&json!(false), &json!(false)), "{seen}");
    assert_eq!(seen["writes_cwd"], true);
    let shown = format!("{:?}{:?}", world.upstreams, world.health(0));
    assert!(!shown.contains("s3cret"), "the secret shows");
}

#[tokio::test]
async fn the_network_is_there_only_if_it_was_granted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let spec = confined(1, Confinement { network: true, ..Confinement::default() });
    let world = World::new(vec![spec.clone()]);
    let arguments = json!({"connect": listener.local_addr().unwrap().to_string()});
    let seen = world.call(&own(&spec, ALICE, None), "look", arguments).await.unwrap();
    assert_eq!(seen["result"]["connects"], true);
}

#[tokio::test]
async fn memory_is_bounded() {
    let spec = confined(1, Confinement { memory_mb: Some(64), ..Confinement::default() });
    let world = World::new(vec![spec.clone()]);
    let conversation = own(&spec, ALICE, None);
    world.call(&conversation, "eat", json!({"mb": 8})).await.unwrap();
    world.call(&conversation, "eat", json!({"mb": 500})).await.unwrap_err();
}

#[tokio::test]
async fn without_confinement_a_child_runs_as_the_gateway_and_says_so() {
    let spec = stdio(1, "legacy");
    let world = World::with(Setting { confine: Confine::Off, ..Setting::default() }, vec![spec.clone()]);
    world.call(&own(&spec, ALICE, None), "echo", json!({})).await.unwrap();
    let report = world.health(0).confinement.unwrap();
    assert!(!report.seccomp && report.missing == ["confinement: switched off"], "{report:?}");
}

/// Seconds to sleep that only the processes of one test sleep.
fn marker(test: &str) -> String {
    format!("9{}{}", std::process::id(), test.len())
}

/// Processes whose command line holds the marker.
fn marked(marker: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).split('\0').any(|word| word == marker)).count()
}

fn zombies_below(parent: u32) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter(|stat| {
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(&format!("Z {parent} ")))
        })
        .count()
}

#[tokio::test]
async fn killing_the_gateway_leaves_no_descendants_whatever_the_machine_offers() {
    for mode in ["auto", "off"] {
        let marker = &marker(mode);
        let scratch = tempfile::tempdir().unwrap();
        std::fs::set_permissions(scratch.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777))
            .unwrap();
        #[expect(clippy::disallowed_methods, reason = "a gateway to be killed")]
        let mut gateway = Command::new(helper())
            .args(["gateway", scratch.path().to_str().unwrap(), marker, mode])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(gateway.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("started"), "{mode}: {line:?}");
        until("the daemons", Duration::from_secs(5), || marked(marker) >= 2).await;
        gateway.kill().unwrap();
        gateway.wait().unwrap();
        until("the end of all", Duration::from_secs(5), || marked(marker) == 0).await;
    }
}

#[tokio::test]
async fn an_orderly_end_leaves_no_descendants_and_no_zombies() {
    let marker = &marker("orderly");
    let spec = stdio(1, "legacy");
    let world = World::new(vec![spec.clone()]);
    world.call(&own(&spec, ALICE, None), "daemons", json!({"marker": marker})).await.unwrap();
    assert!(marked(marker) >= 2);
    world.tasks.shutdown(Duration::from_secs(5)).await.unwrap();
    assert_eq!(marked(marker), 0);
    until("the last zombie's end", Duration::from_secs(5), || zombies_below(std::process::id()) == 0).await;
    let left = std::fs::read_dir(world.folder.path().join("scratch")).unwrap().count();
    assert_eq!(left, 0, "scratch folders are removed");
}
