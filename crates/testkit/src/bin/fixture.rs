//! `bailiwick-fixture`: the conformance fixture as a process.
//!
//! `--http 127.0.0.1:PORT` serves Streamable HTTP and prints `listening on http://…/mcp`; `--stdio` serves standard input and
//! output; `--misbehave KIND` is a stdio server that does harm. Ends on SIGTERM and SIGINT, on stdio also with its client.

use std::process::ExitCode;

use anyhow::{Result, bail};
use bailiwick_testkit::args::Args;
use bailiwick_testkit::misbehave::{self, Misbehaviour};
use bailiwick_testkit::{fixture, net};

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut args = Args::from_process();
    let http: Option<std::net::SocketAddr> = args.value("--http")?;
    let stdio = args.flag("--stdio");
    let misbehaviour: Option<Misbehaviour> = args.value("--misbehave")?;
    args.finish()?;
    match (http, stdio, misbehaviour) {
        (Some(address), false, None) => {
            let listener = net::listen(address, "/mcp").await?;
            fixture::http(listener, net::until_signal()?).await;
        }
        (None, true, None) => {
            tokio::select! { served = fixture::stdio() => served?, () = net::until_signal()?.cancelled_owned() => {} }
        }
        (None, _, Some(kind)) => return leave(ExitCode::from(misbehave::run(kind).await?)),
        _ => bail!("say one of --http ADDRESS, --stdio, --misbehave KIND"),
    }
    leave(ExitCode::SUCCESS)
}

/// Ends the process at once: a blocked read of standard input must not hold it.
fn leave(code: ExitCode) -> Result<ExitCode> {
    if code == ExitCode::SUCCESS {
        std::process::exit(0);
    }
    Ok(code)
}
