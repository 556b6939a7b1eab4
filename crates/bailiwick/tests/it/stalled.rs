//! A disk that hangs under load, with a real file system that is frozen: calls are refused in time, signs of life go on,
//! and nothing is lost when it comes back. Needs root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bailiwick_ledger::{VerifyOptions, verify};
use bailiwick_testkit::upstream::Eras;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{App, Client, Era, raw, script};

/// Clients that call at once, each on a connection of its own.
const CLIENTS: usize = 64;
/// The most that may be stuck with the write that met the frozen disk: there is one writer.
const STUCK: usize = 1;

/// An ext4 on a loop device for a ledger.
struct Disk(PathBuf);

#[expect(clippy::disallowed_methods, reason = "mounting is no child of the gateway")]
fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

impl Disk {
    /// `None` where this process may not mount.
    fn mount(image: &Path, path: &Path) -> Option<Self> {
        std::fs::write(image, vec![0; 16 << 20]).unwrap();
        std::fs::create_dir_all(path).unwrap();
        let disk = Self(path.to_owned());
        let image = image.to_str().unwrap();
        let mounted =
            run("mkfs.ext4", &["-q", "-F", image]) && run("mount", &["-o", "loop", image, disk.path()]);
        mounted.then_some(disk)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn freeze(&self) {
        assert!(run("fsfreeze", &["--freeze", self.path()]));
    }

    fn thaw(&self) -> bool {
        run("fsfreeze", &["--unfreeze", self.path()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Frozen only if the test failed.
        self.thaw();
        run("umount", &["--lazy", self.path()]);
    }
}

async fn status_of(app: &App, path: &str) -> u16 {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = timeout(Duration::from_secs(3), raw(app.url(), request)).await;
    answer.unwrap_or_else(|_| panic!("{path} is not answered")).statuses()[0]
}

/// One call of each client, at once; how many were answered within three seconds, by status.
async fn all_call(clients: &[Client]) -> (Vec<u16>, JoinSet<u16>) {
    let mut calls = JoinSet::new();
    for client in clients {
        let client = client.clone();
        let params = json!({"name": "files__echo", "arguments": {"text": "x"}});
        calls.spawn(
            async move { client.ask("/mcp", Era::Modern, "tools/call", params).await.status.as_u16() },
        );
    }
    let mut statuses = Vec::new();
    let patience = tokio::time::Instant::now() + Duration::from_secs(3);
    while let Ok(Some(status)) = tokio::time::timeout_at(patience, calls.join_next()).await {
        statuses.push(status.unwrap());
    }
    (statuses, calls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_disk_under_load_refuses_in_time_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(&dir.path().join("image"), &dir.path().join("data/ledger")) else {
        eprintln!("SKIPPED: only root may mount the ext4 on a loop device that this test freezes");
        return;
    };
    let app = App::start_in(dir, "", "\"127.0.0.0/8:*\"", "").await;
    let server = script(Eras::Both).start().await.unwrap();
    app.register("files", &server.url()).await;
    let bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    let clients: Vec<_> = (0..CLIENTS).map(|_| Client::new(app.url(), bot.key())).collect();
    let (statuses, _) = all_call(&clients).await;
    assert_eq!(statuses, vec![200; CLIENTS]);

    disk.freeze();
    let (statuses, mut stuck) = all_call(&clients).await;
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    assert!(stuck.len() <= STUCK, "{} of {CLIENTS} calls are not answered", stuck.len());
    assert_eq!((status_of(&app, "/readyz").await, status_of(&app, "/livez").await), (503, 200));
    assert_eq!(server.received_of("tools/call").len(), CLIENTS, "the server saw nothing of it");

    assert!(disk.thaw());
    while let Some(status) = timeout(Duration::from_secs(10), stuck.join_next()).await.unwrap() {
        assert!(matches!(status.unwrap(), 200 | 503));
    }
    let again = async {
        while status_of(&app, "/readyz").await != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), again).await.expect("it takes records again");
    let (statuses, _) = all_call(&clients).await;
    assert_eq!(statuses, vec![200; CLIENTS]);
    let ledger = app.ledger_dir();
    app.running.stop().await.unwrap();
    let report = verify(&ledger, &VerifyOptions::default()).unwrap();
    assert_eq!((report.bad, report.open_calls, report.torn_bytes), (None, 0, 0));
}
