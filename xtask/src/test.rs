//! `cargo xtask test`: everything that has to hold before a change lands, cheap first.
//!
//! The steps are one list. A failed step does not stop the others, unless they need what it should have built.

mod steps;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use self::steps::STEPS;
use crate::place::Place;
use crate::{clock, run, say};

/// Run all tests, or only the named steps.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these steps, by name.
    steps: Vec<String>,
    /// Install cargo-deny if it is not there; compiling it takes many minutes.
    #[arg(long)]
    with_deny: bool,
    /// List the steps and end.
    #[arg(long)]
    list: bool,
}

/// How a step went, if it did not fail.
enum Outcome {
    Passed,
    Skipped(String),
}

/// One thing to check.
struct Step {
    name: &'static str,
    what: &'static str,
    /// Whether it runs binaries that the step `build` has built.
    needs_build: bool,
    run: fn(&Context) -> Result<Outcome>,
}

/// What steps work with.
struct Context {
    place: Place,
    with_deny: bool,
}

struct Done {
    name: &'static str,
    result: Result<Outcome>,
    took: Duration,
}

/// Runs the steps.
pub(crate) fn run(place: Place, options: &Options) -> Result<()> {
    if options.list {
        STEPS.iter().for_each(|step| say::line(format_args!("{:<12} {}", step.name, step.what)));
        return Ok(());
    }
    if let Some(unknown) = options.steps.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        bail!("there is no step `{unknown}`: see `cargo xtask test --list`");
    }
    let context = Context { place, with_deny: options.with_deny };
    let wanted =
        |step: &&Step| options.steps.is_empty() || options.steps.iter().any(|name| name == step.name);
    let mut done: Vec<Done> = Vec::new();
    for step in STEPS.iter().filter(wanted) {
        if run::interrupted() {
            break;
        }
        let built = !done.iter().any(|earlier| earlier.name == "build" && earlier.result.is_err());
        done.push(one(step, &context, built));
    }
    report(&done)
}

fn one(step: &Step, context: &Context, built: bool) -> Done {
    say::heading(format_args!("{}: {}", step.name, step.what));
    let started = clock::now();
    let result = match step.needs_build && !built {
        true => Ok(Outcome::Skipped("the build failed".to_owned())),
        false => (step.run)(context),
    };
    match &result {
        Ok(Outcome::Passed) => {}
        Ok(Outcome::Skipped(why)) => say::line(format_args!("SKIPPED: {why}")),
        Err(error) => say::line(format_args!("FAILED: {error:#}")),
    }
    Done { name: step.name, result, took: started.elapsed() }
}

fn report(done: &[Done]) -> Result<()> {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let mut rows = Vec::new();
    for Done { name, result, took } in done {
        let (word, why) = match result {
            Ok(Outcome::Passed) => ("passed", String::new()),
            Ok(Outcome::Skipped(why)) => ("skipped", why.clone()),
            Err(error) => ("FAILED", format!("{error:#}").lines().next().unwrap_or_default().to_owned()),
        };
        match result {
            Ok(Outcome::Passed) => passed += 1,
            Ok(Outcome::Skipped(_)) => skipped += 1,
            Err(_) => failed += 1,
        }
        let seconds = format!("{:.1}", took.as_secs_f64());
        rows.push(vec![(*name).to_owned(), seconds, word.to_owned(), why]);
    }
    say::heading("Summary");
    say::line(say::table(&["step", "seconds", "result", ""], &rows));
    say::line(format_args!("{passed} passed, {failed} failed, {skipped} skipped"));
    match (failed, run::interrupted()) {
        (_, true) => bail!("interrupted"),
        (0, false) => Ok(()),
        _ => bail!("{failed} of {} steps failed", done.len()),
    }
}
