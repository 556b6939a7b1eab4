//! Paths through the tree: which subtrees prove that a leaf, or an older tree, is in a tree (RFC 6962, sections
//! 2.1.1 and 2.1.2), and what a verifier makes of their hashes (RFC 9162, sections 2.1.3.2 and 2.1.4.2).

use std::ops::Range;

use super::{Hash, node_hash};

/// The leaves under each node of the path of a leaf, nearest first. Empty unless the leaf is in the tree.
pub(crate) fn inclusion_nodes(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut nodes = Vec::new();
    let (mut low, mut high) = (0, size);
    while index < size && high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            nodes.push(middle..high);
            high = middle;
        } else {
            nodes.push(low..middle);
            low = middle;
        }
    }
    nodes.reverse();
    nodes
}

/// The leaves under each node of a proof that a tree of `old` leaves is the beginning of one of `new`, in the
/// proof's order. Empty unless `0 < old < new`.
pub(crate) fn consistency_nodes(old: u64, new: u64) -> Vec<Range<u64>> {
    if old == 0 || old >= new {
        return Vec::new();
    }
    let mut nodes = Vec::new();
    let (mut low, mut high) = (0, new);
    while old < high {
        let middle = low + split(high - low);
        if old <= middle {
            nodes.push(middle..high);
            high = middle;
        } else {
            nodes.push(low..middle);
            low = middle;
        }
    }
    // The verifier knows the older root; only a part of it has to be told.
    if low > 0 {
        nodes.push(low..high);
    }
    nodes.reverse();
    nodes
}

/// The greatest power of two below a number above one.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The root that a leaf and its path lead to; `None` if the path does not fit the tree's size.
pub fn root_of_path(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let mut place = index;
    let mut last = size.checked_sub(1).filter(|last| index <= *last)?;
    let mut root = leaf;
    for node in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            root = node_hash(*node, root);
            let up = place.trailing_zeros();
            (place, last) = (place >> up, last >> up);
        } else {
            root = node_hash(root, *node);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}

/// Whether a path shows that the tree of `old` leaves with one root is the beginning of that of `new` leaves with
/// another.
pub fn is_beginning(old: (u64, Hash), new: (u64, Hash), path: &[Hash]) -> bool {
    if old.0 == 0 || old.0 >= new.0 {
        return old == new && path.is_empty();
    }
    let whole = old.0.is_power_of_two().then_some(old.1);
    let mut nodes = whole.into_iter().chain(path.iter().copied());
    let Some(first) = nodes.next() else { return false };
    let up = (old.0 - 1).trailing_ones();
    let (mut place, mut last) = ((old.0 - 1) >> up, (new.0 - 1) >> up);
    let (mut older, mut newer) = (first, first);
    for node in nodes {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            (older, newer) = (node_hash(node, older), node_hash(node, newer));
            let up = place.trailing_zeros();
            (place, last) = (place >> up, last >> up);
        } else {
            newer = node_hash(newer, node);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && (older, newer) == (old.1, new.1)
}
