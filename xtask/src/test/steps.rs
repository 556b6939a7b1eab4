//! The steps of the test command, in the order in which they run.

use anyhow::Result;

use super::Outcome::{self, Passed, Skipped};
use super::{Context, Step};
use crate::place::Profile;
use crate::run::{Run, exists};
use crate::{conformance, drift, e2e, floors, kill9, quickstart, say, setup};

const fn step(name: &'static str, what: &'static str, run: fn(&Context) -> Result<Outcome>) -> Step {
    Step { name, what, needs_build: false, run }
}

const fn with_build(name: &'static str, what: &'static str, run: fn(&Context) -> Result<Outcome>) -> Step {
    Step { name, what, needs_build: true, run }
}

pub(super) const STEPS: &[Step] = &[
    step("setup", "what the tests need is installed", |context| {
        let missing = setup::run(&context.place)?;
        Ok(if missing.is_empty() { Passed } else { Skipped(missing.join(", ")) })
    }),
    step("fmt", "the code is formatted", |context| cargo(context, &["fmt", "--all", "--check"])),
    step("floors", "the crates keep to the floor plan", |context| {
        floors::run(&context.place.root).map(|()| Passed)
    }),
    step("examples", "the sample server does what it says", |context| {
        if !exists("node") {
            return Ok(Skipped("there is no node".to_owned()));
        }
        let node = Run::new("node").dir(&context.place.root).args(["--test", "--test-reporter=spec"]);
        node.arg("examples/sample-server/server.test.mjs").status().map(|()| Passed)
    }),
    step("deny", "licences, advisories and bans", deny),
    step("machete", "no dependency is unused", |context| match exists("cargo-machete") {
        true => cargo(context, &["machete"]),
        false => Ok(Skipped("cargo-machete is not installed".to_owned())),
    }),
    step("clippy", "the code is free of warnings", |context| {
        cargo(context, &["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])
    }),
    step("build", "the binaries that the later steps run", |context| {
        context.place.build(&["bailiwick", "bailiwick-testkit"], Profile::Debug).map(|()| Passed)
    }),
    step("tests", "unit, property, corpus and whole-system tests", |context| match exists("cargo-nextest") {
        true => cargo(context, &["nextest", "run", "--locked", "--workspace", "--no-fail-fast"]),
        false => cargo(context, &["test", "--locked", "--workspace", "--all-targets", "--no-fail-fast"]),
    }),
    step("doctests", "the examples in the documentation", |context| {
        cargo(context, &["test", "--locked", "--workspace", "--doc"])
    }),
    step("rustdoc", "the links in the documentation", |context| {
        let cargo = Run::cargo().dir(&context.place.root).env("RUSTDOCFLAGS", "-D warnings");
        cargo.args(["doc", "--locked", "--workspace", "--no-deps", "--quiet"]).status().map(|()| Passed)
    }),
    with_build("drift", "the generated files are what the program generates", |context| {
        drift::run(&context.place, false).map(|()| Passed)
    }),
    step("fuzz", "the wire crate takes anything, ten seconds for each target", fuzz),
    with_build("conformance", "the official suite scores the same through the gateway", |context| {
        match setup::npm_programs(&context.place) {
            Some(_) => conformance::run(&context.place, &conformance::Options::default()).map(|()| Passed),
            None => Ok(Skipped("the npm packages are not installed".to_owned())),
        }
    }),
    with_build(
        "e2e",
        "official SDKs and reference servers work with each other through the gateway",
        |context| {
            let missing = e2e::run(&context.place)?;
            Ok(if missing.is_empty() { Passed } else { Skipped(missing.join(", ")) })
        },
    ),
    with_build("quickstart", "the quickstart works, with the debug build", |context| {
        if !exists("node") {
            return Ok(Skipped("there is no node".to_owned()));
        }
        quickstart::run(&context.place, &quickstart::Options { once: true, debug: true }).map(|()| Passed)
    }),
    with_build("kill9", "the ledger loses nothing when the gateway is killed, three times", |context| {
        kill9::run(&context.place, &kill9::Options { rounds: 3, connections: 64, release: false })
            .map(|()| Passed)
    }),
];

fn cargo(context: &Context, args: &[&str]) -> Result<Outcome> {
    Run::cargo().dir(&context.place.root).args(args).status().map(|()| Passed)
}

fn deny(context: &Context) -> Result<Outcome> {
    if !exists("cargo-deny") {
        if !context.with_deny {
            return Ok(Skipped(
                "cargo-deny is not installed; --with-deny installs it, in many minutes".to_owned(),
            ));
        }
        say::line("Installing cargo-deny: compiling it takes many minutes");
        cargo(context, &["install", "cargo-deny", "--locked"])?;
    }
    cargo(context, &["deny", "--workspace", "--all-features", "check"])
}

/// Needs a nightly compiler; the committed corpus is replayed by ordinary tests.
fn fuzz(context: &Context) -> Result<Outcome> {
    let nightly = exists("cargo-fuzz") && exists("rustup") && {
        let toolchains =
            Run::new("rustup").args(["toolchain", "list"]).output(super::Duration::from_secs(30))?;
        toolchains.lines().any(|name| name.starts_with("nightly"))
    };
    if !nightly {
        return Ok(Skipped("needs cargo-fuzz and a nightly toolchain".to_owned()));
    }
    let found = context.place.scratch("fuzz")?;
    for target in ["envelope", "headers", "sse"] {
        let fuzz = Run::new("rustup")
            .dir(&context.place.root)
            .args(["run", "nightly", "cargo", "fuzz", "run", target]);
        let inputs = found.join(target);
        std::fs::create_dir_all(&inputs)?;
        let fuzz = fuzz.arg(inputs).arg(context.place.root.join("fuzz/corpus").join(target));
        fuzz.args(["--", "-max_total_time=10", "-verbosity=0"]).status()?;
    }
    Ok(Passed)
}
