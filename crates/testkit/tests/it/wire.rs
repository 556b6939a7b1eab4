//! Requests as bytes, and reading a stream as it comes.

use std::net::SocketAddr;

use bailiwick_testkit::http1::Connection;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const MODERN: &str = "2026-07-28";

pub(crate) fn post(headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request =
        String::from("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    request.into_bytes()
}

pub(crate) fn legacy(id: u32, method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

pub(crate) fn modern(id: u32, method: &str, mut params: Value) -> String {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    legacy(id, method, &params)
}

/// Sends one request on a connection of its own and returns status and JSON body.
pub(crate) async fn ask(address: SocketAddr, body: &str) -> (u16, Value) {
    ask_with(address, &[], body).await
}

pub(crate) async fn ask_with(address: SocketAddr, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let mut connection = Connection::open(address).await.unwrap();
    let answer = connection.send(&post(headers, body)).await.unwrap();
    (answer.status, serde_json::from_slice(answer.body).unwrap_or_default())
}

/// A connection that is read as far as a test wants.
pub(crate) struct Stream {
    stream: TcpStream,
    seen: String,
}

impl Stream {
    pub(crate) async fn open(address: SocketAddr, request: &[u8]) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        Self { stream, seen: String::new() }
    }

    /// Reads until `needle` has come; returns everything up to its end that was not returned before.
    pub(crate) async fn until(&mut self, needle: &str) -> String {
        loop {
            if let Some(at) = self.seen.find(needle) {
                let rest = self.seen.split_off(at + needle.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let mut buffer = [0; 4096];
            let read = self.stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the stream ended before `{needle}`: {}", self.seen);
            self.seen.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
    }

    /// Whether the peer has closed it, after what it still sent.
    pub(crate) async fn is_cut(&mut self) -> bool {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).await.is_ok_and(|_| !rest.ends_with(b"0\r\n\r\n"))
    }
}
