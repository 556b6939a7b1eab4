//! How SQLite looks for what is asked: read from its own plans. PostgreSQL plans by what it has counted.

use bailiwick_model::{CallId, PrincipalId, ServerId, Timestamp};

use super::*;
use crate::ledger_index::Named;
use crate::{Location, Store};

impl Finder<'_> {
    /// The plan of every statement that could be chosen for the filter.
    async fn plans(self) -> Vec<String> {
        let leaders = self.plan.leaders();
        let leaders = if leaders.is_empty() { vec![None] } else { leaders.into_iter().map(Some).collect() };
        let mut queries: Vec<Query> = leaders.iter().map(|leader| self.scan(*leader, SCAN)).collect();
        queries.extend(self.search.as_ref().map(|search| self.by_words_in_order(search)));
        let mut plans = Vec::new();
        for query in queries {
            let rows = query.explained().all(&mut *self.on).await.unwrap();
            let steps: Vec<_> = rows.iter().map(|row| row.text("detail").unwrap()).collect();
            plans.push(steps.join("; "));
        }
        plans
    }
}

#[tokio::test]
async fn every_filter_of_the_ledger_s_index_is_led_by_an_index_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Location::Sqlite(folder.path().join("bailiwick.db"))).await.unwrap();
    let index = LedgerIndex::beside(&store, folder.path().join("ledger-index.db"));
    let mut connection = index.read().await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    let plain = IndexFilter {
        call: Some(CallId::from_bits(1)),
        principal: Some(Named::Name("agent-1".into())),
        server: Some(Named::Name("server-1".into())),
        definition: some("tool-1"),
        trace: some("00000000000000000000000000000001"),
        session: some("session-1"),
        text: some("two words"),
        from: Some(Timestamp::from_micros(1)),
        to: Some(Timestamp::from_micros(9)),
        ..IndexFilter::default()
    };
    let notable = IndexFilter {
        kind: some("denied"),
        decision: some("deny"),
        status: some("upstream_timeout"),
        reason: some("policy_denied"),
        principal: Some(Named::Id(PrincipalId::from_bits(1))),
        server: Some(Named::Id(ServerId::from_bits(1))),
        ..plain.clone()
    };
    let common = IndexFilter { status: some("ok"), decision: some("allow"), ..IndexFilter::default() };
    let after = Some(IndexCursor { at: Timestamp::from_micros(5), index: 1, node: 1 });
    for (filter, leaders) in [(IndexFilter::default(), 1), (common, 1), (plain, 7), (notable, 11)] {
        let search = filter.text.as_deref().and_then(|text| search(Dialect::Sqlite, text));
        let plan = Plan::of(&filter);
        let finder = Finder { on: &mut connection, plan, filter: &filter, search, after, limit: 100 };
        let plans = finder.plans().await;
        assert_eq!(plans.len(), leaders, "{plans:#?}");
        for plan in plans {
            let walks = plan.contains("SCAN indexed_records") && !plan.contains("USING INDEX");
            assert!(!walks && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
