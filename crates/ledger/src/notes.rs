//! A segment's checkpoints: signed notes one after another in the `.notes` file beside it.

use std::fs::{self, File};
use std::io::{self, Write as _};

use crate::file::{private, sync_dir};
use crate::note::{InvalidNote, SignedCheckpoint};
use crate::segment::Segment;

/// The notes of one segment, open for more.
#[derive(Debug)]
pub(crate) struct NotesFile {
    file: File,
    len: u64,
}

/// What is in a notes file.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The checkpoints in their order.
    pub(crate) notes: Vec<SignedCheckpoint>,
    /// The bytes that they take; beyond it stands one that was cut off while it was written.
    pub(crate) len: u64,
}

impl NotesFile {
    /// Opens a segment's notes and cuts what is beyond `len`.
    pub(crate) fn open(segment: &Segment, len: u64) -> io::Result<Self> {
        let path = segment.notes();
        let file = private().append(true).create(true).open(&path)?;
        file.set_len(len)?;
        sync_dir(&path)?;
        Ok(Self { file, len })
    }

    /// Appends a checkpoint durably, or not at all.
    pub(crate) fn add(&mut self, note: &SignedCheckpoint) -> io::Result<()> {
        let text = note.to_string();
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.file.set_len(self.len)?;
            return Err(error);
        }
        self.len += text.len() as u64;
        Ok(())
    }
}

/// Reads a segment's notes; none if there is no file.
///
/// A last note that is not whole is passed over; any other that is none is an error.
pub(crate) fn read(segment: &Segment) -> io::Result<Result<Notes, InvalidNote>> {
    match fs::read(segment.notes()) {
        Ok(bytes) => Ok(text_of(&bytes).and_then(parse)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ok(Notes::default())),
        Err(error) => Err(error),
    }
}

/// A note that was cut off within its dash leaves up to two bytes that are no text.
fn text_of(bytes: &[u8]) -> Result<&str, InvalidNote> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) if bytes.len() - error.valid_up_to() <= 2 => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).map_err(|_| InvalidNote)
        }
        Err(_) => Err(InvalidNote),
    }
}

/// Reads notes that stand one after another.
fn parse(text: &str) -> Result<Notes, InvalidNote> {
    let mut found = Notes::default();
    let mut rest = text;
    while !rest.is_empty() {
        let end = note_end(rest);
        match SignedCheckpoint::parse(&rest[..end]) {
            Ok(note) => found.notes.push(note),
            Err(_) if end == rest.len() => break,
            Err(invalid) => return Err(invalid),
        }
        found.len += end as u64;
        rest = &rest[end..];
    }
    Ok(found)
}

/// Where the first note ends: after the last of its signature lines.
fn note_end(text: &str) -> usize {
    let mut end = 0;
    let mut signed = false;
    for line in text.split_inclusive('\n') {
        let signature = line.starts_with("— ");
        if signed && !signature {
            break;
        }
        signed = signature;
        end += line.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::signer;
    use crate::{Checkpoint, Hash};

    fn note(size: u64) -> String {
        Checkpoint { origin: "node.test/ledger".into(), size, root: Hash([1; 32]), rotation: None }
            .sign([&signer("node.test/ledger")])
            .to_string()
    }

    #[test]
    fn notes_in_a_row_read_back_and_a_torn_one_is_passed_over() {
        let two = note(1) + &note(20);
        let third = note(300);
        for cut in 0..third.len() {
            let torn = [two.as_bytes(), &third.as_bytes()[..cut]].concat();
            let found = text_of(&torn).and_then(parse).unwrap();
            let sizes: Vec<_> = found.notes.iter().map(|n| n.checkpoint().size).collect();
            assert_eq!((sizes, found.len), (vec![1, 20], two.len() as u64), "cut at {cut}");
        }
    }

    #[test]
    fn a_bad_note_before_a_good_one_is_an_error() {
        assert!(parse(&(note(1).replace("\n1\n", "\n01\n") + &note(2))).is_err());
    }
}
