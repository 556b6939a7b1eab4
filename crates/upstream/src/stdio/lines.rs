//! Lines of a child, bounded: a program that writes 100 MB without a line feed costs one bounded buffer.

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Space asked for with each read, in bytes.
const CHUNK: usize = 16 << 10;
/// A buffer larger than this is given back after its line.
const KEPT: usize = 256 << 10;

/// Reads lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    from: R,
    buffer: BytesMut,
    /// Bytes of the buffer that are known to hold no line feed.
    searched: usize,
    most: usize,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its end.
    Whole(Bytes),
    /// A line that is longer than allowed; nothing can be read any more.
    TooLong,
    /// The end.
    End,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(from: R, most: usize) -> Self {
        Self { from, buffer: BytesMut::new(), searched: 0, most }
    }

    /// The next line. What stands after the last line feed at the end is no line.
    pub(super) async fn next(&mut self) -> std::io::Result<Line> {
        loop {
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                let line = self.buffer.split_to(self.searched + at).freeze();
                self.buffer.advance(1);
                self.searched = 0;
                if self.buffer.is_empty() && line.len() > KEPT {
                    self.buffer = BytesMut::new();
                }
                return Ok(Line::Whole(line));
            }
            self.searched = self.buffer.len();
            if self.searched > self.most {
                return Ok(Line::TooLong);
            }
            self.buffer.reserve(CHUNK);
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                return Ok(Line::End);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_cut_at_line_feeds_and_bounded() {
        let long = "x".repeat(100);
        let text = format!("one\n\ntwo\r\n{long}");
        let mut lines = Lines::new(text.as_bytes(), 50);
        let whole = |text: &'static str| Line::Whole(Bytes::from_static(text.as_bytes()));
        for expected in [whole("one"), whole(""), whole("two\r"), Line::TooLong] {
            assert_eq!(lines.next().await.unwrap(), expected);
        }
        let mut cut = Lines::new(&b"no end"[..], 50);
        assert_eq!(cut.next().await.unwrap(), Line::End);
    }
}
