//! The tasks of the repository: `cargo xtask COMMAND`.
//!
//! They drive what a user would: Cargo, the built binaries, HTTP. Nothing of the product is linked in, so that the first
//! command of a newcomer compiles quickly.

mod bench;
mod clock;
mod conformance;
mod drift;
mod e2e;
mod floors;
mod gateway;
mod http;
mod kill9;
mod place;
mod quickstart;
mod run;
mod say;
mod setup;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use self::place::{Place, Profile};

/// Tasks of the Bailiwick repository.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Quickstart(quickstart::Options),
    Test(test::Options),
    /// Check the imports between crates.
    Floors,
    /// Check the committed generated files.
    Drift {
        /// Write them.
        #[arg(long)]
        bless: bool,
    },
    Conformance(conformance::Options),
    /// Run the official SDKs and reference servers against each other through the gateway.
    E2e,
    Kill9(kill9::Options),
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match task(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::line(format_args!("\nError: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn task(cli: Cli) -> Result<()> {
    run::watch_signals()?;
    let place = Place::find()?;
    match cli.command {
        Task::Quickstart(options) => quickstart::run(&place, &options),
        Task::Test(options) => test::run(place, &options),
        Task::Floors => floors::run(&place.root),
        Task::Drift { bless } => {
            place.build(&["bailiwick"], Profile::Debug)?;
            drift::run(&place, bless)
        }
        Task::Conformance(options) => {
            place.build(&["bailiwick", "bailiwick-testkit"], Profile::Debug)?;
            conformance::run(&place, &options)
        }
        Task::E2e => {
            place.build(&["bailiwick"], Profile::Debug)?;
            setup::run(&place)?;
            e2e::run(&place).map(drop)
        }
        Task::Kill9(options) => {
            place.build(&["bailiwick", "bailiwick-testkit"], options.profile())?;
            kill9::run(&place, &options)
        }
        Task::Bench(options) => bench::run(&place, &options),
    }
}
