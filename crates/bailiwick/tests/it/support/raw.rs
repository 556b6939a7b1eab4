//! A bare socket: requests that no HTTP client would send, answers byte for byte.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::PATIENCE;

/// All that came until the gateway closed the connection.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) text: String,
    /// From the last byte sent to the end.
    pub(crate) took: Duration,
}

impl RawAnswer {
    /// The statuses of all answers.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let lines = self.text.split("HTTP/1.1 ").skip(1);
        lines.map(|rest| rest.get(..3).unwrap().parse().unwrap()).collect()
    }

    /// The answer without what tells the time.
    pub(crate) fn timeless(&self) -> String {
        let kept = self.text.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
        kept.collect::<Vec<_>>().join("\r\n")
    }
}

/// Sends bytes and reads until the gateway closes, which it has to do.
pub(crate) async fn raw(base: &str, request: impl AsRef<[u8]>) -> RawAnswer {
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The gateway may refuse and close before it has read everything.
    let _refused_early = stream.write_all(request.as_ref()).await;
    let sent = tokio::time::Instant::now();
    let mut bytes = Vec::new();
    let read = async {
        let mut buffer = [0; 4096];
        // A reset after the answer is an end like any other.
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..count]);
        }
    };
    let ended = tokio::time::timeout(PATIENCE, read).await;
    let text = String::from_utf8(bytes).unwrap();
    assert!(ended.is_ok(), "the connection stays open after: {text}");
    RawAnswer { text, took: sent.elapsed() }
}
