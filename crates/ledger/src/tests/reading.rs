use bailiwick_model::CallId;
use proptest::prelude::*;

use super::fixture::{Place, calls, eventually, intent};
use crate::{Follow, tail};
use bailiwick_model::Recorder as _;

fn indices(lines: &[crate::Line]) -> Vec<u64> {
    lines.iter().map(|line| line.index).collect()
}

#[tokio::test]
async fn the_tail_is_the_last_records_across_segments() {
    let mut place = Place::new();
    place.settings.segment_bytes = 2048;
    let ledger = place.open();
    calls(&ledger, 0..10).await;
    eventually("a second segment", || ledger.status().unwrap().segments > 1);
    calls(&ledger, 10..12).await;
    let last = tail(&place.dir(), 6, None).unwrap();
    assert_eq!(indices(&last), [18, 19, 20, 21, 22, 23]);
    assert!(last[5].json.contains(r#""kind":"outcome""#));
    assert_eq!(indices(&tail(&place.dir(), 100, None).unwrap()), (0..24).collect::<Vec<_>>());
    assert_eq!(tail(&place.dir(), 0, None).unwrap(), []);
}

#[tokio::test]
async fn the_records_of_one_call_are_found() {
    let place = Place::new();
    let ledger = place.open();
    calls(&ledger, 0..10).await;
    let found = tail(&place.dir(), 10, Some(CallId::from_bits(4))).unwrap();
    assert_eq!(indices(&found), [8, 9]);
    assert_eq!(tail(&place.dir(), 10, Some(CallId::from_bits(77))).unwrap(), []);
}

#[tokio::test]
async fn an_unfinished_line_is_passed_over() {
    let place = Place::new();
    calls(&place.open(), 0..2).await;
    let mut text = std::fs::read(place.segment(0)).unwrap();
    text.extend_from_slice(br#"{"v":1,"index":4"#);
    std::fs::write(place.segment(0), text).unwrap();
    assert_eq!(indices(&tail(&place.dir(), 2, None).unwrap()), [2, 3]);
}

#[tokio::test]
async fn following_gives_every_record_once_across_segments() {
    let mut place = Place::new();
    place.settings.segment_bytes = 2048;
    let ledger = place.open();
    calls(&ledger, 0..3).await;
    let mut follow = Follow::from(&place.dir(), 2);
    let mut seen = indices(&follow.read().unwrap());
    assert_eq!(seen, [2, 3, 4, 5]);
    assert_eq!(follow.read().unwrap(), []);
    for batch in 1..4 {
        calls(&ledger, batch * 10..batch * 10 + 10).await;
        let segments = usize::try_from(batch).unwrap();
        eventually("another segment", || ledger.status().unwrap().segments > segments);
        seen.extend(indices(&follow.read().unwrap()));
    }
    ledger.append(&intent(1000)).settled().await.unwrap();
    eventually("all is read", || {
        seen.extend(indices(&follow.read().unwrap()));
        follow.next_index() == 67
    });
    assert_eq!(seen, (2..67).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_tail_of_long_lines_is_whole(sizes in prop::collection::vec(0usize..400_000, 1..6), n in 0usize..8) {
        let root = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for (index, size) in sizes.iter().enumerate() {
            let filler = "x".repeat(*size);
            text += &format!(
                r#"{{"v":1,"index":{index},"time":"2026-07-28T12:00:00.000000Z","prev":"0000000000000000","kind":"k","filler":"{filler}"}}"#
            );
            text.push('\n');
        }
        std::fs::write(root.path().join(format!("{:020}.jsonl", 0)), &text).unwrap();
        let expected: Vec<_> = text.lines().collect();
        let from = expected.len().saturating_sub(n);
        let found = tail(root.path(), n, None).unwrap();
        let found: Vec<_> = found.iter().map(|line| line.json.as_str()).collect();
        prop_assert_eq!(&found, &expected[from..]);
        let mut follow = Follow::from(root.path(), 0);
        let mut followed = Vec::new();
        loop {
            let more = follow.read().unwrap();
            if more.is_empty() { break }
            followed.extend(more.into_iter().map(|line| line.json));
        }
        prop_assert_eq!(followed, expected);
    }
}

#[tokio::test]
async fn the_extent_is_that_of_what_is_there() {
    let mut place = Place::new();
    place.settings.segment_bytes = 2048;
    assert!(crate::extent(&place.dir()).is_err(), "there is no directory yet");
    let ledger = place.open();
    assert_eq!(crate::extent(&place.dir()).unwrap(), None);
    calls(&ledger, 0..10).await;
    eventually("a second segment", || ledger.status().unwrap().segments > 1);
    calls(&ledger, 10..12).await;
    let extent = crate::extent(&place.dir()).unwrap().unwrap();
    assert_eq!((extent.first, extent.next, extent.last.as_micros()), (0, 24, super::fixture::NOON));
    let first = crate::segment::list(&place.dir()).unwrap().remove(0);
    std::fs::remove_file(first.path).unwrap();
    let extent = crate::extent(&place.dir()).unwrap().unwrap();
    assert!(extent.first > 0 && extent.next == 24);
}
