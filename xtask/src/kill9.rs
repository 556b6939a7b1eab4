//! `cargo xtask kill9`: kills the gateway at random moments under load and compares what the outside saw with the ledger.
//!
//! The load generator notes every call whose answer has come, the echo server every call that it has seen; both are other
//! processes and survive. Each call has a text of its own, so the comparison is of sets, not of counts.

mod oracle;

use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use self::oracle::{Ledger, Verdict};
use crate::gateway::{Gateway, Settings};
use crate::place::{Place, Profile};
use crate::run::{Child, Run, poll};
use crate::{clock, say};

/// Kill the gateway under load, again and again, and compare its ledger with what others saw.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often.
    #[arg(long, default_value_t = 25)]
    pub(crate) rounds: usize,
    /// How many connections call at the same time.
    #[arg(long, default_value_t = 64)]
    pub(crate) connections: usize,
    /// With the release build.
    #[arg(long)]
    pub(crate) release: bool,
}

impl Options {
    /// Which build to use.
    pub(crate) fn profile(&self) -> Profile {
        if self.release { Profile::Release } else { Profile::Debug }
    }
}

/// After a kill the gateway is ready within 10 s.
const READY: Duration = Duration::from_secs(10);
/// So many calls are seen before the moment of the kill is drawn.
const WARM: u64 = 1000;
/// The moment of the kill is drawn from this many milliseconds.
const MOMENTS: u64 = 1500;
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the rounds with binaries that have to be there.
pub(crate) fn run(place: &Place, options: &Options) -> Result<()> {
    let profile = options.profile();
    let scratch = place.scratch("kill9")?;
    let seen = scratch.join("seen");
    let echo = Run::server(place.binary("bailiwick-echo", profile))
        .args(["--http", "127.0.0.1:0", "--log"])
        .arg(&seen);
    let (_echo, url) = echo.listening()?;
    let home = scratch.join("gateway");
    fs::create_dir_all(&home)?;
    let program = place.binary("bailiwick", profile);
    let mut gateway = Gateway::start(Settings { program, home, port: 0, durability: "os" })?;
    gateway.add_http_server("echo", &url)?;
    let key = gateway.add_agent("load", &["echo"])?;
    let mut ledger = Ledger::open(&gateway.data())?;

    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    for round in 1..=options.rounds {
        let acks = scratch.join(format!("acks-{round}"));
        let before = fs::metadata(&seen)?.len();
        let load = load(place, options, &gateway, &key, &acks)?;
        kill_at_a_random_moment(&mut gateway, &seen, before)?;
        ended(load)?;
        let killed = clock::now();
        gateway = gateway.start_again(READY).with_context(|| format!("round {round}"))?;
        let ready = killed.elapsed();
        let verified = gateway.verify_ledger().with_context(|| format!("round {round}: audit verify"));
        ledger.read_on()?;
        let verdict = ledger.judge(&lines(&acks)?, &lines_from(&seen, before)?);
        wrong.extend(verified.err().map(|error| format!("{error:#}")));
        wrong.extend(verdict.complaints().into_iter().map(|what| format!("round {round}: {what}")));
        rows.push(verdict.row(round, ready));
    }
    say::line(say::table(Verdict::HEAD, &rows));
    if !wrong.is_empty() {
        bail!("the ledger does not hold what was seen:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

fn load(place: &Place, options: &Options, gateway: &Gateway, key: &str, acks: &Path) -> Result<Child> {
    let url = gateway.url("/servers/echo/mcp");
    let connections = options.connections.to_string();
    let load = Run::server(place.binary("bailiwick-load", options.profile())).args(["--url", &url]);
    let load = load.args(["--connections", &connections, "--seconds", "60", "--call", "echo"]);
    let load = load.args(["--era", "2025-11-25", "--header-env", "AUTH", "--acks"]).arg(acks);
    load.env("AUTH", format!("Authorization: Bearer {key}")).log(&acks.with_extension("report"))?.spawn()
}

fn kill_at_a_random_moment(gateway: &mut Gateway, seen: &Path, before: u64) -> Result<()> {
    // A line is `call-0000-0000-000000000000` and its end.
    let warm = before + WARM * 28;
    poll(PATIENCE, "the echo server sees the load", || Ok(fs::metadata(seen)?.len() >= warm))?;
    let chance = RandomState::new().build_hasher().finish();
    thread::sleep(Duration::from_millis(chance % MOMENTS));
    gateway.child().kill()
}

/// Waits for the load generator, which ends when all its connections are cut.
fn ended(mut load: Child) -> Result<()> {
    poll(PATIENCE, "the load generator ends", || Ok(load.ended()?.is_some()))
}

fn lines(file: &Path) -> Result<Vec<String>> {
    lines_from(file, 0)
}

fn lines_from(file: &Path, offset: u64) -> Result<Vec<String>> {
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let rest = text.get(usize::try_from(offset)?..).unwrap_or_default();
    Ok(std::str::from_utf8(rest)?.lines().map(str::to_owned).collect())
}
