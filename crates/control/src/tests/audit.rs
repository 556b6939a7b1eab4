//! Looking into the ledger.

use super::agent;
use crate::testing::Room;

#[tokio::test]
async fn records_are_read_from_the_end_and_onwards() {
    let room = Room::new().await;
    let admin = room.admin().await;
    for name in ["a", "b", "c"] {
        room.control.add_principal(&admin, agent(name)).await.unwrap();
    }
    let last = room.control.audit_records(&admin, None, 2).await.unwrap();
    assert_eq!(last.lines.len(), 2);
    assert!(last.lines[1].contains("\"c\""));
    let nothing = room.control.audit_records(&admin, last.last, 10).await.unwrap();
    assert!(nothing.lines.is_empty());
    assert_eq!(nothing.last, last.last);
    room.control.add_principal(&admin, agent("d")).await.unwrap();
    let more = room.control.audit_records(&admin, nothing.last, 10).await.unwrap();
    assert_eq!(more.lines.len(), 1);
}

#[tokio::test]
async fn the_ledger_verifies_and_tells_its_size() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_principal(&admin, agent("a")).await.unwrap();
    let report = room.control.audit_verify(&admin).await.unwrap();
    assert!(report.bad.is_none() && report.key_given, "{report:?}");
    let status = room.control.audit_status(&admin).await.unwrap();
    assert_eq!(status.next_index, report.records);
    assert!(status.available);
}
