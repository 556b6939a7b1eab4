//! The ledger's archive from outside: what is closed goes there, what is there may leave the gateway, and both together are
//! still the whole ledger.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bailiwick_ledger::{VerifyOptions, verify};
use bailiwick_testkit::upstream::Eras;

use crate::support::{App, Client, DOORS, Era, Stage, script};

const ALLOW: &str = "\"127.0.0.0/8:*\"";

/// Runs `bailiwick audit …`; whether it succeeded, and what it printed.
#[expect(clippy::disallowed_methods, reason = "the command line under test is a program")]
async fn audit(admin: Option<(&Client, &str)>, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.arg("audit").args(arguments);
    if let Some((admin, url)) = admin {
        command.env("BAILIWICK_URL", url).env("BAILIWICK_KEY", admin.key());
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    found.sort();
    found
}

/// A gateway with two closed segments: a rotation of the key closes one.
async fn stage(archive: &Path) -> Stage {
    let mut server = script(Eras::Both).start().await.unwrap();
    let more = format!("[ledger]\narchive = {archive:?}\n");
    let mut app = App::start_in(tempfile::tempdir().unwrap(), "", ALLOW, &more).await;
    app.register("files", &server.url()).await;
    app.toolset("mix", &[("files", None)]).await;
    let mut bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    for _ in 0..2 {
        let stage = Stage { app, server, bot };
        stage.echo(&stage.bot, Era::Modern, DOORS[1], "hi").await.result();
        let dir = stage.app.dir;
        stage.app.running.stop().await.unwrap();
        let config = dir.path().join("bailiwick.toml");
        fs::write(&config, format!("[data]\ndir = {:?}\n", dir.path().join("data"))).unwrap();
        let (done, said) = audit(None, &["rotate-key", "--config", text(&config)]).await;
        assert!(done, "{said}");
        app = App::start_in(dir, "", ALLOW, &more).await;
        bot = app.key("bot").await;
        server = stage.server;
    }
    Stage { app, server, bot }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_archived_may_be_pruned_and_both_together_are_the_whole_ledger() {
    let far = tempfile::tempdir().unwrap();
    let archive = far.path().join("archive");
    let stage = stage(&archive).await;
    let key = stage.app.admin().await;
    let (url, ledger) = (stage.app.url().to_owned(), stage.app.ledger_dir());
    let admin = Some((&key, url.as_str()));
    let (done, said) = audit(admin, &["archive"]).await;
    assert!(done && said.starts_with("all closed segments are in "), "{said}");
    assert_eq!(segments(&archive).len(), 2);
    let (done, said) = audit(admin, &["prune"]).await;
    assert!(!done && said.contains("ledger.retention_days"), "{said}");
    let (done, said) = audit(admin, &["prune", "--before", "2020-01-01"]).await;
    assert!(done && said.contains("no segment can go") && said.contains("not old enough"), "{said}");
    let (done, said) = audit(admin, &["prune", "--before", "2999-01-01", "--dry-run"]).await;
    assert!(done && said.contains("would go: 2 segments"), "{said}");
    assert_eq!(segments(&ledger).len(), 3);
    // Something else in the archive, of the same length.
    let oldest = archive.join(segments(&ledger)[0].file_name().unwrap());
    let whole = fs::read_to_string(&oldest).unwrap();
    fs::write(&oldest, whole.replacen("started", "stopped", 1)).unwrap();
    let (done, said) = audit(admin, &["prune", "--before", "2999-01-01"]).await;
    assert!(done && said.contains("no segment can go") && said.contains("has another"), "{said}");
    let (done, said) = audit(None, &["verify", text(&ledger), "--archive", text(&archive)]).await;
    assert!(!done && said.contains("record 0: the archive's copy"), "{said}");
    fs::write(&oldest, &whole).unwrap();
    let first = stage.app.records_of("intent")[0].clone();
    let (done, said) = audit(admin, &["prune", "--before", "2999-01-01"]).await;
    assert!(done && said.contains("are gone from here: 2 segments"), "{said}");
    assert_eq!(segments(&ledger).len(), 1);
    let told = stage.app.records_of("admin_change").pop().unwrap();
    assert_eq!((&told["operation"], &told["after"]["first"]), (&"ledger.prune".into(), &0.into()));
    assert!(told["who"]["subject"].is_string() && told["after"]["archive"] == text(&archive));
    // Calls go on, before and after a start; what was pruned is said.
    let app = stage.app.restart().await;
    let stage = Stage { bot: app.key("bot").await, app, server: stage.server };
    stage.echo(&stage.bot, Era::Modern, DOORS[1], "hi").await.result();
    let url = stage.app.url().to_owned();
    let (done, said) = audit(Some((&key, &url)), &["status"]).await;
    assert!(done && said.contains("records before "), "{said}");
    let (done, said) = audit(Some((&key, &url)), &["tail", "-n", "5"]).await;
    assert!(done && said.lines().count() == 5, "{said}");
    stage.app.running.stop().await.unwrap();
    let (done, said) = audit(None, &["verify", text(&ledger)]).await;
    assert!(done && said.contains("the signed checkpoint of"), "{said}");
    let (done, said) = audit(None, &["verify", text(&ledger), "--archive", text(&archive)]).await;
    assert!(done && !said.contains("the signed checkpoint of"), "{said}");
    let index = first["index"].to_string();
    let (done, said) = audit(None, &["prove", &index, text(&ledger)]).await;
    assert!(!done && said.contains("was pruned") && said.contains(text(&archive)), "{said}");
    let (done, said) = audit(None, &["prove", &index, text(&ledger), "--archive", text(&archive)]).await;
    assert!(done && said.contains("\"inclusion\""), "{said}");
    let (done, said) = audit(None, &["export", text(&ledger)]).await;
    assert!(done && said.contains("ledger.prune") && !said.contains("\"index\":0,"), "{said}");
    // A pruned record is changed.
    fs::write(&oldest, whole.replacen("started", "stopped", 1)).unwrap();
    let (done, said) = audit(None, &["verify", text(&ledger), "--archive", text(&archive)]).await;
    assert!(!done && said.contains("record 0: "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_archive_is_away_calls_go_on_and_nothing_is_pruned() {
    let far = tempfile::tempdir().unwrap();
    let away = far.path().join("away");
    fs::write(&away, "a file, where a folder should be").unwrap();
    let archive = away.join("archive");
    let stage = stage(&archive).await;
    let admin = stage.app.admin().await;
    let url = stage.app.url().to_owned();
    let admin = Some((&admin, url.as_str()));
    stage.echo(&stage.bot, Era::Modern, DOORS[1], "hi").await.result();
    let (done, said) = audit(admin, &["archive"]).await;
    assert!(!done && said.contains("the gateway tries again by itself"), "{said}");
    let (done, said) = audit(admin, &["status"]).await;
    assert!(done && said.contains("failed "), "{said}");
    let (done, said) = audit(admin, &["prune", "--before", "2999-01-01"]).await;
    assert!(!done || said.contains("no segment can go"), "{said}");
    assert_eq!(segments(&stage.app.ledger_dir()).len(), 3);
    fs::remove_file(&away).unwrap();
    // It comes back by itself.
    let begun = tokio::time::Instant::now();
    while fs::read_dir(&archive).map_or(0, |_| segments(&archive).len()) < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is archived");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let ledger = stage.app.ledger_dir();
    stage.app.running.stop().await.unwrap();
    let options = VerifyOptions { archive: Some(archive), ..VerifyOptions::default() };
    assert_eq!(verify(&ledger, &options).unwrap().bad, None);
}
