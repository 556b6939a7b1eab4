//! `bailiwick audit`: the ledger of a running gateway, or a ledger's directory without one.

mod export;
mod files;
mod prove;
mod rotate;
mod status;
mod tail;
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
    /// Write records for other tools, as JSON lines or CSV, without a gateway.
    Export(export::Export),
    /// Let a new key sign the checkpoints from here on. The gateway must be stopped.
    RotateKey(rotate::RotateKey),
    /// Show how the ledger is.
    Status,
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
        Audit::Export(args) => export::export(args, output),
        Audit::RotateKey(args) => rotate::rotate(&args, output),
        Audit::Status => output.show(client()?.get("/audit/status").await?, status::told),
    }
}
