//! `cargo xtask bench`: what the gateway costs, beside no proxy at all and beside a plain nginx, in one run on one machine.
//!
//! Load generator, proxies and server are separate processes. The ways are taken in turn, several rounds long, and medians
//! are shown, so that what else the machine does falls on all of them. The bars are ratios for the same reason.

mod bars;
mod memory;
pub(crate) mod nginx;
mod process;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use self::bars::Measured;
use self::nginx::Nginx;
use self::process::Processes;
use crate::gateway::{Gateway, Settings};
use crate::place::{Place, Profile, Scratch};
use crate::run::Run;
use crate::{say, setup};

/// Measure direct, nginx and gateway in turn.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Revisions to speak, with commas between: 2025-11-25, 2026-07-28.
    #[arg(long, default_value = "2025-11-25", value_delimiter = ',')]
    era: Vec<String>,
    /// How often each scenario is run on each way.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long one run takes.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Leave out memory, durability `disk` and captured payloads.
    #[arg(long)]
    brief: bool,
}

/// What is called, over how many connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    name: &'static str,
    call: &'static str,
    connections: usize,
}

const fn scenario(name: &'static str, call: &'static str, connections: usize) -> Scenario {
    Scenario { name, call, connections }
}

const ECHO: &[Scenario] =
    &[scenario("echo, 1", "echo", 1), scenario("echo, 16", "echo", 16), scenario("echo, 64", "echo", 64)];
const OTHERS: &[Scenario] = &[scenario("100 kB, 16", "blob", 16), scenario("list of 100, 16", "list", 16)];

const PATIENCE: Duration = Duration::from_secs(120);

/// A way for calls to take.
struct Way {
    name: &'static str,
    url: String,
    /// The key that is shown.
    key: String,
    /// Whose CPU time and memory the way costs.
    proxy: Processes,
}

impl Way {
    fn through(name: &'static str, gateway: &Gateway, key: String) -> Self {
        Self { name, url: gateway.url("/servers/echo/mcp"), key, proxy: Processes::one(gateway.pid()) }
    }
}

/// Measures and prints; an error if a bar is missed.
pub(crate) fn run(place: &Place, options: &Options) -> Result<()> {
    setup::debian(&[&setup::NGINX])?;
    say::heading("Building the release");
    place.build(&["bailiwick", "bailiwick-testkit"], Profile::Release)?;
    memory::allow_many_files()?;
    let scratch = place.scratch("bench")?;
    let bench = Bench { place, options, echo: place.binary("bailiwick-echo", Profile::Release) };
    let (_echo, direct) = Run::server(&bench.echo)
        .args(["--http", "127.0.0.1:0", "--tools", "100", "--workers", "2"])
        .listening()?;
    let nginx = Nginx::start(&scratch.join("nginx"), &direct)?;
    let (gateway, key) = bench.gateway(scratch.join("os"), "os", &direct)?;
    let mut missed = Vec::new();
    if !options.brief {
        say::heading("Memory");
        missed.extend(memory::measure(&gateway, &key)?);
    }
    let ways = [
        Way { name: "direct", url: direct.clone(), key: key.clone(), proxy: Processes::none() },
        Way { name: "nginx", url: nginx.url("/mcp"), key: key.clone(), proxy: nginx.processes()? },
        Way::through("gateway", &gateway, key),
    ];
    for era in &options.era {
        say::heading(format_args!(
            "{era}, ledger durability `os`, {} rounds of {} s",
            options.rounds, options.seconds
        ));
        let scenarios: Vec<_> = ECHO.iter().chain(OTHERS).copied().collect();
        let measured = bench.measure(&ways, &scenarios, era)?;
        say::line(bars::table(&measured));
        say::heading("Bars");
        missed.extend(bars::check(&measured)?.into_iter().map(|bar| format!("{era}: {bar}")));
    }
    drop(gateway);
    if !options.brief {
        missed.extend(bench.strengths(&scratch, &direct)?);
    }
    if !missed.is_empty() {
        bail!("bars missed:\n  {}", missed.join("\n  "));
    }
    Ok(())
}

struct Bench<'a> {
    place: &'a Place,
    options: &'a Options,
    echo: PathBuf,
}

impl Bench<'_> {
    fn gateway(&self, home: PathBuf, durability: &'static str, echo: &str) -> Result<(Gateway, String)> {
        std::fs::create_dir_all(&home)?;
        let program = self.place.binary("bailiwick", Profile::Release);
        let gateway = Gateway::start(Settings { program, home, port: 0, durability })?;
        gateway.add_http_server("echo", echo)?;
        let key = gateway.add_agent("load", &["echo"])?;
        Ok((gateway, key))
    }

    /// What the ledger's strengths cost beside the usual one: durability `disk`, and captured payloads.
    fn strengths(&self, scratch: &Scratch, direct: &str) -> Result<Vec<String>> {
        let (usual, usual_key) = self.gateway(scratch.join("usual"), "os", direct)?;
        let (disk, disk_key) = self.gateway(scratch.join("disk"), "disk", direct)?;
        let (capture, capture_key) = self.gateway(scratch.join("capture"), "os", direct)?;
        capture.json(&["server", "capture", "echo", "--arguments", "redacted", "--results", "redacted"])?;
        let ways = [
            Way::through("gateway", &usual, usual_key),
            Way::through("disk", &disk, disk_key),
            Way::through("capture", &capture, capture_key),
        ];
        let mut missed = Vec::new();
        for era in &self.options.era {
            say::heading(format_args!("{era}, ledger durability `disk`, and redacted capture"));
            let measured = self.measure(&ways, ECHO, era)?;
            say::line(bars::table(&measured));
            say::heading("Bars");
            missed.extend(bars::check_strengths(&measured)?.into_iter().map(|bar| format!("{era}: {bar}")));
        }
        Ok(missed)
    }

    /// Every scenario on every way in turn, all rounds.
    fn measure(&self, ways: &[Way], scenarios: &[Scenario], era: &str) -> Result<Vec<Measured>> {
        let mut measured = Vec::new();
        for scenario in scenarios {
            let mut of_ways: Vec<Measured> =
                ways.iter().map(|way| Measured::new(*scenario, way.name)).collect();
            for round in 1..=self.options.rounds {
                for (way, measured) in ways.iter().zip(&mut of_ways) {
                    // The first moments open connections and fill caches, and are not what is asked for.
                    self.load(way, *scenario, era, 0.5)?;
                    let before = way.proxy.cpu()?;
                    let report = self.load(way, *scenario, era, self.options.seconds)?;
                    let cpu = way.proxy.cpu()?.saturating_sub(before);
                    measured.add(&report, cpu, way.proxy.resident()?).with_context(|| format!("{report}"))?;
                }
                say::line(format_args!("{}: round {round} of {}", scenario.name, self.options.rounds));
            }
            measured.extend(of_ways);
        }
        Ok(measured)
    }

    fn load(&self, way: &Way, scenario: Scenario, era: &str, seconds: f64) -> Result<Value> {
        let load =
            Run::server(self.place.binary("bailiwick-load", Profile::Release)).args(["--url", &way.url]);
        let load = load.args([
            "--connections",
            &scenario.connections.to_string(),
            "--seconds",
            &seconds.to_string(),
        ]);
        let load = load.args(["--call", scenario.call, "--era", era, "--header-env", "AUTH"]);
        let printed = load.env("AUTH", format!("Authorization: Bearer {}", way.key)).output(PATIENCE)?;
        let report: Value = serde_json::from_str(&printed)?;
        if report["errors"] != 0 {
            bail!("{} of {}: calls failed: {}", scenario.name, way.name, report["error_kinds"]);
        }
        Ok(report)
    }
}
