//! `bailiwick audit rotate-key`: another key signs the checkpoints from here on. While no gateway runs on the ledger.

use std::path::PathBuf;
use std::sync::Arc;

use bailiwick_ledger::{Ledger, VerifierKey};
use bailiwick_runtime::{KeyDir, SystemClock, SystemEntropy};
use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::settings::load_settings;
use crate::cli::table::facts;
use crate::ledger_keys;

/// Which ledger.
#[derive(Debug, Args)]
pub struct RotateKey {
    /// The settings file, whose data directory holds ledger and keys [default: ./bailiwick.toml, if there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn rotate(args: &RotateKey, output: &Output) -> Result<(), Failure> {
    let settings = load_settings(args.config.as_deref())?;
    let dir = settings.data.dir.join("ledger");
    if !dir.exists() {
        return Err(Failure::other(format!("there is no ledger in {}", dir.display()))
            .hint("name the gateway's settings file with --config"));
    }
    let (old, new) = rotated(&settings, &dir).map_err(|error| Failure::other(format!("{error:#}")))?;
    if output.is_json() {
        return output.json(&json!({ "old": old.to_string(), "new": new.to_string() }));
    }
    output.line(&facts([("old key", Some(old.to_string())), ("new key", Some(new.to_string()))]))?;
    output.note("keep a copy of the new key elsewhere; the old one goes on checking what it signed");
    Ok(())
}

fn rotated(
    settings: &bailiwick_config::Settings,
    dir: &std::path::Path,
) -> anyhow::Result<(VerifierKey, VerifierKey)> {
    let keys = KeyDir::open(settings.data.dir.join("keys"))?;
    let own = ledger_keys::load(&keys, dir, &SystemEntropy::new())?;
    let ledger = Ledger::open(dir, settings.ledger.clone(), own, Arc::new(SystemClock::new()))?;
    let old = ledger.verifier().clone();
    let new = ledger.rotate_key(ledger_keys::next(&keys)?);
    drop(ledger);
    // Whether it was rotated is what the checkpoints say, also after an error.
    ledger_keys::settle(&keys, dir)?;
    Ok((old, new?))
}
