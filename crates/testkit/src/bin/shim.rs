//! `bailiwick-shim`: adds header lines to every request and changes nothing else.
//!
//! `--to http://HOST:PORT/PATH`, `--http ADDRESS` (prints `listening on http://…/mcp`), `--header 'Name: value'`, and better for
//! secrets `--header-env NAME`, an environment variable that holds the line.

use std::net::SocketAddr;

use anyhow::Result;
use bailiwick_testkit::args::Args;
use bailiwick_testkit::net::{self, Target};
use bailiwick_testkit::shim::{self, Settings};

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = Args::from_process();
    let address: SocketAddr = args.value("--http")?.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let to: String = args.required("--to")?;
    let settings = Settings { to: Target::parse(&to)?, headers: net::header_lines(&mut args)? };
    args.finish()?;
    let listener = net::listen(address, "/mcp").await?;
    shim::serve(listener, settings, net::until_signal()?).await;
    Ok(())
}
