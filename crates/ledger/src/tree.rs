//! The Merkle tree over the ledger's lines (RFC 6962, section 2.1), kept as a compact range: the roots of
//! the full subtrees of which a tree of this size consists, largest first.
//!
//! Appending costs one leaf hash and on average one node hash. The writer keeps one; verification and
//! recovery rebuild one.

mod path;

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

pub(crate) use path::{consistency_nodes, inclusion_nodes};
pub use path::{is_beginning, root_of_path};

/// A SHA-256 hash. Written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(text.as_bytes(), &mut hash).map_err(serde::de::Error::custom)?;
        Ok(Self(hash))
    }
}

/// What stands before a leaf when it is hashed, so that no leaf can pass for a node (RFC 6962, 2.1).
pub(crate) const LEAF_PREFIX: u8 = 0;

/// The hash of a line, given without its line feed.
pub fn leaf_hash(line: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([LEAF_PREFIX]).chain_update(line).finalize().into())
}

/// The hash of a line in front of which [`LEAF_PREFIX`] already stands: the same in one call.
pub(crate) fn prefixed_leaf_hash(prefixed: &[u8]) -> Hash {
    debug_assert_eq!(prefixed.first(), Some(&LEAF_PREFIX));
    Hash::of(prefixed)
}

/// The hash of an interior node.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    let mut bytes = [1u8; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Hash::of(&bytes)
}

/// A tree of which only the roots of its full subtrees are known: enough to append and to tell its root.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct CompactRange {
    size: u64,
    peaks: Vec<Hash>,
}

#[derive(Deserialize)]
struct Parts {
    size: u64,
    peaks: Vec<Hash>,
}

/// Peaks that cannot be those of a tree of that size.
#[derive(Debug, thiserror::Error)]
#[error("a tree of {0} leaves does not have that many peaks")]
pub(crate) struct InvalidRange(u64);

impl TryFrom<Parts> for CompactRange {
    type Error = InvalidRange;

    fn try_from(parts: Parts) -> Result<Self, InvalidRange> {
        if usize::try_from(parts.size.count_ones()).ok() == Some(parts.peaks.len()) {
            Ok(Self { size: parts.size, peaks: parts.peaks })
        } else {
            Err(InvalidRange(parts.size))
        }
    }
}

impl Clone for CompactRange {
    fn clone(&self) -> Self {
        Self { size: self.size, peaks: self.peaks.clone() }
    }

    // Keeps the allocation: the writer saves its state before each write.
    fn clone_from(&mut self, source: &Self) {
        self.size = source.size;
        self.peaks.clone_from(&source.peaks);
    }
}

impl CompactRange {
    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut carry = self.size;
        while carry & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(left, hash);
            carry >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The full subtrees of which the tree consists: their leaves, and their roots.
    pub(crate) fn subtrees(&self) -> impl Iterator<Item = (Range<u64>, Hash)> {
        let (mut start, mut left) = (0, self.size);
        self.peaks.iter().map(move |peak| {
            // As many peaks as bits, so there is one left for each.
            let end = start + left.checked_ilog2().map_or(0, |bit| 1 << bit);
            let leaves = start..end;
            (start, left) = (end, left - (end - start));
            (leaves, *peak)
        })
    }

    /// The root: that of the empty tree is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Hash::of(&[]) };
        peaks.fold(*last, |right, left| node_hash(*left, right))
    }
}

#[cfg(test)]
mod tests;
