//! Figures of the ledger's index with many records: how fast they come in, how much room they take, how long each
//! filter takes. Ignored unless asked for:
//!
//! `BAILIWICK_INDEX_RECORDS=10000000 cargo test --release -p bailiwick-store --test sqlite -- --ignored --nocapture
//! many_records`; with `BAILIWICK_INDEX_FILE` SQLite's index is kept there, and a later run goes on with it.

#![expect(clippy::print_stdout, reason = "figures are for whoever asked for them")]

use std::time::Duration;

use bailiwick_model::{CallId, Clock, PrincipalId, ServerId, TeamId, Timestamp};
use bailiwick_store::{
    Ending, IndexBatch, IndexFilter, IndexPosition, IndexedRecord, LedgerIndex, Named, NewRecord, words_of,
};

use super::fixture::NOW;

const LEDGER: &str = "bailiwick-ledger/0123456789abcdef";
const BATCH: u64 = 10_000;

/// Time for measuring, which is the one thing that this file is about.
#[derive(Debug)]
struct Watch(std::time::Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "measuring is what this does")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The same numbers at each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// Small numbers far more often than large ones.
    fn skewed(&mut self, sides: u64) -> u64 {
        let most = self.roll(sides) + 1;
        self.roll(most)
    }
}

fn record(n: u64, dice: &mut Dice) -> NewRecord {
    let (principal, server, tool) = (dice.skewed(500), dice.skewed(50), dice.skewed(20));
    let refused = dice.roll(50) == 0;
    let failed = dice.roll(33) == 0;
    let status =
        if failed { ["tool_error", "upstream_timeout", "rpc_error"][(n % 3) as usize] } else { "ok" };
    let words: String = (0..8).map(|_| format!("word{} ", dice.skewed(5_000))).collect();
    let record = IndexedRecord {
        index: n,
        at: Timestamp::from_micros(NOW.as_micros() + i64::try_from(n).unwrap() * 25_000),
        kind: if refused { "denied" } else { "intent" }.into(),
        call: Some(CallId::from_bits((u128::from(n) << 80) | u128::from(dice.roll(u64::MAX)))),
        principal: Some(PrincipalId::from_bits(u128::from(principal) << 64)),
        issuer: Some("https://login.example.com".into()),
        subject: Some(format!("agent-{principal}")),
        team: Some(TeamId::from_bits(u128::from(principal % 20))),
        client: Some("claude-code/2.1".into()),
        session: Some(format!("{:022x}", n / 1_000 * 31 + principal)),
        server: Some(ServerId::from_bits(u128::from(server) << 64)),
        server_name: Some(format!("server-{server}")),
        definition_kind: Some("tool".into()),
        definition_key: Some(format!("tool-{server}-{tool}")),
        method: Some("tools/call".into()),
        decision: Some(if refused { "deny" } else { "allow" }.into()),
        reason: refused.then(|| "policy_denied".into()),
        trace: Some(format!("{:016x}{:016x}", (n / 4).wrapping_mul(0x9e37_79b9_7f4a_7c15), n / 4)),
        span: Some(format!("{n:016x}")),
        arguments_bytes: Some(200),
        ending: (!refused).then(|| Ending {
            index: Some(n + 1),
            status: status.into(),
            code: None,
            result_bytes: Some(900),
            policy_us: Some(4),
            upstream_us: Some(12_000),
            total_us: Some(12_010),
        }),
        ..IndexedRecord::default()
    };
    NewRecord { record, words: words_of(&format!("{words} order{n}")), ending_words: String::new() }
}

fn filters(records: u64) -> Vec<(&'static str, IndexFilter)> {
    let some = |text: &str| Some(text.to_owned());
    let base = IndexFilter::default;
    let who = |n: u64| Some(Named::Name(format!("agent-{n}")));
    let server = |n: u64| Some(Named::Name(format!("server-{n}")));
    let hour = Timestamp::from_micros(NOW.as_micros() + i64::try_from(records / 2).unwrap() * 25_000);
    vec![
        ("the newest", base()),
        ("principal, frequent", IndexFilter { principal: who(0), ..base() }),
        ("principal, rare", IndexFilter { principal: who(499), ..base() }),
        (
            "principal by id",
            IndexFilter { principal: Some(Named::Id(PrincipalId::from_bits(7 << 64))), ..base() },
        ),
        ("server", IndexFilter { server: server(3), ..base() }),
        ("tool", IndexFilter { definition: some("tool-49-19"), ..base() }),
        ("denied", IndexFilter { decision: some("deny"), ..base() }),
        ("allowed", IndexFilter { decision: some("allow"), ..base() }),
        ("status", IndexFilter { status: some("upstream_timeout"), ..base() }),
        ("kind that there is none of", IndexFilter { kind: some("admin_change"), ..base() }),
        ("reason", IndexFilter { reason: some("policy_denied"), ..base() }),
        ("trace", IndexFilter { trace: some(&format!("{:032x}", 0)), ..base() }),
        ("session", IndexFilter { session: some(&format!("{:022x}", 31)), ..base() }),
        ("time in the middle", IndexFilter { to: Some(hour), ..base() }),
        ("principal + denied", IndexFilter { principal: who(0), decision: some("deny"), ..base() }),
        ("principal + server", IndexFilter { principal: who(0), server: server(49), ..base() }),
        ("principal + server, none", IndexFilter { principal: who(499), server: server(49), ..base() }),
        (
            "principal + server + status + time",
            IndexFilter {
                principal: who(1),
                server: server(2),
                status: some("rpc_error"),
                to: Some(hour),
                ..base()
            },
        ),
        ("server + ok", IndexFilter { server: server(0), status: some("ok"), ..base() }),
        ("word, in half of all", IndexFilter { text: some("word0"), ..base() }),
        ("word, in one", IndexFilter { text: some("order4711"), ..base() }),
        ("two words", IndexFilter { text: some("word3 word4000"), ..base() }),
        ("word + principal", IndexFilter { text: some("word1"), principal: who(499), ..base() }),
        ("word + denied", IndexFilter { text: some("word4900"), decision: some("deny"), ..base() }),
    ]
}

pub(crate) async fn many_records(index: LedgerIndex) {
    let records = how_many();
    let written = index.position(LEDGER).await.unwrap().map_or(0, |position| position.next);
    let (watch, mut dice) = (Watch::start(), Dice(written + 1));
    let mut writing = Duration::ZERO;
    for from in (written..records).step_by(usize::try_from(BATCH).unwrap()) {
        let batch = IndexBatch {
            records: (from..(from + BATCH).min(records)).map(|n| record(n, &mut dice)).collect(),
            endings: Vec::new(),
        };
        let position = IndexPosition { next: from + BATCH, last: [0; 32] };
        let begun = watch.monotonic();
        index.write(LEDGER, &batch, &position).await.unwrap();
        writing += watch.monotonic() - begun;
        if (from / BATCH).is_multiple_of(50) {
            println!("{from:>10} records, {writing:?}");
        }
    }
    let rate = records.saturating_sub(written) as f64 / writing.as_secs_f64();
    println!("{records} records, written at {rate:.0}/s");
    for (what, filter) in filters(records) {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..5 {
            let begun = watch.monotonic();
            found = index.find(&filter, None, 100).await.unwrap().records.len();
            times.push(watch.monotonic() - begun);
        }
        let first = times[0];
        times.sort();
        println!("{what:<36} {found:>4} found  first {first:>12.2?}  median {:>12.2?}", times[2]);
        assert!(times[2] < Duration::from_secs(1), "{what}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a figure for one run is no setting")]
fn how_many() -> u64 {
    std::env::var("BAILIWICK_INDEX_RECORDS").map_or(200_000, |count| count.parse().unwrap())
}
