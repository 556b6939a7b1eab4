//! `bailiwick audit verify`: is a ledger what was written? Without a gateway.

use std::path::PathBuf;

use bailiwick_ledger::{Report, VerifyOptions};
use clap::Args;

use super::files::{checkpoint, key, ledger_dir};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::table::{facts, moment};

/// What to check, and against what.
#[derive(Debug, Args)]
pub struct Verify {
    /// The ledger's directory, or one segment of it [default: the one of the settings file].
    dir: Option<PathBuf>,
    /// A file with the ledger's public key, kept elsewhere; without it the one in the directory is believed.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A file with a checkpoint, kept elsewhere: against it truncation and rewriting show.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The folder of the ledger's archive: then everything is checked from record 0 on, pruned or not.
    #[arg(long, value_name = "FOLDER")]
    archive: Option<PathBuf>,
    /// The settings file [default: ./bailiwick.toml, if there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn verify(args: &Verify, output: &Output) -> Result<(), Failure> {
    let dir = ledger_dir(args.dir.as_deref(), args.config.as_deref())?;
    let options = VerifyOptions {
        saved: args.checkpoint.as_deref().map(checkpoint).transpose()?,
        keys: args.key.as_deref().map(key).transpose()?.into_iter().collect(),
        archive: args.archive.clone(),
    };
    let report =
        bailiwick_ledger::verify(&dir, &options).map_err(|error| Failure::other(error.to_string()))?;
    if output.is_json() {
        output.json(&report)?;
    } else {
        output.line(&found(&report))?;
    }
    match &report.bad {
        None => Ok(()),
        Some(bad) => {
            Err(Failure::other(format!("record {}: {} ({})", bad.index, bad.what, bad.file.display()))
                .hint("the ledger is not what was written: keep it as it is, and compare it with a copy"))
        }
    }
}

fn found(report: &Report) -> String {
    let verdict =
        if report.bad.is_none() { "the ledger is what was written" } else { "the ledger was changed" };
    let believed = "the one in the directory: keep a copy elsewhere, and give it with --key";
    let mut text = format!("{verdict}\n");
    let pruned = report.pruned.as_ref().map(|pruned| {
        let last = pruned.records.saturating_sub(1);
        format!(
            "0 to {last}, not read: the signed checkpoint of {} vouches for them; in {}",
            pruned.records, pruned.archive
        )
    });
    text.push_str(&facts([
        ("pruned", pruned),
        ("records", Some(report.records.to_string())),
        ("signed", Some(report.signed.to_string())),
        ("checkpoints", Some(report.checkpoints.to_string())),
        ("key rotations", Some(report.rotations.to_string()).filter(|_| report.rotations > 0)),
        ("segments", Some(report.segments.to_string())),
        ("open calls", Some(report.open_calls.to_string())),
        ("unfinished bytes", Some(report.torn_bytes.to_string()).filter(|_| report.torn_bytes > 0)),
        ("last record", report.last_time.as_deref().map(moment)),
        ("root", Some(report.root.to_string())),
        ("key", Some(if report.key_given { "given" } else { believed }.to_owned())),
    ]));
    text
}
