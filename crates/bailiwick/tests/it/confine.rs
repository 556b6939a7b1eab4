//! `upstream.confine = "require"`: no program starts that is not fully confined.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bailiwick_control::{Actor, NewServer};
use bailiwick_model::server::{Confinement, Sharing, Timeouts, Transport};
use serde_json::{Value, json};

use crate::support::{App, Era};

/// Leaves a mark, and then answers every request so that it is a server without tools.
const PROGRAM: &str = r#"
echo here > "$1/mark"
while read -r line; do
  id=${line#*\"id\":}; id=${id%%[,\}]*}
  case "$line" in
    *'"initialize"'*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"sh\",\"version\":\"1\"}}}";;
    *'"tools/list"'*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\"}}]}}";;
    *'"id"'*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":-32601,\"message\":\"no\"}}";;
  esac
done
"#;

/// Registers the program with the right to write one folder; whether it ran, by the mark that it left there, and what
/// its confinement lacked.
async fn ran(app: &App, name: &str) -> (bool, Value) {
    let written = tempfile::tempdir().unwrap();
    std::fs::set_permissions(written.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let mark = written.path().join("mark");
    let folder = written.path().to_str().unwrap().to_owned();
    let transport = Transport::Stdio {
        command: "/bin/sh".to_owned(),
        args: ["-c", PROGRAM, "server", &folder].map(str::to_owned).to_vec(),
        env: BTreeMap::new(),
        cwd: None,
        sharing: Sharing::Principal,
        confinement: Confinement { write: vec![folder.clone()], ..Confinement::default() },
    };
    let new = NewServer {
        name: Some(name.parse().unwrap()),
        registry_name: None,
        team: Some("default".into()),
        description: String::new(),
        transport,
        secrets: BTreeMap::new(),
        timeouts: Timeouts { connect_ms: 2_000, first_byte_ms: 2_000, idle_ms: 2_000 },
        capture: bailiwick_model::Capture::default(),
        enabled: true,
    };
    let detail = app.control().add_server(&Actor::Gateway, new).await.unwrap().detail;
    app.grant("bot", name).await;
    let health = detail.health.unwrap();
    let missing = health.confinement.map_or(Value::Null, |report| report["missing"].clone());
    assert_eq!(mark.exists(), detail.discovery.is_some(), "{:?}", detail.failure);
    (mark.exists(), missing)
}

/// The helper of a gateway that may not give its children a uid of their own: an ordinary user's, or root's without
/// the right to.
fn helper_without_uids(folder: &Path) -> PathBuf {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_bailiwick"));
    let root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    if !root {
        return binary;
    }
    let script = folder.join("helper");
    let text = format!("#!/bin/sh\nexec setpriv --bounding-set=-setuid -- {} \"$@\"\n", binary.display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_cannot_be_confined_fully_is_not_started_where_that_is_required() {
    let folder = tempfile::tempdir().unwrap();
    for (setting, required) in [("auto", false), ("require", true)] {
        let helper = helper_without_uids(folder.path());
        let app = App::start_under(helper, &format!("[upstream]\nconfine = \"{setting}\"\n")).await;
        let bot = app.agent("bot").await;
        let (started, missing) = ran(&app, "x").await;
        assert_eq!(started, !required, "{setting}: {missing}");
        assert!(required || missing.to_string().contains("a uid of its own"), "{missing}");
        let called = bot.ask("/servers/x/mcp", Era::Modern, "tools/call", json!({"name": "t"})).await;
        assert!(!required || called.error()["code"] == -32602, "nothing is known of it: {called:?}");
        app.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_runs_where_confinement_is_required_lacks_nothing() {
    // What holds depends on the machine, so both ends are right here; a child that runs and lacks something is not.
    let app = App::start_with("[upstream]\nconfine = \"require\"\n").await;
    app.agent("bot").await;
    let (started, missing) = ran(&app, "x").await;
    assert!(!started || missing == json!([]), "{missing}");
    app.running.stop().await.unwrap();
}
