//! A reverse proxy that adds header lines and changes nothing else, for clients that cannot send a header.
//!
//! One connection to the target for each connection of a client. Requests are framed only as far as it takes to find where
//! the next one begins; answers are copied as they come, so streams stay streams; when one side goes the other is closed.
//! `Host` and `Origin` stay what the client sent: the target's own checks must see them.

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http1;
use crate::net::Target;

/// Longest request head, in bytes.
const HEAD: usize = 64 * 1024;

/// What the shim does to every request.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where requests go, with the path that replaces the client's.
    pub to: Target,
    /// Header lines (`Name: value`) that are added.
    pub headers: Vec<String>,
}

/// Forwards until cancelled.
pub async fn serve(listener: TcpListener, settings: Settings, until: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = until.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        // A client that is gone before it is accepted is its own affair.
        let Ok((client, _)) = accepted else { continue };
        let (settings, until) = (settings.clone(), until.clone());
        connections.spawn(async move {
            // However it ends, both connections are closed, which is all that either side can be told.
            tokio::select! { _ended = forward(client, &settings) => {}, () = until.cancelled() => {} }
        });
    }
    connections.close();
    connections.wait().await;
}

async fn forward(client: TcpStream, settings: &Settings) -> std::io::Result<()> {
    let server = TcpStream::connect(settings.to.address).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let requests = Requests { from: from_client, to: to_server, buffer: Vec::new(), settings };
    tokio::select! {
        ended = requests.forward() => ended,
        copied = tokio::io::copy(&mut from_server, &mut to_client) => copied.map(drop),
    }
}

struct Requests<'a> {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    buffer: Vec<u8>,
    settings: &'a Settings,
}

impl Requests<'_> {
    async fn forward(mut self) -> std::io::Result<()> {
        loop {
            let head = loop {
                if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                    break self.buffer.drain(..end + 4).collect::<Vec<u8>>();
                }
                if self.buffer.len() > HEAD {
                    return Err(std::io::Error::other("a request head without end"));
                }
                self.more().await?;
            };
            self.to.write_all(&rewritten(&head, self.settings)?).await?;
            self.forward_body(&head).await?;
        }
    }

    async fn more(&mut self) -> std::io::Result<()> {
        match self.from.read_buf(&mut self.buffer).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn forward_body(&mut self, head: &[u8]) -> std::io::Result<()> {
        if http1::header(head, "transfer-encoding").is_some() {
            return self.forward_chunks().await;
        }
        let length = http1::header(head, "content-length").and_then(|value| std::str::from_utf8(value).ok());
        self.pass(length.and_then(|length| length.parse().ok()).unwrap_or(0)).await
    }

    async fn forward_chunks(&mut self) -> std::io::Result<()> {
        loop {
            let line = loop {
                match memmem::find(&self.buffer, b"\r\n") {
                    Some(end) => break end + 2,
                    None => self.more().await?,
                }
            };
            let size = http1::chunk_size(&self.buffer[..line - 2]);
            let size = size.ok_or_else(|| std::io::Error::other("a chunk without a size"))?;
            self.pass(line + size + 2).await?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// Passes on the next `count` bytes as they come.
    async fn pass(&mut self, mut count: usize) -> std::io::Result<()> {
        while count > 0 {
            if self.buffer.is_empty() {
                self.more().await?;
            }
            let now = count.min(self.buffer.len());
            self.to.write_all(&self.buffer[..now]).await?;
            self.buffer.drain(..now);
            count -= now;
        }
        Ok(())
    }
}

/// The head with the target's path and the added lines.
fn rewritten(head: &[u8], settings: &Settings) -> std::io::Result<Vec<u8>> {
    let bad = || std::io::Error::other("no request line");
    let line = memmem::find(head, b"\r\n").ok_or_else(bad)?;
    let mut words = head[..line].splitn(3, |byte| *byte == b' ');
    let (Some(method), Some(asked), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Err(bad());
    };
    let query = asked.iter().position(|byte| *byte == b'?').map_or(&b""[..], |at| &asked[at..]);
    let mut new = [method, b" ", settings.to.path.as_bytes(), query, b" ", version, b"\r\n"].concat();
    for line in &settings.headers {
        new.extend_from_slice(line.as_bytes());
        new.extend_from_slice(b"\r\n");
    }
    new.extend_from_slice(&head[line + 2..]);
    Ok(new)
}
