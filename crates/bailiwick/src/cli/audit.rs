//! `bailiwick audit`: the ledger of a running gateway, or a ledger's directory without one.

mod archive;
mod body;
mod evidence;
mod export;
mod files;
mod prove;
mod prune;
mod query;
mod reindex;
mod rotate;
mod status;
mod tail;
mod trace;
mod verify;

use clap::Subcommand;

use super::client::Client;
use super::failure::Failure;
use super::output::Output;

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
    Verify(verify::Verify),
    /// Prove that a record is in a ledger, or that a ledger was only added to: prints a proof to keep.
    Prove(prove::Prove),
    /// Check a proof, without the ledger.
    CheckProof(prove::CheckProof),
    /// Write the evidence of a call into one file: its records with proofs, and the policies, definition and grants
    /// that they name.
    Evidence(evidence::Make),
    /// Check such a file, without a gateway and without the ledger.
    CheckEvidence(evidence::Check),
    /// Show what is held of the payloads of a call. That you read it, and why, is in the ledger first.
    Body(body::Read),
    /// Destroy the keys of somebody's encrypted payloads: nobody can read them any more, and the ledger stays as it is.
    Erase(body::Erase),
    /// Write records for other tools, as JSON lines or CSV, without a gateway.
    Export(export::Export),
    /// Let a new key sign the checkpoints from here on. The gateway must be stopped.
    RotateKey(rotate::RotateKey),
    /// Show how the ledger and its index are.
    Status,
    /// Find records: by who, what, when, how it ended, and the words in it.
    Query(Box<query::Query>),
    /// Draw the calls of a trace or session as a tree: which call led to which.
    Trace {
        /// A trace id, a session as records name it, or the id of one of its calls.
        id: String,
    },
    /// Copy closed segments to the archive now, and wait for it.
    Archive {
        /// Do not wait until it is done.
        #[arg(long)]
        no_wait: bool,
    },
    /// Remove the oldest segments from the gateway's machine, if they are in the archive and old enough.
    Prune(prune::Prune),
    /// Drop the index by which records are found and make it anew from the ledger, while calls go on.
    Reindex {
        /// Do not wait until it is done.
        #[arg(long)]
        no_wait: bool,
    },
}

pub(super) async fn run(
    client: impl FnOnce() -> Result<Client, Failure>,
    command: Audit,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        Audit::Tail { count, follow } => tail::tail(&client()?, count, follow, output).await,
        Audit::Verify(args) => verify::verify(&args, output),
        Audit::Prove(args) => prove::prove(&args, output),
        Audit::CheckProof(args) => prove::check(&args, output),
        Audit::Evidence(args) => evidence::make(&client()?, &args, output).await,
        Audit::CheckEvidence(args) => evidence::check(&args, output),
        Audit::Body(args) => body::read(&client()?, args, output).await,
        Audit::Erase(args) => body::erase(&client()?, args, output).await,
        Audit::Export(args) => export::export(args, output),
        Audit::RotateKey(args) => rotate::rotate(&args, output),
        Audit::Query(query) => query::run(&client()?, *query, output).await,
        Audit::Trace { id } => trace::run(&client()?, &id, output).await,
        Audit::Reindex { no_wait } => reindex::run(&client()?, no_wait, output).await,
        Audit::Archive { no_wait } => archive::run(&client()?, no_wait, output).await,
        Audit::Prune(args) => prune::run(&client()?, &args, output).await,
        Audit::Status => output.show(client()?.get("/audit/status").await?, status::told),
    }
}
