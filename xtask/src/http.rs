//! As much HTTP as xtask needs to be a client of the gateway: one request on one connection, over loopback.
//!
//! Written by hand, because an HTTP client would be most of what a newcomer's first command compiles.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Sends a request and reads the answer to its end.
pub(crate) fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Response> {
    let (authority, path) = split(url)?;
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).with_context(|| format!("no whole answer from {url}"))?;
    parse(&answer).with_context(|| format!("{url} does not answer in HTTP"))
}

/// An MCP request of revision 2026-07-28; its result.
pub(crate) fn mcp(url: &str, key: &str, method: &str, mut params: Value) -> Result<Value> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "xtask", "version": env!("CARGO_PKG_VERSION") },
    });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let authorization = format!("Bearer {key}");
    let mut headers = vec![
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", method),
    ];
    headers.extend(params["name"].as_str().map(|name| ("Mcp-Name", name)));
    let Response { status, body } = send("POST", url, &headers, &body)?;
    let answer =
        answer(&body).with_context(|| format!("{method}: status {status}, no JSON-RPC answer: {body}"))?;
    match answer.get("result") {
        Some(result) => Ok(result.clone()),
        None => bail!("{method}: status {status}: {}", answer["error"]),
    }
}

/// The answer to request 1 in a JSON body or in an event stream.
fn answer(body: &str) -> Option<Value> {
    let events = body.lines().filter_map(|line| line.strip_prefix("data:"));
    std::iter::once(body)
        .chain(events)
        .filter_map(|text| serde_json::from_str(text.trim()).ok())
        .find(|message: &Value| message["id"] == 1)
}

fn split(url: &str) -> Result<(&str, &str)> {
    let rest = url.strip_prefix("http://").with_context(|| format!("`{url}` is no plain HTTP URL"))?;
    Ok(rest.find('/').map_or((rest, "/"), |at| rest.split_at(at)))
}

fn parse(answer: &[u8]) -> Result<Response> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("the head has no end")?;
    let head = std::str::from_utf8(&answer[..end])?;
    let mut words = head.split(' ');
    let status = words.nth(1).context("no status")?.parse()?;
    let body = &answer[end + 4..];
    let chunked = head.lines().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked"));
    let body = if chunked { joined(body)? } else { body.to_vec() };
    Ok(Response { status, body: String::from_utf8(body)? })
}

fn joined(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").context("a chunk has no length")?;
        let digits = std::str::from_utf8(&rest[..end])?.split(';').next().unwrap_or_default();
        let length = usize::from_str_radix(digits.trim(), 16)?;
        let chunk = rest.get(end + 2..end + 2 + length).context("a chunk is cut")?;
        if length == 0 {
            return Ok(body);
        }
        body.extend_from_slice(chunk);
        rest = rest.get(end + 4 + length..).context("a chunk has no end")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_a_length_and_in_chunks() {
        let plain = parse(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno").unwrap();
        assert_eq!((plain.status, plain.body.as_str()), (404, "no"));
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n";
        assert_eq!(parse(chunked).unwrap().body, "abcde");
        assert!(parse(&chunked[..chunked.len() - 10]).is_err());
    }

    #[test]
    fn an_answer_is_found_among_events() {
        let body = "event: message\ndata: {\"method\":\"notifications/progress\"}\n\ndata: {\"id\":1,\"result\":{}}\n\n";
        assert_eq!(answer(body).unwrap()["result"], json!({}));
        assert_eq!(answer("{\"id\":1,\"result\":2}").unwrap()["result"], 2);
        assert!(answer("nothing").is_none());
    }

    #[test]
    fn an_url_is_split_at_its_path() {
        assert_eq!(split("http://127.0.0.1:1/mcp").unwrap(), ("127.0.0.1:1", "/mcp"));
        assert_eq!(split("http://127.0.0.1:1").unwrap(), ("127.0.0.1:1", "/"));
        assert!(split("https://a").is_err());
    }
}
