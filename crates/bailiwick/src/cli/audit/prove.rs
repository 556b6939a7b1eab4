//! `bailiwick audit prove` and `audit check-proof`: a file that proves that a record is in the ledger, or that a
//! ledger was only added to, and its check, which needs nothing but the public key.

use std::path::{Path, PathBuf};

use bailiwick_ledger::{Claim, Place, Proof, Proven, prove_consistency, prove_inclusion};
use clap::Args;

use super::files::{checkpoint, key, ledger_dir, read};
use crate::cli::clean::clean;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::table::facts;

/// What to prove.
#[derive(Debug, Args)]
pub struct Prove {
    /// The record's index, and the ledger's directory [default: the one of the settings file]. With
    /// --consistency the directory alone.
    #[arg(value_names = ["INDEX", "DIR"], num_args = 0..=2)]
    what: Vec<String>,
    /// Prove that the ledger of A records is the beginning of that of B records, the size of a checkpoint.
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "checkpoint")]
    consistency: Option<Vec<u64>>,
    /// A file with the checkpoint to prove the record against [default: the newest].
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The folder of the ledger's archive, for records that were pruned.
    #[arg(long, value_name = "FOLDER")]
    archive: Option<PathBuf>,
    /// The settings file [default: ./bailiwick.toml, if there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What to check, and with which key.
#[derive(Debug, Args)]
pub struct CheckProof {
    /// The file that `audit prove` printed.
    file: PathBuf,
    /// A file with the ledger's public key, kept elsewhere; without it the one in the proof is believed.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Prints a proof: always JSON, to be kept as a file.
pub(super) fn prove(args: &Prove, output: &Output) -> Result<(), Failure> {
    let words: Vec<&str> = args.what.iter().map(String::as_str).collect();
    let dir = |given: Option<&&str>| ledger_dir(given.map(|dir| dir.as_ref()), args.config.as_deref());
    let proof = match (args.consistency.as_deref(), words.as_slice()) {
        (Some(&[old, new]), [] | [_]) => {
            prove_consistency(with_archive(&dir(words.first())?, args.archive.as_deref()), old, new)
        }
        (None, [index, place @ ..]) => {
            let wrong = |_| Failure::other(format!("{index:?} is not the index of a record"));
            let index = index.parse().map_err(wrong)?;
            let against = args.checkpoint.as_deref().map(checkpoint).transpose()?;
            prove_inclusion(with_archive(&dir(place.first())?, args.archive.as_deref()), index, against)
        }
        _ => {
            return Err(Failure::other("what to prove is not said")
                .hint("give the index of a record, or two sizes with --consistency"));
        }
    };
    output.json(&proof.map_err(|error| Failure::other(error.to_string()))?)
}

fn with_archive<'a>(dir: &'a PathBuf, archive: Option<&'a Path>) -> Place<'a> {
    Place::from(dir).with_archive(archive)
}

/// Checks a proof without the ledger.
pub(super) fn check(args: &CheckProof, output: &Output) -> Result<(), Failure> {
    let keys: Vec<_> = args.key.as_deref().map(key).transpose()?.into_iter().collect();
    let proven = Proof::parse(&read(&args.file)?).and_then(|proof| proof.check(&keys));
    let proven = proven.map_err(|fault| {
        Failure::other(format!("{}: {fault}", args.file.display())).hint("it proves nothing")
    })?;
    if output.is_json() { output.json(&proven) } else { output.line(&told(&proven)) }
}

fn told(proven: &Proven) -> String {
    let (verdict, older) = match &proven.claim {
        Claim::Holds { index, record } => {
            (format!("record {index} is in the ledger\n{}\n", clean(record)), None)
        }
        Claim::Continues { old_size, old_root, old_signed } => (
            format!("the ledger of {old_size} records is the beginning of the one of {}\n", proven.size),
            Some(format!("{old_root} ({})", if *old_signed { "signed" } else { "not signed in this proof" })),
        ),
    };
    let believed = "the one in the proof: keep a copy elsewhere, and give it with --key";
    verdict
        + &facts([
            ("ledger", Some(proven.origin.clone())),
            ("signed", Some(proven.size.to_string())),
            ("root", Some(proven.root.to_string())),
            ("older root", older),
            ("key", Some(if proven.key_given { "given" } else { believed }.to_owned())),
        ])
}
