use proptest::prelude::*;

use super::*;

/// RFC 6962, section 2.1, word for word.
fn naive(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => Hash::of(&[]),
        [one] => leaf_hash(one),
        many => {
            let mut split = 1;
            while split * 2 < many.len() {
                split *= 2;
            }
            node_hash(naive(&many[..split]), naive(&many[split..]))
        }
    }
}

fn range_of(leaves: &[Vec<u8>]) -> CompactRange {
    let mut range = CompactRange::default();
    leaves.iter().for_each(|leaf| range.push(leaf_hash(leaf)));
    range
}

#[test]
fn roots_are_those_of_the_certificate_transparency_vectors() {
    // The inputs and roots of the reference implementation's tests (certificate-transparency, merkletree).
    let leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut range = CompactRange::default();
    assert_eq!(range.root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (leaf, root) in leaves.iter().zip(roots) {
        range.push(leaf_hash(&hex::decode(leaf).unwrap()));
        assert_eq!(range.root().to_string(), root, "size {}", range.size());
    }
}

#[test]
fn a_prefixed_leaf_hashes_like_a_leaf() {
    assert_eq!(prefixed_leaf_hash(b"\0line"), leaf_hash(b"line"));
}

proptest! {
    #[test]
    fn a_compact_range_has_the_root_of_the_naive_tree(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..70),
    ) {
        prop_assert_eq!(range_of(&leaves).root(), naive(&leaves));
    }

    #[test]
    fn a_range_written_down_and_read_back_goes_on_alike(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 1..70),
        cut in 0usize..70,
    ) {
        let cut = cut.min(leaves.len());
        let text = serde_json::to_string(&range_of(&leaves[..cut])).unwrap();
        let mut range: CompactRange = serde_json::from_str(&text).unwrap();
        leaves[cut..].iter().for_each(|leaf| range.push(leaf_hash(leaf)));
        prop_assert_eq!(range, range_of(&leaves));
    }
}

#[test]
fn peaks_that_do_not_fit_the_size_are_refused() {
    assert!(serde_json::from_str::<CompactRange>(r#"{"size":3,"peaks":[]}"#).is_err());
}

/// RFC 6962, section 2.1.1, word for word.
fn naive_path(index: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    let (mut path, last) = if index < split {
        (naive_path(index, left), naive(right))
    } else {
        (naive_path(index - split, right), naive(left))
    };
    path.push(last);
    path
}

/// RFC 6962, section 2.1.2, word for word.
fn naive_proof(old: usize, leaves: &[Vec<u8>], known: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if known { Vec::new() } else { vec![naive(leaves)] };
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    let (mut proof, last) = if old <= split {
        (naive_proof(old, left, known), naive(right))
    } else {
        (naive_proof(old - split, right, false), naive(left))
    };
    proof.push(last);
    proof
}

fn some_leaves(n: u8) -> Vec<Vec<u8>> {
    (0..n).map(|leaf| vec![leaf]).collect()
}

fn hashes(nodes: Vec<std::ops::Range<u64>>, leaves: &[Vec<u8>]) -> Vec<Hash> {
    let place = |at: u64| usize::try_from(at).unwrap();
    nodes.into_iter().map(|node| naive(&leaves[place(node.start)..place(node.end)])).collect()
}

#[test]
fn every_path_is_that_of_the_rfc_and_leads_to_the_root() {
    for size in 1..=40u8 {
        let leaves = some_leaves(size);
        for index in 0..size {
            let path = hashes(inclusion_nodes(index.into(), size.into()), &leaves);
            assert_eq!(path, naive_path(index.into(), &leaves), "{index} of {size}");
            let leaf = leaf_hash(&leaves[usize::from(index)]);
            let root = root_of_path(leaf, index.into(), size.into(), &path);
            assert_eq!(root, Some(naive(&leaves)), "{index} of {size}");
        }
    }
}

#[test]
fn every_proof_of_a_beginning_is_that_of_the_rfc_and_holds() {
    for new in 1..=40u8 {
        let leaves = some_leaves(new);
        for old in 1..=new {
            let path = hashes(consistency_nodes(old.into(), new.into()), &leaves);
            assert_eq!(path, naive_proof(old.into(), &leaves, true), "{old} of {new}");
            let older = (old.into(), naive(&leaves[..old.into()]));
            assert!(is_beginning(older, (new.into(), naive(&leaves)), &path), "{old} of {new}");
        }
    }
}

#[test]
fn no_other_leaf_place_size_or_path_leads_to_the_root() {
    for size in 1..=20u8 {
        let leaves = some_leaves(size);
        let root = naive(&leaves);
        for index in 0..size {
            let path = naive_path(index.into(), &leaves);
            let leaf = leaf_hash(&leaves[usize::from(index)]);
            let leads =
                |leaf, index, path: &[Hash]| root_of_path(leaf, index, size.into(), path) == Some(root);
            assert!(!leads(leaf_hash(b"other"), index.into(), &path));
            for other in (0..=size).filter(|other| *other != index) {
                assert!(!leads(leaf, other.into(), &path), "{other} for {index} of {size}");
            }
            assert!(!leads(leaf, index.into(), &[&path[..], &[root]].concat()));
            for nth in 0..path.len() {
                let mut changed = path.clone();
                changed[nth].0[0] ^= 1;
                assert!(!leads(leaf, index.into(), &changed));
                changed.remove(nth);
                assert!(!leads(leaf, index.into(), &changed));
            }
        }
    }
}

#[test]
fn no_other_tree_or_path_shows_a_beginning() {
    for new in 2..=20u8 {
        let leaves = some_leaves(new);
        let newer = (u64::from(new), naive(&leaves));
        for old in 1..new {
            let path = naive_proof(old.into(), &leaves, true);
            let older = (u64::from(old), naive(&leaves[..old.into()]));
            let other = leaf_hash(b"other");
            assert!(!is_beginning((older.0, other), newer, &path));
            assert!(!is_beginning(older, (newer.0, other), &path));
            assert!(!is_beginning(older, newer, &[&path[..], &[other]].concat()));
            for nth in 0..path.len() {
                let mut changed = path.clone();
                changed[nth].0[0] ^= 1;
                assert!(!is_beginning(older, newer, &changed), "{nth} of {old} in {new}");
                changed.remove(nth);
                assert!(!is_beginning(older, newer, &changed), "{nth} of {old} in {new}");
            }
        }
    }
    let empty = (0, Hash::of(&[]));
    assert!(!is_beginning(empty, (1, leaf_hash(b"x")), &[]));
}
