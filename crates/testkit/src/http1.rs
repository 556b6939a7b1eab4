//! The smallest HTTP/1.1 client that is of use: one connection, one request at a time, no allocation for each.
//!
//! The load generator must cost less than what it measures; and tests that need to see an exact byte want nobody between.

use std::ops::Range;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, ToSocketAddrs};

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum Http1Error {
    /// The connection could not be made or broke.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The server closed the connection before the end of the answer.
    #[error("the server closed the connection")]
    Closed,
    /// What came is no HTTP/1.1.
    #[error("the answer is no HTTP/1.1")]
    Malformed,
}

/// A keep-alive connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, borrowed from the connection until its next request.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// Whether the server will close the connection after it.
    pub close: bool,
    head: &'a [u8],
    /// The body without its framing.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// A header's value, trimmed.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name).and_then(|value| std::str::from_utf8(value).ok())
    }
}

enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

struct Head {
    status: u16,
    end: usize,
    framing: Framing,
    close: bool,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn open(address: impl ToSocketAddrs) -> Result<Self, Http1Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a whole request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection breaks or the answer is no HTTP/1.1. The connection is of no use afterwards.
    pub async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>, Http1Error> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            self.more().await?;
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break read_head(&self.buffer[..end + 4])?;
            }
        };
        let body = self.read_body(&head).await?;
        let close = head.close || matches!(head.framing, Framing::UntilClose);
        Ok(Answer { status: head.status, close, head: &self.buffer[..head.end], body: &self.buffer[body] })
    }

    async fn more(&mut self) -> Result<usize, Http1Error> {
        if self.buffer.capacity() - self.buffer.len() < 4096 {
            self.buffer.reserve(64 * 1024);
        }
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(Http1Error::Closed),
            read => Ok(read),
        }
    }

    async fn read_body(&mut self, head: &Head) -> Result<Range<usize>, Http1Error> {
        match head.framing {
            Framing::Length(length) => {
                while self.buffer.len() < head.end + length {
                    self.more().await?;
                }
                Ok(head.end..head.end + length)
            }
            Framing::Chunked => self.read_chunks(head.end).await,
            Framing::UntilClose => loop {
                match self.more().await {
                    Ok(_) => {}
                    Err(Http1Error::Closed) => return Ok(head.end..self.buffer.len()),
                    Err(error) => return Err(error),
                }
            },
        }
    }

    /// Moves the chunks together in place.
    async fn read_chunks(&mut self, start: usize) -> Result<Range<usize>, Http1Error> {
        let (mut body_end, mut next) = (start, start);
        loop {
            let line = loop {
                match memmem::find(&self.buffer[next..], b"\r\n") {
                    Some(at) => break next..next + at,
                    None => self.more().await?,
                };
            };
            let data = line.end + 2;
            let size = chunk_size(&self.buffer[line]).ok_or(Http1Error::Malformed)?;
            while self.buffer.len() < data + size + 2 {
                self.more().await?;
            }
            if size == 0 {
                return Ok(start..body_end);
            }
            self.buffer.copy_within(data..data + size, body_end);
            body_end += size;
            next = data + size + 2;
        }
    }
}

/// The size of a chunk from its line, without extensions.
pub(crate) fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?;
    usize::from_str_radix(std::str::from_utf8(digits).ok()?.trim(), 16).ok()
}

/// A header's value from a message head, trimmed.
pub(crate) fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
        let (key, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        key.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii())
    })
}

fn read_head(head: &[u8]) -> Result<Head, Http1Error> {
    let status =
        head.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3)).ok_or(Http1Error::Malformed)?;
    let status = std::str::from_utf8(status).ok().and_then(|status| status.parse().ok());
    let length =
        header(head, "content-length").and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
    let chunked =
        || header(head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"));
    let close = header(head, "connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"));
    let status: u16 = status.ok_or(Http1Error::Malformed)?;
    let framing = match length {
        Some(length) => Framing::Length(length),
        None if chunked() => Framing::Chunked,
        None if status == 204 || status == 304 => Framing::Length(0),
        None => Framing::UntilClose,
    };
    Ok(Head { status, end: head.len(), framing, close })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn answered(pieces: &[&str]) -> Result<(u16, bool, String), Http1Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            for piece in pieces {
                stream.write_all(piece.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let ask = async {
            let mut connection = Connection::open(address).await?;
            let answer = connection.send(b"x").await?;
            Ok((answer.status, answer.close, String::from_utf8_lossy(answer.body).into_owned()))
        };
        tokio::join!(serve, ask).1
    }

    #[tokio::test]
    async fn bodies_of_every_framing_are_read() {
        let sized = answered(&["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 5\r\n\r\nhe", "llo"]).await.unwrap();
        assert_eq!(sized, (200, false, "hello".to_owned()));
        let chunked = "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let chunked = answered(&[chunked, "3\r\nhel\r", "\n2;x=y\r\nlo\r\n0\r\n", "\r\n"]).await.unwrap();
        assert_eq!(chunked, (404, true, "hello".to_owned()));
        let until_close = answered(&["HTTP/1.1 200 OK\r\n\r\nhel", "lo"]).await.unwrap();
        assert_eq!(until_close, (200, true, "hello".to_owned()));
    }

    #[tokio::test]
    async fn a_cut_answer_is_an_error() {
        let cut = answered(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"]).await;
        assert!(matches!(cut, Err(Http1Error::Closed)), "{cut:?}");
        let noise = answered(&["SSH-2.0-x\r\n\r\n"]).await;
        assert!(matches!(noise, Err(Http1Error::Malformed)), "{noise:?}");
    }
}
