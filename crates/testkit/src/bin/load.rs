//! `bailiwick-load`: makes load and prints one line of JSON.
//!
//! `--url http://HOST:PORT/PATH`, `--connections N`, `--seconds S` or `--requests N`, `--warmup-ms N`, `--call echo|blob|list`,
//! `--tool NAME`, `--era 2025-11-25|2026-07-28`, `--header 'Name: value'` (repeatable), `--header-env NAME` (a header line in
//! an environment variable, so that it is in no process list), `--timeout-ms N`, `--reconnect`, `--acks FILE`.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bailiwick_testkit::args::Args;
use bailiwick_testkit::load::{self, Era, Operation, Settings, Until};
use bailiwick_testkit::net;

fn main() -> Result<()> {
    let mut args = Args::from_process();
    let settings = settings(&mut args)?;
    args.finish()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(load::run(settings))?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&report)?)?;
    Ok(())
}

fn settings(args: &mut Args) -> Result<Settings> {
    let url: String = args.required("--url")?;
    let target = net::Target::parse(&url)?;
    let operation: Operation = args.value("--call")?.unwrap_or(Operation::Echo);
    let until = match (args.value("--seconds")?, args.value("--requests")?) {
        (None, Some(requests)) => Until::Requests(requests),
        (seconds, None) => Until::Elapsed(Duration::try_from_secs_f64(seconds.unwrap_or(5.0))?),
        (Some(_), Some(_)) => bail!("say --seconds or --requests, not both"),
    };
    let acks = match args.value::<String>("--acks")? {
        Some(path) => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
            Some(file.with_context(|| format!("cannot append to {path}"))?)
        }
        None => None,
    };
    let tool = match operation {
        Operation::Blob => "blob",
        Operation::Echo | Operation::List => "echo",
    };
    Ok(Settings {
        address: target.address,
        host: target.authority,
        path: target.path,
        headers: net::header_lines(args)?,
        connections: args.value("--connections")?.unwrap_or(1),
        until,
        warmup: Duration::from_millis(args.value("--warmup-ms")?.unwrap_or(0)),
        era: args.value("--era")?.unwrap_or(Era::Legacy),
        operation,
        tool: args.value("--tool")?.unwrap_or_else(|| tool.to_owned()),
        timeout: Duration::from_millis(args.value("--timeout-ms")?.unwrap_or(10_000)),
        reconnect: args.flag("--reconnect"),
        acks,
    })
}
