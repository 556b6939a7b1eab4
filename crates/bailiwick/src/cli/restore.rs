//! `bailiwick restore`: from a backup to a data directory, without a gateway.

use std::path::PathBuf;

use bailiwick_control::backup::{self, Restoration};
use bailiwick_model::Clock as _;
use bailiwick_runtime::SystemClock;
use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::output::Output;
use super::table::{facts, moment, yes_no};

/// From where, to where.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup's directory.
    from: PathBuf,
    /// The data directory to fill: absent or empty.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The ledger as the gateway left it. What was taken away after the backup is taken away again, and the ledger
    /// is gone on with if it is intact.
    #[arg(long, value_name = "DIR")]
    since_ledger: Option<PathBuf>,
}

pub(super) fn run(args: &Restore, output: &Output) -> Result<(), Failure> {
    let wanted = backup::Restore { from: &args.from, data: &args.data, since: args.since_ledger.as_deref() };
    let restored = backup::restore(&wanted, SystemClock::new().now())
        .map_err(|error| Failure::other(error.to_string()))?;
    show(&restored, output)?;
    if !restored.state {
        output.note(
            "the state is in PostgreSQL: restore the `pg_dump` of before this backup into an empty database",
        );
    }
    if !restored.since_known {
        output.note(
            "whatever was revoked after the backup is in force again; with the old ledger, --since-ledger takes it \
             away again",
        );
    }
    if restored.unclear.is_empty() {
        return Ok(());
    }
    Err(Failure::other(restored.unclear.join("\n"))
        .hint("everything is restored, but these changes after the backup are not made again: look at each"))
}

fn show(restored: &Restoration, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(restored);
    }
    let withdrawals: String =
        restored.withdrawals.iter().map(|one| format!("taken away again  {}\n", json!(one))).collect();
    let about = facts([
        ("backup of", Some(moment(&restored.taken_at.to_string()))),
        ("records then", Some(restored.records.to_string())),
        ("later ledger known", Some(yes_no(restored.since_known))),
        ("later ledger gone on with", Some(yes_no(restored.continued))),
    ]);
    output.line(&format!("restored\n{about}{}", super::clean::clean_json(&withdrawals)))
}
