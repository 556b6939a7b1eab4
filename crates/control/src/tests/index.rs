//! The index over the ledger: fed behind everybody's back, found anew after every misfortune.

use std::path::PathBuf;
use std::time::Duration;

use bailiwick_model::principal::Role;
use bailiwick_model::record::{
    Outcome, Payload, PayloadDigest, PolicyHash, Secrets, Status, Timing, Upstream, What, Who, Why,
};
use bailiwick_model::{
    CallId, Generation, PrincipalId, Record, Recorder as _, ServerId, TeamId, grant::Action,
    principal::PrincipalKind, record::Intent, record::Subject,
};

use super::agent;
use crate::testing::Room;
use crate::{Actor, CallFilter, ControlError, IndexState, IndexedRecord};

pub(super) async fn running() -> Room {
    let room = Room::new().await;
    room.control.catch_up().await.unwrap();
    room.control.run(&room.tasks);
    room
}

fn index_file(room: &Room) -> PathBuf {
    room.control.parts().settings.ledger_dir.with_file_name("ledger-index.db")
}

async fn find(room: &Room, filter: CallFilter) -> Vec<IndexedRecord> {
    room.control.audit_calls(&Actor::Gateway, filter, None, 500).await.unwrap().items
}

/// Waits until what is found is right.
async fn found(room: &Room, is_right: impl Fn(&[IndexedRecord]) -> bool) {
    let looking = async {
        // While the index is away, it is not right either.
        let all = || room.control.audit_calls(&Actor::Gateway, CallFilter::default(), None, 500);
        while !all().await.is_ok_and(|found| is_right(&found.items)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.expect("it is found");
}

/// Waits until the index is where the ledger is.
pub(super) async fn caught_up(room: &Room) -> IndexState {
    let records = u64::try_from(room.records().len()).unwrap();
    let looking = async {
        loop {
            let state = room.control.index_state(&Actor::Gateway).unwrap();
            if state.records == records && state.lag_records == 0 && !state.rebuilding {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.expect("the index keeps up")
}

async fn intent(room: &Room, call: u128) {
    intent_with(room, call, Payload::bare(1, PayloadDigest([7; 32]))).await;
}

pub(super) async fn intent_with(room: &Room, call: u128, arguments: Payload<'_>) {
    let what = What {
        endpoint: "/mcp",
        method: "tools/call",
        era: "x",
        session: Some("s"),
        client: None,
        trace: None,
        span: None,
        parent: None,
    };
    let record = Record::Intent(Intent {
        call: CallId::from_bits(call),
        who: Who {
            principal: PrincipalId::from_bits(1),
            kind: PrincipalKind::Agent,
            issuer: "local",
            subject: "bot",
            team: TeamId::from_bits(1),
            key: None,
        },
        what,
        subject: Subject {
            server: ServerId::from_bits(1),
            name: "files",
            kind: None,
            key: Some("read"),
            hash: None,
        },
        why: Why { action: Action::Call, generation: Generation(1), policy: PolicyHash([5; 32]), rules: &[] },
        credential: Secrets::default(),
        arguments,
    });
    room.recorder.append(&record).settled().await.unwrap();
}

async fn outcome(room: &Room, call: u128, status: Status) {
    let record = Record::Outcome(Outcome {
        call: CallId::from_bits(call),
        status,
        code: None,
        detail: Some("a broken pipe"),
        upstream: Upstream::default(),
        is_error: None,
        result: None,
        timing: Timing::default(),
    });
    room.recorder.append(&record).settled().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_recorded_is_found() {
    let room = running().await;
    let admin = room.admin().await;
    room.control.add_principal(&admin, agent("bot")).await.unwrap();
    intent(&room, 1).await;
    intent(&room, 2).await;
    outcome(&room, 2, Status::ToolError).await;
    caught_up(&room).await;
    // The end of a call that was indexed long before.
    outcome(&room, 1, Status::Ok).await;
    let state = caught_up(&room).await;
    assert!(!state.failing && state.lag_seconds == 0);
    let of = |principal: &str| CallFilter { principal: Some(principal.into()), ..CallFilter::default() };
    let calls = find(&room, of("bot")).await;
    let ends: Vec<_> = calls.iter().map(|call| call.ending.clone().unwrap().status).collect();
    assert_eq!(ends, ["tool_error", "ok"]);
    let changes = find(&room, CallFilter { kind: Some("admin_change".into()), ..of("admin") }).await;
    assert!(changes[0].about.as_ref().unwrap().starts_with("agent.add "), "{changes:?}");
    let words = CallFilter { text: Some("PIPE broken".into()), ..CallFilter::default() };
    assert_eq!(find(&room, words).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_lost_damaged_or_made_anew_gives_the_same_answers() {
    let room = running().await;
    for call in 0..50 {
        intent(&room, call).await;
        outcome(&room, call, Status::Ok).await;
    }
    caught_up(&room).await;
    let before = find(&room, CallFilter::default()).await;
    assert!(before.len() >= 50);

    std::fs::remove_file(index_file(&room)).unwrap();
    let gone = async {
        while !index_file(&room).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("it is noticed");
    found(&room, |records| records == before).await;

    room.control.audit_reindex(&room.admin().await).await.unwrap();
    caught_up(&room).await;
    let after = find(&room, CallFilter::default()).await;
    assert_eq!(after[0].about.as_deref().unwrap().split(' ').next(), Some("audit.reindex"));
    assert_eq!(after[1..], before);

    room.tasks.shutdown(Duration::from_secs(5)).await.unwrap();
    room.control.parts().index.close().await;
    std::fs::write(index_file(&room), "this is no database".repeat(500)).unwrap();
    let room = again(room).await;
    found(&room, |records| records == after).await;
}

/// Starts the background work of a room that was stopped.
async fn again(mut room: Room) -> Room {
    room.tasks = bailiwick_runtime::Tasks::new();
    room.control.run(&room.tasks);
    room
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_another_ledger_is_made_anew() {
    let room = running().await;
    intent(&room, 1).await;
    caught_up(&room).await;
    room.tasks.shutdown(Duration::from_secs(5)).await.unwrap();
    // As if the index had been made from a ledger that had another record at its end.
    let parts = room.control.parts();
    let ledger = parts.ledger.verifier().name();
    let position = parts.index.position(ledger).await.unwrap().unwrap();
    let ghost = bailiwick_store::NewRecord {
        record: IndexedRecord { index: position.next, kind: "ghost".into(), ..IndexedRecord::default() },
        ..bailiwick_store::NewRecord::default()
    };
    let batch = bailiwick_store::IndexBatch { records: vec![ghost], endings: Vec::new() };
    let other = bailiwick_store::IndexPosition { next: position.next + 1, last: [9; 32] };
    parts.index.write(ledger, &batch, &other).await.unwrap();
    let room = again(room).await;
    found(&room, |records| !records.is_empty() && records.iter().all(|record| record.kind != "ghost")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_cannot_be_written_only_lags() {
    let room = Room::new().await;
    // A folder where the file should be.
    std::fs::create_dir(index_file(&room)).unwrap();
    room.control.catch_up().await.unwrap();
    room.control.run(&room.tasks);
    intent(&room, 1).await;
    let failing = async {
        while !room.control.index_state(&Actor::Gateway).unwrap().failing {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), failing).await.expect("it is told");
    assert!(room.control.audit_calls(&Actor::Gateway, CallFilter::default(), None, 10).await.is_err());
    room.control.add_principal(&room.admin().await, agent("bot")).await.unwrap();
    std::fs::remove_dir(index_file(&room)).unwrap();
    caught_up(&room).await;
    assert_eq!(find(&room, CallFilter { tool: Some("read".into()), ..CallFilter::default() }).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_find_nothing_and_auditors_rebuild_nothing() {
    let room = running().await;
    let (member, auditor) = (room.user(Role::Member).await, room.user(Role::Auditor).await);
    let filter = CallFilter::default;
    let refused = |result: Result<(), ControlError>| matches!(result, Err(ControlError::Forbidden { .. }));
    assert!(refused(room.control.audit_calls(&member, filter(), None, 1).await.map(drop)));
    assert!(refused(room.control.audit_trace(&member, "x").await.map(drop)));
    assert!(refused(room.control.index_state(&member).map(drop)));
    assert!(refused(room.control.audit_reindex(&auditor).await));
    assert!(room.control.audit_calls(&auditor, filter(), None, 1).await.is_ok());
    let nothing = room.control.audit_trace(&auditor, "nowhere").await;
    assert!(matches!(nothing, Err(ControlError::NotFound { .. })));
    for wrong in [
        CallFilter { decision: Some("maybe".into()), ..filter() },
        CallFilter { from: Some("yesterday".into()), ..filter() },
        CallFilter { call: Some("call_1".into()), ..filter() },
    ] {
        let invalid = room.control.audit_calls(&auditor, wrong, None, 1).await;
        assert!(matches!(invalid, Err(ControlError::Invalid { .. })));
    }
}
