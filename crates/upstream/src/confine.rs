//! The inside of the helper process in which a stdio program runs.
//!
//! The gateway starts its own executable again with [`ARGUMENT`] in front: three stages, each an `exec`, so that nothing
//! runs between `fork` and `exec` and no code is unsafe.
//! 1. `watch`: makes namespaces, waits for the gateway's end of standard error to close (the gateway is gone, however it
//!    ended) or for the program to end, and then kills everything below itself.
//! 2. `init`: the first process of the PID namespace; builds the file system that the program sees, reaps orphans.
//! 3. `run`: takes the program's identity and limits upon itself, reports, and becomes the program.
//!
//! The binary calls [`main`] before anything else when [`is_helper`] says so.

mod filter;
mod limit;
mod paths;
mod plan;
mod report;
mod root;
mod run;
mod watch;

pub use plan::{Mode, Plan};
pub use report::Report;

use std::ffi::OsString;

use plan::{Stage, StageArgs};

/// The first argument by which the executable knows that it is the helper.
pub const ARGUMENT: &str = "__confine";

/// What the first line of a child's standard error begins with: the report follows as JSON.
pub(crate) const REPORT: &str = "bailiwick-confined ";

/// What it begins with if the program could not be started; a sentence follows.
pub(crate) const FAILURE: &str = "bailiwick-not-started ";

/// What it begins with if namespaces can be made here but no file system in them; the reason follows.
pub(crate) const NO_NAMESPACES: &str = "bailiwick-no-namespaces ";

/// Whether these arguments, without the program's own name, ask for the helper.
pub fn is_helper(mut args: impl Iterator<Item = OsString>) -> bool {
    args.next().is_some_and(|first| first == ARGUMENT)
}

/// Runs as helper, with the arguments after the program's own name. Ends the process.
pub fn main(args: impl Iterator<Item = OsString>) -> ! {
    let outcome = StageArgs::parse(args.skip(1)).and_then(|args| match args.stage {
        Stage::Watch => watch::watch(args.plan),
        Stage::Init => watch::init(args.plan),
        Stage::Run => run::run(&args.plan),
    });
    let code = outcome.unwrap_or_else(|why| {
        report::say(FAILURE, &why.to_string());
        126
    });
    std::process::exit(code)
}
