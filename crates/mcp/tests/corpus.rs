//! Replays the committed fuzz corpus with the same checks that the fuzz targets use.

use std::path::Path;

#[expect(unreachable_pub, reason = "public for the fuzz targets, which use it as a library")]
#[path = "../../../fuzz/checks.rs"]
mod checks;

/// Runs `check` on each file of one corpus.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is part of the repository") {
        let path = entry.expect("readable").path();
        check(&std::fs::read(&path).expect("readable"));
        count += 1;
    }
    assert!(count >= 10, "the corpus of {target} is there");
}

#[test]
fn the_envelope_corpus_holds() {
    replay("envelope", checks::envelope);
}

#[test]
fn the_headers_corpus_holds() {
    replay("headers", checks::headers);
}

#[test]
fn the_sse_corpus_holds() {
    replay("sse", checks::sse);
}
