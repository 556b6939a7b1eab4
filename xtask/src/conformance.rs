//! `cargo xtask conformance`: the official suite against the fixture directly, then through the gateway, which has to score
//! exactly the same, check by check.
//!
//! The suite cannot send a header, so a shim in front of the gateway adds the `Authorization` and leaves the rest alone.

mod score;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use self::score::Score;
use crate::gateway::{Gateway, Settings};
use crate::place::{Place, Profile};
use crate::run::{Child, Run, path_with, poll};
use crate::{say, setup};

/// Compare what the fixture scores in the official suite directly and through the gateway.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Only with this kind of upstream.
    #[arg(long)]
    only: Option<Upstream>,
    /// Only these requirements: 2025-11-25, 2026-07-28 or 2025-06-18.
    #[arg(long)]
    requirements: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Upstream {
    Http,
    Stdio,
}

/// The revisions, and how the suite is told to test for each.
const SUITES: &[(&str, &[&str])] = &[
    ("2025-11-25", &["--requirements", "2025-11-25"]),
    ("2026-07-28", &["--requirements", "2026-07-28"]),
    ("2025-06-18", &["--suite", "all", "--spec-version", "2025-06-18"]),
];

/// Scenarios about what the HTTP transport of a server itself does: one on stdio has no streams that it could close
/// to be polled (spec 2025-11-25 basic/transports), so there is nothing to compare.
const OF_HTTP: &[&str] = &["server-server-sse-polling"];

/// A run of the suite; measured at 20 s on two busy cores.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs it all with debug builds, which have to be there.
pub(crate) fn run(place: &Place, options: &Options) -> Result<()> {
    let suite = Suite::find(place)?;
    let scratch = place.scratch("conformance")?;
    let fixture = place.binary("bailiwick-fixture", Profile::Debug);
    let (_running, direct) = Run::server(&fixture).args(["--http", "127.0.0.1:0"]).listening()?;

    let home = scratch.join("gateway");
    std::fs::create_dir_all(&home)?;
    let program = place.binary("bailiwick", Profile::Debug);
    let gateway = Gateway::start(Settings { program, home, port: 0, durability: "os" })?;
    let fixture = fixture.to_string_lossy();
    gateway.add_http_server("http", &direct)?;
    gateway.add_stdio_server("stdio", &[&place.target], &[&fixture, "--stdio"])?;
    let key = gateway.add_agent("suite", &["http", "stdio"])?;

    let (_http_shim, http) = shim(place, &gateway, "http", &key)?;
    let (_stdio_shim, stdio) = shim(place, &gateway, "stdio", &key)?;
    let ways = [(Upstream::Http, "http", http), (Upstream::Stdio, "stdio", stdio)];
    let mut differences = Vec::new();
    let mut rows = Vec::new();
    for (name, args) in
        SUITES.iter().filter(|(name, _)| options.requirements.as_ref().is_none_or(|only| only == name))
    {
        let expected = suite.score(&direct, args, &scratch.join(format!("{name}-direct")))?;
        rows.push(expected.row(name, "direct"));
        for (kind, way, url) in ways.iter().filter(|(kind, ..)| options.only.is_none_or(|only| only == *kind))
        {
            let found = suite.score(url, args, &scratch.join(format!("{name}-{way}")))?;
            rows.push(found.row(name, &format!("gateway, {kind:?} upstream").to_lowercase()));
            let own = if *kind == Upstream::Stdio { OF_HTTP } else { &[] };
            let different = expected.differences(&found, own);
            differences.extend(different.into_iter().map(|what| format!("{name}, {way}: {what}")));
        }
    }
    say::line(say::table(&["requirements", "way", "scenarios", "passed", "failed"], &rows));
    if rows.is_empty() {
        bail!("there are no such requirements");
    }
    if !differences.is_empty() {
        bail!(
            "the gateway changes what the suite sees:\n  {}\nits log ends with:\n{}",
            differences.join("\n  "),
            gateway.log()
        );
    }
    Ok(())
}

fn shim(place: &Place, gateway: &Gateway, server: &str, key: &str) -> Result<(Child, String)> {
    let to = gateway.url(&format!("/servers/{server}/mcp"));
    let shim = Run::server(place.binary("bailiwick-shim", Profile::Debug)).args([
        "--http",
        "127.0.0.1:0",
        "--to",
        &to,
    ]);
    shim.args(["--header-env", "AUTH"]).env("AUTH", format!("Authorization: Bearer {key}")).listening()
}

/// The installed suite.
struct Suite {
    programs: PathBuf,
}

impl Suite {
    fn find(place: &Place) -> Result<Self> {
        setup::npm(place)?;
        let programs = setup::npm_programs(place).context("the npm packages are not installed")?;
        Ok(Self { programs })
    }

    fn score(&self, url: &str, args: &[&str], out: &Path) -> Result<Score> {
        let log = out.with_extension("log");
        let suite = Run::new(self.programs.join("conformance")).env("PATH", path_with(&self.programs)?);
        let suite = suite.args(["server", "--url", url]).args(args).arg("-o").arg(out);
        let mut running = suite.log(&log)?.spawn()?;
        // Its exit code says whether checks failed; which ones, its output folder says better.
        poll(PATIENCE, "the conformance suite", || Ok(running.ended()?.is_some()))?;
        Score::read(out).with_context(|| std::fs::read_to_string(&log).unwrap_or_default())
    }
}
