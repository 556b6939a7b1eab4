//! Memory of an idle gateway, and with a thousand idle streams.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Resource, getrlimit, setrlimit};

use super::process::Processes;
use crate::gateway::Gateway;
use crate::say;

const STREAMS: usize = 1000;
/// The bars, in bytes.
const IDLE: u64 = 40_000_000;
const MORE: u64 = 60_000_000;

/// Lets this process and its children open as many files as the system allows them to.
pub(super) fn allow_many_files() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("the limit of open files")
}

/// Measures a gateway that has not worked yet; the bars that it misses.
pub(super) fn measure(gateway: &Gateway, key: &str) -> Result<Vec<String>> {
    let process = Processes::one(gateway.pid());
    let idle = process.resident()?;
    let streams = (0..STREAMS).map(|_| open_stream(gateway, key)).collect::<Result<Vec<_>>>()?;
    let more = process.resident()?.saturating_sub(idle);
    drop(streams);
    let mut missed = Vec::new();
    let count = format!("{STREAMS} idle streams");
    for (what, found, bar) in [("idle", idle, IDLE), (&count, more, MORE)] {
        let verdict = if found <= bar { "pass" } else { "FAIL" };
        let line = format!("memory, {what}: {:.1} MB, at most {}", megabytes(found), megabytes(bar));
        say::line(format_args!("{verdict}  {line}"));
        if found > bar {
            missed.push(line);
        }
    }
    Ok(missed)
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
pub(super) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A session of its own and its GET stream, which stays open as long as the connection.
fn open_stream(gateway: &Gateway, key: &str) -> Result<TcpStream> {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
    let post = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let accept = "Accept: application/json, text/event-stream\r\n";
    let (_, headers) =
        send(gateway, &format!("POST /mcp HTTP/1.1\r\nAuthorization: Bearer {key}\r\n{accept}{post}"))?;
    let session = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("mcp-session-id").then(|| value.to_owned())
    });
    let session = session.context("initialize gives no session")?;
    let get = format!(
        "GET /mcp HTTP/1.1\r\nAuthorization: Bearer {key}\r\nAccept: text/event-stream\r\nMcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n\r\n"
    );
    Ok(send(gateway, &get)?.0)
}

/// Sends a request and reads the head of its answer, which has to be 200.
fn send(gateway: &Gateway, request: &str) -> Result<(TcpStream, Vec<String>)> {
    let url = gateway.url("");
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let (line, rest) = request.split_once("\r\n").context("a request has lines")?;
    stream.write_all(format!("{line}\r\nHost: {host}\r\n{rest}").as_bytes())?;
    let lines = BufReader::new(stream.try_clone()?).lines();
    let head: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    if !head.first().is_some_and(|status| status.contains(" 200")) {
        bail!("{line}: {}", head.join(" | "));
    }
    Ok((stream, head))
}
