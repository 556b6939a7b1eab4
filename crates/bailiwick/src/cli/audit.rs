//! `bailiwick audit`: the ledger of a running gateway, or a ledger's directory without one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_console::wire::{AuditRecords, AuditStatus};
use bailiwick_ledger::{Report, SignedCheckpoint, VerifierKey, VerifyOptions};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::backup::restored;
use super::clean::clean;
use super::client::Client;
use super::failure::Failure;
use super::output::Output;
use super::settings::load_settings;
use super::table::{facts, moment, or_dash, yes_no};

/// How often a followed ledger is asked for more.
const PACE: Duration = Duration::from_millis(500);

/// The audit ledger.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Show the last records.
    Tail {
        /// How many.
        #[arg(short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
        /// Go on with what comes.
        #[arg(long, short)]
        follow: bool,
    },
    /// Check every record, link and checkpoint of a ledger, without a gateway.
    Verify(Verify),
    /// Show how the ledger is.
    Status,
}

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
    /// The settings file [default: ./bailiwick.toml, if there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) async fn run(
    client: impl FnOnce() -> Result<Client, Failure>,
    command: Audit,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        Audit::Tail { count, follow } => tail(&client()?, count, follow, output).await,
        Audit::Verify(args) => verify(&args, output),
        Audit::Status => output.show(client()?.get("/audit/status").await?, |status: AuditStatus| {
            facts([
                ("takes records", Some(yes_no(status.available))),
                ("records", Some(status.records.to_string())),
                ("signed", Some(status.checkpoint_size.to_string())),
                ("open calls", Some(status.open_calls.to_string())),
                ("segments", Some(status.segments.to_string())),
                ("bytes", Some(status.bytes.to_string())),
                ("root", Some(status.root)),
                ("restored", status.restored.as_ref().map(restored)),
            ])
        }),
    }
}

async fn tail(client: &Client, count: u16, follow: bool, output: &Output) -> Result<(), Failure> {
    let mut path = format!("/audit/records?limit={count}");
    loop {
        let answer: AuditRecords = serde_json::from_value(client.get(&path).await?)
            .map_err(|_| Failure::other("the gateway's answer is not understood"))?;
        for record in &answer.records {
            print(record, output)?;
        }
        if !follow {
            return Ok(());
        }
        if answer.records.is_empty() {
            tokio::time::sleep(PACE).await;
        }
        if let Some(next) = answer.next {
            path = format!("/audit/records?limit=1000&after={next}");
        }
    }
}

/// One line per record, so that a followed ledger can be piped on.
fn print(record: &Value, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.line(&super::clean::clean_json(&record.to_string()));
    }
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    let index = record.get("index").and_then(Value::as_u64).unwrap_or_default();
    let time = or_dash(text("/time").as_deref().map(moment));
    let kind = or_dash(text("/kind"));
    let about =
        ["/who/subject", "/what/method", "/operation", "/subject/name", "/subject/key", "/asked", "/object"];
    let rest = ["/status", "/reason", "/event", "/change", "/path", "/detail"];
    let words: Vec<String> = about.iter().chain(&rest).filter_map(|pointer| text(pointer)).collect();
    let call = text("/call").map(|call| format!("  {call}")).unwrap_or_default();
    output.line(&clean(&format!("{index:>8}  {time}  {kind:<12}  {}{call}", words.join(" "))))
}

fn verify(args: &Verify, output: &Output) -> Result<(), Failure> {
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => load_settings(args.config.as_deref())?.data.dir.join("ledger"),
    };
    let options = VerifyOptions {
        saved: args.checkpoint.as_deref().map(checkpoint).transpose()?,
        keys: args.key.as_deref().map(key).transpose()?.into_iter().collect(),
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
    text.push_str(&facts([
        ("records", Some(report.records.to_string())),
        ("signed", Some(report.signed.to_string())),
        ("checkpoints", Some(report.checkpoints.to_string())),
        ("segments", Some(report.segments.to_string())),
        ("open calls", Some(report.open_calls.to_string())),
        ("unfinished bytes", Some(report.torn_bytes.to_string()).filter(|_| report.torn_bytes > 0)),
        ("last record", report.last_time.as_deref().map(moment)),
        ("root", Some(report.root.to_string())),
        ("key", Some(if report.key_given { "given" } else { believed }.to_owned())),
    ]));
    text
}

fn checkpoint(path: &Path) -> Result<SignedCheckpoint, Failure> {
    SignedCheckpoint::parse(&read(path)?)
        .map_err(|error| Failure::other(format!("{}: {error}", path.display())))
}

fn key(path: &Path) -> Result<VerifierKey, Failure> {
    read(path)?.trim().parse().map_err(|error| Failure::other(format!("{}: {error}", path.display())))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::other(format!("{}: {error}", path.display())))
}
