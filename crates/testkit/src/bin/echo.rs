//! `bailiwick-echo`: the upstream of benchmarks and of the ledger's oracle.
//!
//! `--http ADDRESS` (prints `listening on http://…/mcp`), `--tools N`, `--log FILE` (one line for each call, before its answer),
//! `--delay-ms N`, `--workers N`, and one of `--hang`, `--reset`, `--flood`, `--malformed`, `--wrong-id`, `--endless-sse`.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bailiwick_testkit::args::Args;
use bailiwick_testkit::echo::{self, Fault, Settings};
use bailiwick_testkit::net;

fn main() -> Result<()> {
    let mut args = Args::from_process();
    let address: SocketAddr = args.value("--http")?.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let workers = args.value("--workers")?.unwrap_or(2);
    let settings = settings(&mut args)?;
    args.finish()?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(workers).enable_all().build()?.block_on(async {
        let listener = net::listen(address, "/mcp").await?;
        echo::serve(listener, settings, net::until_signal()?).await;
        Ok(())
    })
}

fn settings(args: &mut Args) -> Result<Settings> {
    let log = match args.value::<String>("--log")? {
        Some(path) => {
            let log = OpenOptions::new().create(true).append(true).open(&path);
            Some(log.with_context(|| format!("cannot append to {path}"))?)
        }
        None => None,
    };
    let faults = [
        ("--hang", Fault::Hang),
        ("--reset", Fault::Reset),
        ("--flood", Fault::Flood),
        ("--malformed", Fault::Malformed),
        ("--wrong-id", Fault::WrongId),
        ("--endless-sse", Fault::EndlessSse),
    ];
    let faults: Vec<Fault> =
        faults.into_iter().filter(|(flag, _)| args.flag(flag)).map(|(_, fault)| fault).collect();
    ensure!(faults.len() <= 1, "a call can go wrong in one way only");
    Ok(Settings {
        tools: args.value("--tools")?.unwrap_or(100),
        log,
        delay: Duration::from_millis(args.value("--delay-ms")?.unwrap_or(0)),
        fault: faults.first().copied(),
    })
}
