//! Checkpoints: the tree's size and root, signed (C2SP tlog-checkpoint and signed-note).
//!
//! A note is the text (origin, size, root in base64, one line each), an empty line, and signature lines
//! `— name base64(key id || signature)`. Further lines may extend the text; of these only a rotation of the key
//! ([`Rotation`]) is known here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::keys::Signer;
use crate::rotation::Rotation;
use crate::{Hash, VerifierKey};

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger: the name of its signing key.
    pub origin: String,
    /// How many records.
    pub size: u64,
    /// The root of the tree of that size.
    pub root: Hash,
    /// Another key signs from here on: a line that extends the checkpoint.
    pub rotation: Option<Box<Rotation>>,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0));
        if let Some(rotation) = &self.rotation {
            text.push_str(&rotation.line());
            text.push('\n');
        }
        text
    }

    pub(crate) fn sign<'a>(self, keys: impl IntoIterator<Item = &'a Signer>) -> SignedCheckpoint {
        let text = self.text();
        let signature = |key: &Signer| {
            let mut bytes = key.verifier().id().to_vec();
            bytes.extend_from_slice(&key.sign(text.as_bytes()));
            Signature { name: key.verifier().name().to_owned(), bytes }
        };
        let signatures = keys.into_iter().map(signature).collect();
        SignedCheckpoint { checkpoint: self, text, signatures }
    }
}

/// A checkpoint with its signatures, checked or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    bytes: Vec<u8>,
}

/// A text that is no signed checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signed checkpoint")]
pub struct InvalidNote;

impl SignedCheckpoint {
    /// Reads a note. Signatures are not checked by this.
    ///
    /// # Errors
    /// If the text is not of that form.
    pub fn parse(note: &str) -> Result<Self, InvalidNote> {
        let (body, signatures) = note.split_once("\n\n").ok_or(InvalidNote)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(InvalidNote);
        };
        let extensions: Vec<_> = lines.collect();
        if origin.is_empty() || extensions.contains(&"") {
            return Err(InvalidNote);
        }
        let rotation = extensions.into_iter().find_map(Rotation::parse).map(Box::new);
        let (size, root) = (decimal(size)?, base64_hash(root)?);
        let checkpoint = Checkpoint { origin: origin.to_owned(), size, root, rotation };
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or(InvalidNote)?
            .split('\n')
            .map(signature_line)
            .collect::<Result<_, _>>()?;
        Ok(Self { checkpoint, text: format!("{body}\n"), signatures })
    }

    /// What it says.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The key that it names as its first signer: name, `+`, id. Whether that key signed it is not checked by this.
    pub(crate) fn signer(&self) -> String {
        let first = self.signatures.first();
        let id = first.and_then(|first| first.bytes.get(..4)).unwrap_or_default();
        format!("{}+{}", first.map_or("", |first| &first.name), hex::encode(id))
    }

    /// Whether this key signed it. The key's name must also be its origin, so that one ledger's checkpoint
    /// cannot stand for another's.
    pub fn is_signed_by(&self, key: &VerifierKey) -> bool {
        self.checkpoint.origin == key.name()
            && self.signatures.iter().any(|signature| {
                signature.name == key.name()
                    && signature.bytes.split_at_checked(4).is_some_and(|(id, signature)| {
                        id == key.id() && key.accepts(self.text.as_bytes(), signature)
                    })
            })
    }
}

impl std::fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            writeln!(f, "— {} {}", signature.name, STANDARD.encode(&signature.bytes))?;
        }
        Ok(())
    }
}

fn decimal(text: &str) -> Result<u64, InvalidNote> {
    let number: u64 = text.parse().map_err(|_| InvalidNote)?;
    if number.to_string() == text { Ok(number) } else { Err(InvalidNote) }
}

fn base64_hash(text: &str) -> Result<Hash, InvalidNote> {
    let bytes = STANDARD.decode(text).map_err(|_| InvalidNote)?;
    Ok(Hash(bytes.try_into().map_err(|_| InvalidNote)?))
}

fn signature_line(line: &str) -> Result<Signature, InvalidNote> {
    let (name, bytes) = line.strip_prefix("— ").and_then(|l| l.split_once(' ')).ok_or(InvalidNote)?;
    let bytes = STANDARD.decode(bytes).map_err(|_| InvalidNote)?;
    if name.is_empty() || bytes.len() <= 4 {
        return Err(InvalidNote);
    }
    Ok(Signature { name: name.to_owned(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::signer;

    fn signed(key: &Signer) -> SignedCheckpoint {
        Checkpoint { origin: "node.test/ledger".into(), size: 42, root: Hash([9; 32]), rotation: None }
            .sign([key])
    }

    #[test]
    fn a_signed_checkpoint_reads_back_and_is_accepted() {
        let key = signer("node.test/ledger");
        let note = signed(&key).to_string();
        let read = SignedCheckpoint::parse(&note).unwrap();
        assert_eq!(read, signed(&key));
        assert!(read.is_signed_by(key.verifier()));
        assert!(note.starts_with("node.test/ledger\n42\nCQkJ"), "{note}");
    }

    #[test]
    fn changed_texts_and_other_keys_are_not_accepted() {
        let key = signer("node.test/ledger");
        let note = signed(&key).to_string();
        let changed = SignedCheckpoint::parse(&note.replacen("42", "43", 1)).unwrap();
        assert!(!changed.is_signed_by(key.verifier()));
        assert!(!signed(&key).is_signed_by(signer("node.test/ledger").verifier()));
        let stranger = signer("other.test/ledger");
        assert!(!signed(&stranger).is_signed_by(stranger.verifier()));
    }

    #[test]
    fn malformed_notes_are_refused() {
        let note = signed(&signer("node.test/ledger")).to_string();
        for bad in [
            String::new(),
            note.replacen("42", "042", 1),
            note.replacen("CQkJ", "!!!!", 1),
            note.replace("— ", "- "),
            note.trim_end().to_owned(),
            note.replacen("\n\n", "\n", 1),
        ] {
            assert_eq!(SignedCheckpoint::parse(&bad), Err(InvalidNote), "{bad}");
        }
    }
}
