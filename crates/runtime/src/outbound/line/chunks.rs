//! The chunked coding of a body (RFC 9112 section 7.1).

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};

use super::head::invalid;

/// Longest line of a chunk's size, and longest trailer, in bytes.
const MAX_LINE: usize = 16 * 1024;

/// Where in the coding a reader is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Chunks {
    /// Before a chunk's size.
    #[default]
    Size,
    /// In a chunk, so many bytes before its end.
    Data(u64),
    /// In the line break behind a chunk.
    Break,
    /// In the lines behind the last chunk.
    Trailer,
    /// Behind everything.
    End,
}

impl Chunks {
    /// Takes the next piece of data from the front of what was read; none if more has to be read, or at the end.
    ///
    /// # Errors
    /// If the coding is broken.
    pub(super) fn next(&mut self, from: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let mut data = None;
        loop {
            match self {
                Self::Size => {
                    let Some(size) = size(from)? else { return Ok(data) };
                    *self = if size == 0 { Self::Trailer } else { Self::Data(size) };
                }
                // One piece at a time; what follows it is looked at so that the end is known with the last piece.
                Self::Data(_) if data.is_some() || from.is_empty() => return Ok(data),
                Self::Data(left) => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(from.len());
                    data = Some(from.split_to(length).freeze());
                    *left -= length as u64;
                    if *left == 0 {
                        *self = Self::Break;
                    }
                }
                Self::Break => match from.get(..2) {
                    Some(b"\r\n") => {
                        from.advance(2);
                        *self = Self::Size;
                    }
                    Some(_) => return Err(invalid("a chunk is longer than it says")),
                    None => return Ok(data),
                },
                Self::Trailer => {
                    if !trailer(from)? {
                        return Ok(data);
                    }
                    *self = Self::End;
                }
                Self::End => return Ok(data),
            }
        }
    }
}

fn size(from: &mut BytesMut) -> io::Result<Option<u64>> {
    match httparse::parse_chunk_size(from).map_err(|_| invalid("a chunk's size is malformed"))? {
        httparse::Status::Complete((length, size)) => {
            from.advance(length);
            Ok(Some(size))
        }
        httparse::Status::Partial if from.len() > MAX_LINE => Err(invalid("a chunk's size is too long")),
        httparse::Status::Partial => Ok(None),
    }
}

/// Skips the trailer, which nobody asked for; whether it was whole.
fn trailer(from: &mut BytesMut) -> io::Result<bool> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    match httparse::parse_headers(from, &mut headers).map_err(invalid)? {
        httparse::Status::Complete((length, _)) => {
            from.advance(length);
            Ok(true)
        }
        httparse::Status::Partial if from.len() > MAX_LINE => Err(invalid("its trailer is too long")),
        httparse::Status::Partial => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes what comes in pieces; none if the end did not come.
    fn decode(pieces: &[&[u8]]) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let (mut chunks, mut read, mut data) = (Chunks::default(), BytesMut::new(), Vec::new());
        for piece in pieces {
            read.extend_from_slice(piece);
            while let Some(next) = chunks.next(&mut read)? {
                data.extend_from_slice(&next);
            }
        }
        Ok((chunks == Chunks::End).then(|| (data, read.to_vec())))
    }

    #[test]
    fn the_end_is_known_with_the_last_piece() {
        let (mut chunks, mut read) = (Chunks::default(), BytesMut::from("2\r\nok\r\n0\r\n\r\n"));
        assert_eq!(chunks.next(&mut read).unwrap().unwrap(), "ok");
        assert_eq!(chunks, Chunks::End);
    }

    #[test]
    fn a_broken_coding_is_an_error() {
        for text in
            ["x\r\n", "2\r\nokay\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "0\r\n bad\r\n\r\n", "2\nok\n"]
        {
            let whole = decode(&[text.as_bytes()]);
            assert!(!matches!(whole, Ok(Some(_))), "{text:?}: {whole:?}");
        }
        assert!(decode(&["1;".as_bytes(), "x".repeat(MAX_LINE).as_bytes()]).is_err());
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_data_is_the_same(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            cut in 1_usize..9,
        ) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:X};ext=1\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\nTrailer: x\r\n\r\nrest");
            let pieces: Vec<_> = wire.chunks(cut).collect();
            let (data, rest) = decode(&pieces).unwrap().unwrap();
            prop_assert_eq!((data, rest), (chunks.concat(), b"rest".to_vec()));
        }
    }
}
