//! The index over the ledger: what is written is found, by every filter, once, and in order.

use std::collections::BTreeSet;

use bailiwick_model::{CallId, PrincipalId, ServerId, TeamId, Timestamp};
use bailiwick_store::{
    Ending, Found, IndexBatch, IndexFilter, IndexPosition, IndexedRecord, LedgerIndex, Named, NewEnding,
    NewRecord, Thread, words_of,
};

use super::fixture::NOW;
use crate::support::database::TestDatabase;

const LEDGER: &str = "bailiwick-ledger/0123456789abcdef";

fn position(next: u64) -> IndexPosition {
    IndexPosition { next, last: [u8::try_from(next % 251).unwrap(); 32] }
}

fn moment(n: u64) -> Timestamp {
    // Three records of each moment: the order must not depend on the time alone.
    Timestamp::from_micros(NOW.as_micros() + i64::try_from(n / 3).unwrap() * 1_000)
}

fn ok(index: Option<u64>) -> Ending {
    Ending {
        index,
        status: "ok".into(),
        code: None,
        result_bytes: Some(20),
        policy_us: Some(3),
        upstream_us: Some(500),
        total_us: Some(510),
    }
}

/// A call of one of three agents to one of two servers, with everything said.
pub(crate) fn call(n: u64) -> IndexedRecord {
    IndexedRecord {
        ledger: LEDGER.into(),
        index: n,
        at: moment(n),
        kind: "intent".into(),
        call: Some(CallId::from_bits(n.into())),
        parent_call: (n % 2 == 1).then(|| CallId::from_bits(u128::from(n) - 1)),
        principal: Some(PrincipalId::from_bits(u128::from(n % 3))),
        issuer: Some("local".into()),
        subject: Some(format!("agent-{}", n % 3)),
        team: Some(TeamId::from_bits(1)),
        client: Some("Zoë's client 🦊/1.0".into()),
        session: Some(format!("session-{}", n % 5)),
        server: Some(ServerId::from_bits(u128::from(n % 2))),
        server_name: Some(format!("server-{}", n % 2)),
        definition_kind: Some("tool".into()),
        definition_key: Some(format!("tool-{}", n % 4)),
        method: Some("tools/call".into()),
        about: None,
        decision: Some("allow".into()),
        reason: None,
        trace: Some(format!("{:032x}", n % 7 + 1)),
        span: Some(format!("{:016x}", n + 1)),
        parent_span: Some(format!("{n:016x}")),
        arguments_bytes: Some(10),
        ending: Some(ok(None)),
    }
}

fn denied(n: u64) -> IndexedRecord {
    let denied = ("denied".to_owned(), Some("deny".to_owned()), Some("policy_denied".to_owned()));
    let (kind, decision, reason) = denied;
    IndexedRecord { kind, decision, reason, ending: None, about: Some("files__gone".into()), ..call(n) }
}

/// Thirty records: every tenth a denial, every seventh a call that failed.
fn thirty() -> Vec<IndexedRecord> {
    let make = |n: u64| match n {
        n if n % 10 == 0 => denied(n),
        n if n % 7 == 0 => {
            let status = "upstream_timeout".into();
            IndexedRecord { ending: Some(Ending { status, code: Some(-32001), ..ok(None) }), ..call(n) }
        }
        n => call(n),
    };
    (0..30).map(make).collect()
}

fn new(record: IndexedRecord) -> NewRecord {
    NewRecord { record, ..NewRecord::default() }
}

async fn write(index: &LedgerIndex, records: Vec<IndexedRecord>) {
    let next = records.last().unwrap().index + 1;
    let batch = IndexBatch { records: records.into_iter().map(new).collect(), endings: Vec::new() };
    index.write(LEDGER, &batch, &position(next)).await.unwrap();
}

async fn all(index: &LedgerIndex) -> Vec<IndexedRecord> {
    index.find(&IndexFilter::default(), None, 500).await.unwrap().records
}

fn indices(found: &Found) -> Vec<u64> {
    found.records.iter().map(|record| record.index).collect()
}

pub(crate) async fn records_read_back_as_written(db: TestDatabase) {
    let index = db.ledger_index();
    assert_eq!(index.position(LEDGER).await.unwrap(), None);
    let bare = IndexedRecord {
        ledger: LEDGER.into(),
        index: 31,
        at: moment(31),
        kind: "lifecycle".into(),
        about: Some("started".into()),
        ..IndexedRecord::default()
    };
    let mut written = thirty();
    written.push(bare);
    write(&index, written.clone()).await;
    written.reverse();
    assert_eq!(all(&index).await, written);
    assert_eq!(index.position(LEDGER).await.unwrap(), Some(position(32)));
    index.close().await;
    let again = db.ledger_index();
    assert_eq!(again.position(LEDGER).await.unwrap(), Some(position(32)));
    assert_eq!(all(&again).await.len(), 31);
}

pub(crate) async fn an_outcome_completes_the_row_of_its_call(db: TestDatabase) {
    let index = db.ledger_index();
    let open = |n| IndexedRecord { ending: None, ..call(n) };
    write(&index, (0..3).map(open).collect()).await;
    assert!(all(&index).await.iter().all(|record| record.ending.is_none()));
    let ending = Ending { status: "tool_error".into(), code: Some(-1), ..ok(Some(4)) };
    let end = |call: u128| NewEnding {
        call: CallId::from_bits(call),
        ending: ending.clone(),
        words: words_of("late fruit"),
    };
    // Of the call 77 nothing is known: its beginning is not in this index.
    let batch = IndexBatch { records: Vec::new(), endings: vec![end(1), end(77)] };
    index.write(LEDGER, &batch, &position(6)).await.unwrap();
    let records = all(&index).await;
    assert_eq!(records.len(), 3);
    assert_eq!(records[1].ending, Some(ending));
    assert!(records[0].ending.is_none() && records[2].ending.is_none());
    for filter in [
        IndexFilter { status: Some("tool_error".into()), ..IndexFilter::default() },
        IndexFilter { text: Some("fruit".into()), ..IndexFilter::default() },
    ] {
        assert_eq!(indices(&index.find(&filter, None, 10).await.unwrap()), [1], "{filter:?}");
    }
}

pub(crate) async fn writing_a_batch_again_changes_nothing(db: TestDatabase) {
    let index = db.ledger_index();
    let with_words = |n: u64| NewRecord {
        record: IndexedRecord { ending: None, ..call(n) },
        words: words_of("apple"),
        ending_words: String::new(),
    };
    let first = IndexBatch { records: (0..3).map(with_words).collect(), endings: Vec::new() };
    let end = NewEnding { call: CallId::from_bits(1), ending: ok(Some(3)), words: words_of("pear") };
    let second = IndexBatch { records: vec![with_words(4)], endings: vec![end] };
    for _ in 0..2 {
        index.write(LEDGER, &first, &position(3)).await.unwrap();
        index.write(LEDGER, &second, &position(5)).await.unwrap();
    }
    let before = all(&index).await;
    assert_eq!(before.iter().map(|record| record.index).collect::<Vec<_>>(), [4, 2, 1, 0]);
    // An earlier batch alone takes no ending back.
    index.write(LEDGER, &first, &position(3)).await.unwrap();
    assert_eq!(all(&index).await, before);
    assert_eq!(before[2].ending, Some(ok(Some(3))));
    for (word, found) in [("apple", vec![4, 2, 1, 0]), ("pear", vec![1])] {
        let filter = IndexFilter { text: Some(word.into()), ..IndexFilter::default() };
        assert_eq!(indices(&index.find(&filter, None, 10).await.unwrap()), found);
    }
}

pub(crate) async fn what_is_not_committed_moves_no_position(db: TestDatabase) {
    let index = db.ledger_index();
    write(&index, vec![call(0)]).await;
    // The record itself could be written; its words, which come after it, could not.
    let batch = IndexBatch {
        records: vec![NewRecord { words: "not\0words".into(), ..new(call(1)) }],
        endings: Vec::new(),
    };
    index.write(LEDGER, &batch, &position(2)).await.unwrap_err();
    assert_eq!(index.position(LEDGER).await.unwrap(), Some(position(1)));
    assert_eq!(all(&index).await, [call(0)]);
}

pub(crate) async fn every_filter_finds_its_records_and_no_others(db: TestDatabase) {
    let index = db.ledger_index();
    let records = thirty();
    write(&index, records.clone()).await;
    let some = |text: &str| Some(text.to_owned());
    let base = IndexFilter::default;
    type Fits = fn(&IndexedRecord) -> bool;
    let status = |record: &IndexedRecord| record.ending.as_ref().map(|ending| ending.status.clone());
    let cases: Vec<(IndexFilter, Fits)> = vec![
        (IndexFilter { kind: some("denied"), ..base() }, |r| r.kind == "denied"),
        (IndexFilter { kind: some("intent"), ..base() }, |r| r.kind == "intent"),
        (IndexFilter { call: Some(CallId::from_bits(7)), ..base() }, |r| r.index == 7),
        (IndexFilter { principal: Some(Named::Id(PrincipalId::from_bits(2))), ..base() }, |r| {
            r.index % 3 == 2
        }),
        (IndexFilter { principal: Some(Named::Name("agent-2".into())), ..base() }, |r| r.index % 3 == 2),
        (IndexFilter { server: Some(Named::Id(ServerId::from_bits(1))), ..base() }, |r| r.index % 2 == 1),
        (IndexFilter { server: Some(Named::Name("server-1".into())), ..base() }, |r| r.index % 2 == 1),
        (IndexFilter { definition: some("tool-3"), ..base() }, |r| r.index % 4 == 3),
        (IndexFilter { decision: some("deny"), ..base() }, |r| r.kind == "denied"),
        (IndexFilter { decision: some("allow"), ..base() }, |r| r.kind == "intent"),
        (IndexFilter { status: some("upstream_timeout"), ..base() }, |r| {
            r.index % 7 == 0 && r.index % 10 != 0
        }),
        (IndexFilter { status: some("ok"), ..base() }, |r| r.index % 7 != 0 && r.index % 10 != 0),
        (IndexFilter { reason: some("policy_denied"), ..base() }, |r| r.kind == "denied"),
        (IndexFilter { trace: some(&format!("{:032X}", 3)), ..base() }, |r| r.index % 7 == 2),
        (IndexFilter { session: some("session-4"), ..base() }, |r| r.index % 5 == 4),
        (IndexFilter { from: Some(moment(9)), to: Some(moment(15)), ..base() }, |r| {
            (9..15).contains(&r.index)
        }),
        (IndexFilter { trace: some("not a trace"), ..base() }, |_| false),
        (IndexFilter { principal: Some(Named::Name("nobody".into())), ..base() }, |_| false),
    ];
    // Each alone, and every two together.
    for (at, (one, fits)) in cases.iter().enumerate() {
        let wanted: Vec<u64> = records.iter().rev().filter(|r| fits(r)).map(|r| r.index).collect();
        assert_eq!(indices(&index.find(one, None, 100).await.unwrap()), wanted, "{one:?}");
        for (other, too) in &cases[at + 1..] {
            let both = both(one, other);
            let Some(both) = both else { continue };
            let fitting = records.iter().rev().filter(|r| fits(r) && too(r));
            let wanted: Vec<u64> = fitting.map(|r| r.index).collect();
            assert_eq!(indices(&index.find(&both, None, 100).await.unwrap()), wanted, "{both:?}");
        }
    }
    assert!(records.iter().any(|record| status(record).as_deref() == Some("upstream_timeout")));
}

/// Both filters as one; `None` if both say the same member.
fn both(one: &IndexFilter, other: &IndexFilter) -> Option<IndexFilter> {
    macro_rules! join {
        ($($member:ident),*) => {
            IndexFilter { $($member: match (&one.$member, &other.$member) {
                (Some(_), Some(_)) => return None,
                (one, other) => one.clone().or_else(|| other.clone()),
            }),* }
        };
    }
    Some(join!(
        kind, call, principal, server, definition, decision, status, reason, trace, session, text, from, to
    ))
}

pub(crate) async fn pages_follow_each_other_without_gap_or_repetition(db: TestDatabase) {
    let index = db.ledger_index();
    write(&index, thirty()).await;
    let filters = [
        IndexFilter::default(),
        IndexFilter { server: Some(Named::Name("server-1".into())), ..IndexFilter::default() },
        IndexFilter {
            server: Some(Named::Name("server-1".into())),
            status: Some("ok".into()),
            ..IndexFilter::default()
        },
    ];
    for filter in filters {
        let whole = indices(&index.find(&filter, None, 100).await.unwrap());
        let (mut pieces, mut after) = (Vec::new(), None);
        loop {
            let piece = index.find(&filter, after, 4).await.unwrap();
            pieces.extend(indices(&piece));
            // New records do not move the pages.
            write(&index, vec![call(100 + u64::try_from(pieces.len()).unwrap())]).await;
            after = piece.next.map(|next| next.to_string().parse().unwrap());
            if after.is_none() {
                break;
            }
        }
        assert_eq!(pieces, whole, "{filter:?}");
        index.forget(LEDGER).await.unwrap();
        write(&index, thirty()).await;
    }
}

pub(crate) async fn words_are_found_in_requests_and_in_answers(db: TestDatabase) {
    let index = db.ledger_index();
    let texts = [
        ("Invoice 4711 for Zoë", "paid in full"),
        ("invoice 4712", "overdue; 天気"),
        ("path /etc/PASSWD", ""),
        ("", "user@example.com"),
    ];
    let records = texts.iter().enumerate().map(|(n, (asked, answered))| NewRecord {
        record: call(u64::try_from(n).unwrap()),
        words: words_of(asked),
        ending_words: words_of(answered),
    });
    let batch = IndexBatch { records: records.collect(), endings: Vec::new() };
    index.write(LEDGER, &batch, &position(4)).await.unwrap();
    for (text, wanted) in [
        ("invoice", vec![1, 0]),
        ("INVOICE zoë", vec![0]),
        ("4711", vec![0]),
        ("paid", vec![0]),
        ("weather", vec![]),
        ("天", vec![1]),
        ("etc passwd", vec![2]),
        ("user example", vec![3]),
        // All words in the request, or all in the answer.
        ("invoice paid", vec![]),
        ("invoice | * 4711'\" --", vec![0]),
        ("&|!:*()\"'", vec![]),
    ] {
        let filter = IndexFilter { text: Some(text.into()), ..IndexFilter::default() };
        assert_eq!(indices(&index.find(&filter, None, 10).await.unwrap()), wanted, "{text}");
        let server = Some(Named::Name("server-0".into()));
        let filter = IndexFilter { server, text: Some(text.into()), ..IndexFilter::default() };
        let even: Vec<u64> = wanted.into_iter().filter(|n| n % 2 == 0).collect();
        assert_eq!(indices(&index.find(&filter, None, 10).await.unwrap()), even, "{text} of one server");
    }
}

pub(crate) async fn a_common_word_is_found_newest_first(db: TestDatabase) {
    let index = db.ledger_index();
    for from in (0..30_000).step_by(10_000) {
        let record = |n: u64| NewRecord {
            record: call(n),
            words: if n == 17 { words_of("common rare") } else { words_of("common") },
            ending_words: words_of("common"),
        };
        let batch = IndexBatch { records: (from..from + 10_000).map(record).collect(), endings: Vec::new() };
        index.write(LEDGER, &batch, &position(from + 10_000)).await.unwrap();
    }
    let filter = |text: &str| IndexFilter { text: Some(text.into()), ..IndexFilter::default() };
    let (mut seen, mut after) = (BTreeSet::new(), None);
    for _ in 0..3 {
        let found = index.find(&filter("common"), after, 100).await.unwrap();
        seen.extend(indices(&found));
        after = found.next;
    }
    assert_eq!(seen, (29_700..30_000).collect());
    assert_eq!(indices(&index.find(&filter("rare"), None, 100).await.unwrap()), [17]);
    // A time far back is found at once, and not by way of everything since.
    let (from, to) = (Some(moment(300)), Some(moment(306)));
    let back = index.find(&IndexFilter { from, to, ..filter("common") }, None, 100).await.unwrap();
    assert_eq!((indices(&back), back.next), (vec![305, 304, 303, 302, 301, 300], None));
    let later = index.find(&IndexFilter { from: Some(moment(40_000)), ..filter("common") }, None, 9).await;
    assert!(later.unwrap().records.is_empty());
    // A condition that many fulfil, and one of them with another: found within the bound, or with a next piece.
    let filter = IndexFilter {
        principal: Some(Named::Name("agent-2".into())),
        definition: Some("tool-1".into()),
        call: Some(CallId::from_bits(17)),
        text: Some("rare".into()),
        ..IndexFilter::default()
    };
    assert_eq!(indices(&index.find(&filter, None, 100).await.unwrap()), [17]);
}

pub(crate) async fn no_text_of_a_stranger_stops_the_index(db: TestDatabase) {
    let index = db.ledger_index();
    let wild = "a\0b\u{1b}[2J".to_owned();
    let long = "é".repeat(5_000);
    let record = IndexedRecord {
        subject: Some(wild.clone()),
        client: Some(long.clone()),
        definition_key: Some(long.clone()),
        session: Some(long.clone()),
        reason: Some(wild.clone()),
        server_name: Some(wild.clone()),
        trace: Some("zz".into()),
        span: Some("é".into()),
        about: Some(wild.clone()),
        ..call(0)
    };
    let words = words_of(&format!("{wild} {long} '; DROP TABLE x \\ \" {}", "y ".repeat(100_000)));
    let batch = IndexBatch {
        records: vec![NewRecord { record, words, ending_words: words_of(&wild) }],
        endings: Vec::new(),
    };
    index.write(LEDGER, &batch, &position(1)).await.unwrap();
    for filter in [
        IndexFilter { definition: Some(long), ..IndexFilter::default() },
        IndexFilter { principal: Some(Named::Name(wild.clone())), ..IndexFilter::default() },
        IndexFilter { text: Some(wild), ..IndexFilter::default() },
    ] {
        assert_eq!(index.find(&filter, None, 10).await.unwrap().records.len(), 1);
    }
}

pub(crate) async fn forgetting_leaves_nothing(db: TestDatabase) {
    let index = db.ledger_index();
    let with_words = |n| NewRecord { words: words_of("apple"), ..new(call(n)) };
    let batch = IndexBatch { records: (0..10).map(with_words).collect(), endings: Vec::new() };
    index.write(LEDGER, &batch, &position(10)).await.unwrap();
    index.forget(LEDGER).await.unwrap();
    assert!(all(&index).await.is_empty());
    assert!(index.position(LEDGER).await.unwrap().is_none_or(|position| position.next == 0));
    let filter = IndexFilter { text: Some("apple".into()), ..IndexFilter::default() };
    assert!(index.find(&filter, None, 10).await.unwrap().records.is_empty());
    index.write(LEDGER, &batch, &position(10)).await.unwrap();
    assert_eq!(index.find(&filter, None, 100).await.unwrap().records.len(), 10);
}

pub(crate) async fn threads_come_oldest_first_and_bounded(db: TestDatabase) {
    let index = db.ledger_index();
    write(&index, thirty()).await;
    let trace = Thread::Trace(format!("{:032x}", 3));
    let of = |records: Vec<IndexedRecord>| records.iter().map(|r| r.index).collect::<Vec<_>>();
    assert_eq!(of(index.thread(&trace, 100).await.unwrap()), [2, 9, 16, 23]);
    assert_eq!(of(index.thread(&trace, 2).await.unwrap()), [2, 9]);
    let session = Thread::Session("session-1".into());
    assert_eq!(of(index.thread(&session, 3).await.unwrap()), [1, 6, 11]);
    assert!(index.thread(&Thread::Trace("x".into()), 3).await.unwrap().is_empty());
}
