use std::fs;

use super::fixture::{Place, calls, eventually, keys};
use crate::{BadRecord, Fault, Report, SignedCheckpoint, VerifyOptions, verify};

/// A ledger of twenty records in two signed runs.
async fn ledger() -> Place {
    let place = Place::new();
    calls(&place.open(), 0..5).await;
    calls(&place.open(), 5..10).await;
    place
}

fn write(place: &Place, lines: &[String]) {
    fs::write(place.segment(0), lines.join("\n") + "\n").unwrap();
}

fn bad(report: Report) -> (u64, Fault) {
    let BadRecord { index, fault, .. } = report.bad.unwrap();
    (index, fault)
}

/// What is found after a change to the lines.
async fn after(change: impl FnOnce(&mut Vec<String>)) -> (u64, Fault) {
    let place = ledger().await;
    assert_eq!(place.verify().bad, None);
    let mut lines = place.lines();
    change(&mut lines);
    write(&place, &lines);
    bad(place.verify())
}

#[tokio::test]
async fn an_edited_record_is_named() {
    let found = after(|lines| lines[6] = lines[6].replacen("agent", "admin", 1)).await;
    assert_eq!(found, (6, Fault::Link));
}

#[tokio::test]
async fn an_edit_of_the_last_record_is_named() {
    let found = after(|lines| lines[19] = lines[19].replacen("\"ok\"", "\"no\"", 1)).await;
    assert!(matches!(found, (10, Fault::Root { to: 19, size: 20 })), "{found:?}");
}

#[tokio::test]
async fn an_added_space_is_named() {
    assert_eq!(after(|lines| lines[6].insert(1, ' ')).await, (6, Fault::Link));
}

#[tokio::test]
async fn a_deleted_record_is_named() {
    let found = after(|lines| drop(lines.remove(7))).await;
    assert_eq!(found, (7, Fault::Sequence { found: 8 }));
}

#[tokio::test]
async fn a_deleted_first_record_is_named() {
    assert_eq!(after(|lines| drop(lines.remove(0))).await, (0, Fault::Sequence { found: 1 }));
}

#[tokio::test]
async fn an_inserted_record_is_named() {
    let found = after(|lines| lines.insert(7, lines[6].clone())).await;
    assert_eq!(found, (7, Fault::Sequence { found: 6 }));
}

#[tokio::test]
async fn swapped_records_are_named() {
    assert_eq!(after(|lines| lines.swap(4, 5)).await, (4, Fault::Sequence { found: 5 }));
}

#[tokio::test]
async fn records_swapped_with_their_indices_are_named() {
    let found = after(|lines| {
        lines.swap(4, 5);
        lines[4] = lines[4].replacen("\"index\":5", "\"index\":4", 1);
        lines[5] = lines[5].replacen("\"index\":4", "\"index\":5", 1);
    })
    .await;
    assert_eq!(found, (3, Fault::Link));
}

#[tokio::test]
async fn what_is_no_record_is_named() {
    assert_eq!(after(|lines| lines[3] = "{}".into()).await, (3, Fault::Malformed));
    assert_eq!(after(|lines| lines[3] = String::new()).await, (3, Fault::Malformed));
    assert_eq!(after(|lines| lines[3].push('}')).await, (3, Fault::Malformed));
}

#[tokio::test]
async fn a_time_that_runs_backwards_is_named() {
    let found = after(|lines| {
        lines[8] = lines[8].replacen("2026-07-28", "2026-07-27", 1);
    })
    .await;
    assert_eq!(found, (8, Fault::Time));
}

/// Makes every link fit again, as a forger would who knows the format.
fn relink(lines: &mut [String]) {
    for nth in 1..lines.len() {
        let link = &crate::leaf_hash(lines[nth - 1].as_bytes()).to_string()[..16];
        let at = lines[nth].find("\"prev\":\"").unwrap() + 8;
        lines[nth].replace_range(at..at + 16, link);
    }
}

#[tokio::test]
async fn an_edit_with_all_links_made_to_fit_is_named_by_the_first_checkpoint_behind_it() {
    let early = after(|lines| {
        lines[3] = lines[3].replacen("\"ok\"", "\"no\"", 1);
        relink(lines);
    })
    .await;
    assert_eq!(early, (0, Fault::Root { to: 9, size: 10 }));
    let late = after(|lines| {
        lines[13] = lines[13].replacen("\"ok\"", "\"no\"", 1);
        relink(lines);
    })
    .await;
    assert_eq!(late, (10, Fault::Root { to: 19, size: 20 }));
}

#[tokio::test]
async fn a_cut_ledger_is_named_by_its_checkpoint() {
    assert_eq!(after(|lines| lines.truncate(15)).await, (15, Fault::Truncated { size: 20 }));
}

/// Cuts lines and everything that signs them, as one would who wants to hide the end.
fn cut_with_checkpoints(place: &Place) {
    write(place, &place.lines()[..10]);
    let notes = place.segment(0).with_extension("notes");
    let text = fs::read_to_string(&notes).unwrap();
    let kept: Vec<_> = text.split_inclusive("=\n").collect();
    let kept = kept.iter().take_while(|part| !part.contains("\n20\n")).copied().collect::<String>();
    fs::write(&notes, &kept).unwrap();
    fs::remove_file(place.dir().join("checkpoint")).unwrap();
}

#[tokio::test]
async fn truncation_with_its_checkpoints_shows_against_a_saved_one() {
    let place = ledger().await;
    let saved = fs::read_to_string(place.dir().join("checkpoint")).unwrap();
    let saved = SignedCheckpoint::parse(&saved).unwrap();
    cut_with_checkpoints(&place);
    assert_eq!(place.verify().bad, None);
    let options = VerifyOptions { saved: Some(saved), keys: Vec::new(), ..VerifyOptions::default() };
    let found = bad(verify(&place.dir(), &options).unwrap());
    assert_eq!(found, (10, Fault::Truncated { size: 20 }));
}

#[tokio::test]
async fn rewriting_with_the_ledger_s_own_key_shows_against_a_saved_checkpoint() {
    let place = ledger().await;
    let saved = fs::read_to_string(place.dir().join("checkpoint")).unwrap();
    let saved = SignedCheckpoint::parse(&saved).unwrap();
    cut_with_checkpoints(&place);
    calls(&place.open(), 50..60).await;
    assert_eq!(place.verify().bad, None);
    let options = VerifyOptions { saved: Some(saved), keys: Vec::new(), ..VerifyOptions::default() };
    let found = bad(verify(&place.dir(), &options).unwrap());
    assert_eq!(found, (10, Fault::Root { to: 19, size: 20 }));
}

#[tokio::test]
async fn a_ledger_signed_anew_with_another_key_shows_against_the_true_one() {
    let place = ledger().await;
    let forged = Place::new();
    calls(&forged.open(), 0..10).await;
    assert_eq!(forged.verify().bad, None);
    let key = place.open().verifier().clone();
    let options = VerifyOptions { saved: None, keys: vec![key], ..VerifyOptions::default() };
    assert!(verify(&place.dir(), &options).unwrap().key_given);
    assert_eq!(bad(verify(&forged.dir(), &options).unwrap()), (0, Fault::Signature { size: 0 }));
}

#[tokio::test]
async fn a_ledger_without_any_checkpoint_is_named() {
    let place = ledger().await;
    fs::remove_file(place.dir().join("checkpoint")).unwrap();
    fs::remove_file(place.segment(0).with_extension("notes")).unwrap();
    assert_eq!(bad(place.verify()), (0, Fault::Unsigned));
}

#[tokio::test]
async fn damaged_checkpoints_are_named() {
    let place = ledger().await;
    let notes = place.segment(0).with_extension("notes");
    let text = fs::read_to_string(&notes).unwrap();
    fs::write(&notes, text.replacen("\n10\n", "\n010\n", 1)).unwrap();
    assert_eq!(bad(place.verify()), (0, Fault::Notes));
    fs::write(&notes, text.replacen("\n10\n", "\n11\n", 1)).unwrap();
    assert_eq!(bad(place.verify()), (0, Fault::Signature { size: 11 }));
}

#[tokio::test]
async fn a_missing_segment_and_a_forged_seal_are_named_and_a_segment_is_checked_alone() {
    let mut place = Place::new();
    place.settings.segment_bytes = 2048;
    let ledger = place.open();
    for batch in 0..3 {
        calls(&ledger, batch * 10..batch * 10 + 10).await;
        eventually("another segment", || ledger.status().unwrap().segments as u128 > batch + 1);
    }
    ledger.close().unwrap();
    let segments = crate::segment::list(&place.dir()).unwrap();
    for segment in &segments {
        let report = verify(&segment.path, &VerifyOptions::default()).unwrap();
        assert_eq!((report.segments, report.bad), (1, None));
    }
    let second = &segments[1];
    let seal = fs::read_to_string(second.seal()).unwrap();
    fs::write(
        second.seal(),
        seal.replacen("\"open\":[", "\"open\":[[\"call_00000000000000000000000000000063\",0]", 1),
    )
    .unwrap();
    assert_eq!(bad(place.verify()), (second.first, Fault::Seal));
    fs::write(second.seal(), seal).unwrap();
    fs::remove_file(&second.path).unwrap();
    assert_eq!(bad(place.verify()), (second.first, Fault::Sequence { found: segments[2].first }));
}

#[test]
fn an_empty_place_holds_no_ledger() {
    let root = tempfile::tempdir().unwrap();
    let error = verify(root.path(), &VerifyOptions::default()).unwrap_err();
    assert!(error.to_string().contains("holds no segments"), "{error}");
    let _ = keys(root.path());
}
