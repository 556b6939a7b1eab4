//! A proof in a file: that a record is in the ledger, or that an older ledger is the beginning of a newer one.
//! Whoever has the public key checks it; the ledger is not needed for that. Made by [`crate::prove_inclusion`]
//! and [`crate::prove_consistency`]; the format is described in `docs/ledger.md`.

use serde::{Deserialize, Serialize};

use crate::line::Head;
use crate::rotation::KeyChain;
use crate::tree::{is_beginning, root_of_path};
use crate::{Hash, InvalidKey, InvalidNote, SignedCheckpoint, VerifierKey, leaf_hash};

/// The version of the format, member `v`.
pub(crate) const PROOF_VERSION: u32 = 1;

/// A proof as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum Proof {
    /// A record is in the ledger.
    Inclusion(Inclusion),
    /// An older ledger is the beginning of a newer one.
    Consistency(Consistency),
}

/// A record is the leaf `index` of the tree that a checkpoint signs (RFC 6962, section 2.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    pub(crate) v: u32,
    /// The record's index.
    pub index: u64,
    /// The size of the checkpoint's tree.
    pub size: u64,
    /// The record's line, byte for byte, without its line feed.
    pub record: String,
    /// The nodes beside the way from the leaf to the root, the leaf's neighbour first.
    pub path: Vec<Hash>,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
    /// The ledger's newest public key, for convenience: proof needs one that was kept elsewhere.
    pub key: String,
    /// The checkpoints at which the key was rotated: who has one key follows them to the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<String>,
}

/// The tree of an older size is the beginning of the one that a checkpoint signs (RFC 6962, section 2.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    pub(crate) v: u32,
    /// The older tree.
    pub old: Older,
    /// The size of the newer checkpoint's tree.
    pub size: u64,
    /// The nodes of the proof, in the order of the RFC.
    pub path: Vec<Hash>,
    /// The newer checkpoint, a signed note.
    pub checkpoint: String,
    /// The ledger's newest public key, for convenience.
    pub key: String,
    /// The checkpoints at which the key was rotated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<String>,
}

/// An older tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Older {
    /// How many records.
    pub size: u64,
    /// The root then.
    pub root: Hash,
    /// The checkpoint of that size, if one was made: a signed note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// What a proof proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// The ledger's name.
    pub origin: String,
    /// How many records the checkpoint tells of.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// Whether the key came from outside; if not, whoever made the file can have made it up.
    pub key_given: bool,
    /// What is proven of it.
    #[serde(flatten)]
    pub claim: Claim,
}

/// What is proven of the tree that a checkpoint signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Claim {
    /// A record is in it.
    Holds {
        /// The record's index.
        index: u64,
        /// The record's line.
        record: String,
    },
    /// It begins with an older one.
    Continues {
        /// How many records that had.
        old_size: u64,
        /// Its root.
        old_root: Hash,
        /// Whether a signed checkpoint of it is in the file.
        old_signed: bool,
    },
}

/// A file that proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFault {
    /// No proof at all.
    #[error("not a proof: {0}")]
    Form(#[from] serde_json::Error),
    /// Of a later version than this.
    #[error("a proof of version {0}, which is not known here")]
    Version(u32),
    /// The key in it.
    #[error("the key in the proof is {0}")]
    Key(#[from] InvalidKey),
    /// A checkpoint in it.
    #[error("the checkpoint in the proof is {0}")]
    Note(#[from] InvalidNote),
    /// A checkpoint's signature.
    #[error("the checkpoint of size {0} is not signed with the ledger's key")]
    Signature(u64),
    /// A size, root or index that is told twice, and differently.
    #[error("the proof contradicts itself: {0}")]
    Contradiction(&'static str),
    /// The hashes do not lead to the root that is signed.
    #[error("the hashes do not lead to the root that the checkpoint signs")]
    Path,
}

impl Proof {
    /// Reads a proof file. Nothing is checked by this.
    ///
    /// # Errors
    /// If the text is of another form or version.
    pub fn parse(text: &str) -> Result<Self, ProofFault> {
        let proof: Self = serde_json::from_str(text)?;
        let (Self::Inclusion(Inclusion { v, .. }) | Self::Consistency(Consistency { v, .. })) = proof;
        if v == PROOF_VERSION { Ok(proof) } else { Err(ProofFault::Version(v)) }
    }

    /// Checks it with the ledger's public keys; if none is given, the one in the file is believed.
    ///
    /// # Errors
    /// Says why it proves nothing.
    pub fn check(&self, keys: &[VerifierKey]) -> Result<Proven, ProofFault> {
        let (note, key, size, rotations) = match self {
            Self::Inclusion(proof) => (&proof.checkpoint, &proof.key, proof.size, &proof.rotations),
            Self::Consistency(proof) => (&proof.checkpoint, &proof.key, proof.size, &proof.rotations),
        };
        let believed = if keys.is_empty() { vec![key.parse()?] } else { keys.to_vec() };
        let rotations: Vec<_> =
            rotations.iter().map(|note| SignedCheckpoint::parse(note)).collect::<Result<_, _>>()?;
        let trusted = &KeyChain::new(believed, &rotations);
        let note = signed(note, size, trusted)?;
        let checkpoint = note.checkpoint();
        let claim = match self {
            Self::Inclusion(proof) => proof.claim(checkpoint.root)?,
            Self::Consistency(proof) => proof.claim(checkpoint.root, trusted)?,
        };
        Ok(Proven {
            origin: checkpoint.origin.clone(),
            size,
            root: checkpoint.root,
            key_given: !keys.is_empty(),
            claim,
        })
    }
}

impl Inclusion {
    fn claim(&self, root: Hash) -> Result<Claim, ProofFault> {
        let leaf = leaf_hash(self.record.as_bytes());
        if root_of_path(leaf, self.index, self.size, &self.path) != Some(root) {
            return Err(ProofFault::Path);
        }
        let head = Head::parse(self.record.as_bytes());
        if head.is_none_or(|head| head.index != self.index) {
            return Err(ProofFault::Contradiction("the record is not the one of that index"));
        }
        Ok(Claim::Holds { index: self.index, record: self.record.clone() })
    }
}

impl Consistency {
    fn claim(&self, root: Hash, keys: &KeyChain) -> Result<Claim, ProofFault> {
        let Older { size, root: old_root, checkpoint } = &self.old;
        if let Some(note) = checkpoint
            && signed(note, *size, keys)?.checkpoint().root != *old_root
        {
            return Err(ProofFault::Contradiction("the older checkpoint tells of another root"));
        }
        if !is_beginning((*size, *old_root), (self.size, root), &self.path) {
            return Err(ProofFault::Path);
        }
        Ok(Claim::Continues { old_size: *size, old_root: *old_root, old_signed: checkpoint.is_some() })
    }
}

fn signed(note: &str, size: u64, keys: &KeyChain) -> Result<SignedCheckpoint, ProofFault> {
    let note = SignedCheckpoint::parse(note)?;
    if note.checkpoint().size != size {
        return Err(ProofFault::Contradiction("the checkpoint is of another size"));
    }
    if keys.accepts(&note) { Ok(note) } else { Err(ProofFault::Signature(size)) }
}
