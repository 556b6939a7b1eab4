//! The ledger's commands without a gateway, as the binary runs them: prove, check, rotate the key.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick_testkit::upstream::Eras;
use serde_json::Value;

use crate::support::{DOORS, Era, Stage};

/// Runs `bailiwick audit …`; whether it succeeded, and what it printed.
#[expect(clippy::disallowed_methods, reason = "the command line under test is a program")]
fn audit(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bailiwick")).arg("audit").args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn file(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_proven_and_the_key_is_rotated_by_the_command_line() {
    let stage = Stage::new(Eras::Both).await;
    stage.echo(&stage.bot, Era::Modern, DOORS[1], "hi").await.result();
    let home = stage.app.dir.path().to_owned();
    let data = home.join("data");
    let config = file(&home, "cli.toml", &format!("[data]\ndir = {data:?}\n"));
    let (config, ledger) = (config.to_str().unwrap(), data.join("ledger"));
    let dir = ledger.to_str().unwrap();
    let old = file(&home, "old.pub", &fs::read_to_string(ledger.join("checkpoint.pub")).unwrap());
    let old = old.to_str().unwrap();

    // One writer: a key is not rotated under a running gateway.
    let (done, said) = audit(&["rotate-key", "--config", config]);
    assert!(!done && said.contains("in use by process"), "{said}");

    let records = stage.app.records().len();
    stage.app.running.stop().await.unwrap();
    let (done, said) = audit(&["--json", "rotate-key", "--config", config]);
    assert!(done, "{said}");
    let keys: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(fs::read_to_string(old).unwrap().trim(), keys["old"]);
    assert_eq!(fs::read_to_string(ledger.join("checkpoint.pub")).unwrap().trim(), keys["new"]);

    // The gateway goes on with the new key, and whoever kept the old one still checks everything.
    let again = bailiwick::serve::Running::start(crate::ledger::settings(&format!(
        "[listen]\naddress = \"127.0.0.1:0\"\n[data]\ndir = {data:?}\n"
    )))
    .await
    .unwrap();
    again.stop().await.unwrap();
    let (done, said) = audit(&["verify", dir, "--key", old]);
    assert!(done && said.contains("key rotations"), "{said}");

    let (done, proof) = audit(&["prove", "3", dir]);
    assert!(done, "{proof}");
    let path = file(&home, "proof.json", &proof);
    let (done, said) = audit(&["check-proof", path.to_str().unwrap(), "--key", old]);
    assert!(done && said.contains("record 3 is in the ledger"), "{said}");
    let path = file(&home, "forged.json", &proof.replacen("\\\"index\\\":3", "\\\"index\\\": 3", 1));
    let (done, said) = audit(&["check-proof", path.to_str().unwrap()]);
    assert!(!done && said.contains("do not lead to the root"), "{said}");

    let newest = fs::read_to_string(ledger.join("checkpoint")).unwrap();
    let size = newest.lines().nth(1).unwrap();
    let (done, proof) = audit(&["prove", "--consistency", &records.to_string(), size, dir]);
    assert!(done, "{proof}");
    let path = file(&home, "proof.json", &proof);
    let (done, said) = audit(&["check-proof", path.to_str().unwrap(), "--key", old]);
    assert!(done && said.contains(&format!("the ledger of {records} records is the beginning")), "{said}");
    let (done, said) = audit(&["prove", size, dir]);
    assert!(!done && said.contains("is not signed yet"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_exported_as_they_stand_or_as_rows() {
    let stage = Stage::new(Eras::Both).await;
    stage.echo(&stage.bot, Era::Modern, DOORS[1], "hi").await.result();
    let forged = serde_json::json!({"name": "=cmd|' /C calc'!A0,\n\"x\"", "arguments": {}});
    stage.bot.ask("/mcp", Era::Modern, "tools/call", forged).await;
    let ledger = stage.app.ledger_dir();
    let dir = ledger.to_str().unwrap();
    let home = stage.app.dir.path().to_owned();
    stage.app.running.stop().await.unwrap();
    let lines = bailiwick_ledger::tail(&ledger, usize::MAX, None).unwrap();
    let all: String = lines.iter().map(|line| format!("{}\n", line.json)).collect();
    assert_eq!(audit(&["export", dir]), (true, all.clone()));

    let (done, of_bot) = audit(&["export", dir, "--filter", "principal=bot,server=files"]);
    let kinds: Vec<_> = of_bot.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    let kinds: Vec<_> = kinds.iter().map(|record| record["kind"].as_str().unwrap()).collect();
    assert!(done && kinds == ["intent", "outcome"], "{of_bot}");

    let file = home.join("denied.csv");
    let path = file.to_str().unwrap();
    let (done, said) = audit(&["export", dir, "--filter", "kind=denied", "--format", "csv", "-o", path]);
    assert!(done && said.contains("1 records exported"), "{said}");
    let rows = fs::read_to_string(&file).unwrap();
    assert!(
        rows.starts_with("index,time,kind,") && rows.contains(",\"'=cmd|' /C calc'!A0,\n\"\"x\"\"\","),
        "{rows}"
    );
    assert!(!audit(&["export", dir, "-o", path]).0, "nothing is written over");

    assert_eq!(audit(&["export", dir, "--to", "2020-01-01"]), (true, String::new()));
    assert_eq!(audit(&["export", dir, "--from", "2020-01-01", "--to", "2120-01-01"]), (true, all));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_witness_of_the_settings_is_told_and_shows_in_the_status() {
    let home = tempfile::tempdir().unwrap();
    let witness = home.path().join("witness");
    let settings = format!("[ledger]\nwitness_file = {witness:?}\n");
    let app = crate::support::App::start_with(&settings).await;
    let status = crate::support::until("the witness has a checkpoint", || {
        fs::metadata(&witness).is_ok_and(|file| file.len() > 0).then_some(())
    });
    status.await;
    let ledger = app.ledger_dir();
    let actor = bailiwick_control::Actor::Gateway;
    let told = app.control().audit_status(&actor).await.unwrap().witnesses;
    assert_eq!((told.len(), told[0].kind, told[0].error.as_deref()), (1, "file", None));
    app.running.stop().await.unwrap();
    let last = fs::read_to_string(ledger.join("checkpoint")).unwrap();
    assert!(fs::read_to_string(&witness).unwrap().ends_with(&last), "an orderly stop tells of the end");
}
