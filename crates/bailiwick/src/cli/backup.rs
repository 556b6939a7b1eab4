//! `bailiwick backup`: by a running gateway, or from the data directory of a stopped one.

use std::path::PathBuf;
use std::time::Duration;

use bailiwick_console::wire::{BackupView, RestoredView, TakeBackup};
use bailiwick_control::backup::take_stopped;
use bailiwick_model::Clock as _;
use bailiwick_runtime::SystemClock;
use clap::Args;
use serde_json::Value;

use super::client::Client;
use super::failure::Failure;
use super::output::Output;
use super::table::{facts, moment};

/// How long a running gateway may take: the whole ledger is copied and checked.
const PATIENCE: Duration = Duration::from_secs(2 * 60 * 60);

/// Where to, and of what.
#[derive(Debug, Args)]
pub struct Backup {
    /// A directory that must not exist, on the gateway's machine. Keys will be in it: guard it like them.
    dir: PathBuf,
    /// Back up this data directory, which no gateway uses, instead of asking a running gateway.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(super) async fn run(
    client: impl FnOnce() -> Result<Client, Failure>,
    args: &Backup,
    output: &Output,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::other(error.to_string());
    let path = std::path::absolute(&args.dir).map_err(|error| failed(&error))?;
    let Some(text) = path.to_str().map(ToOwned::to_owned) else {
        return Err(Failure::other("the directory's name is no text"));
    };
    let answer: Value = match &args.data {
        None => client()?.waiting(PATIENCE).post("/backups", &TakeBackup { path: text }).await?,
        Some(data) => {
            let manifest = take_stopped(data, &path, SystemClock::new().now()).await;
            let view = BackupView::new(text, manifest.map_err(|error| failed(&error))?);
            serde_json::to_value(view).map_err(|error| failed(&error))?
        }
    };
    if answer.get("rows").is_none() {
        output.note(
            "the state is in PostgreSQL and not in this backup: it needs a `pg_dump` that was taken before it",
        );
    }
    output.show(answer, |backup: BackupView| {
        facts([
            ("backup", Some(backup.path)),
            ("of", Some(moment(&backup.taken_at))),
            ("rows", backup.rows.map(|rows| rows.values().sum::<u64>().to_string())),
            ("records", Some(backup.records.to_string())),
            ("root", Some(backup.root)),
            ("files", Some(backup.files.to_string())),
            ("bytes", Some(backup.bytes.to_string())),
        ])
    })
}

/// What `audit status` says of a gateway that was restored.
pub(super) fn restored(view: &RestoredView) -> String {
    let since = if view.since_known {
        format!("{} things taken away again", view.taken_away_again)
    } else {
        "what was revoked after it is in force again".to_owned()
    };
    let unclear: String = view.unclear.iter().map(|unclear| format!("; look at {unclear}")).collect();
    format!("from a backup of {} ({} records): {since}{unclear}", moment(&view.taken_at), view.records)
}
