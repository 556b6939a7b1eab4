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
