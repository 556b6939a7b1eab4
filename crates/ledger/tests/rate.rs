//! How fast a ledger is checked. A measurement, so only by request and in release:
//! `cargo test --release -p bailiwick-ledger --test rate -- --ignored --nocapture`.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::Durability;
use bailiwick_ledger::{Keys, Ledger, VerifyOptions, prove_inclusion, verify};
use bailiwick_model::grant::Action;
use bailiwick_model::principal::PrincipalKind;
use bailiwick_model::record::{
    Intent, Outcome, Payload, PayloadDigest, PolicyHash, Secrets, Status, Subject, Timing, Upstream, What,
    Who, Why,
};
use bailiwick_model::{CallId, Clock as _, Generation, PrincipalId, Record, Recorder as _, ServerId, TeamId};
use bailiwick_runtime::{DigestKey, KeyDir, SigningKey, SystemClock, SystemEntropy};

/// So many calls, of two records each.
const CALLS: u128 = 500_000;

/// Records in a second on one core that `verify` must reach (issue: evidence, section 2).
const WANTED: f64 = 200_000.0;

fn intent(call: u128, rules: &[Box<str>]) -> Record<'_> {
    Record::Intent(Intent {
        call: CallId::from_bits(call),
        who: Who {
            principal: PrincipalId::from_bits(1),
            kind: PrincipalKind::Agent,
            issuer: "https://login.corp.example/realms/main",
            subject: "build-agent@corp.example",
            team: TeamId::from_bits(2),
            key: None,
        },
        what: What {
            endpoint: "/toolsets/support/mcp",
            method: "tools/call",
            era: "2025-11-25",
            session: Some("8f0c2b6d1a9e4f73"),
            client: Some("an agent 1.2.3"),
            trace: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
            span: Some("00f067aa0ba902b7"),
            parent: Some("b7ad6b7169203331"),
        },
        subject: Subject {
            server: ServerId::from_bits(3),
            name: "files",
            kind: None,
            key: Some("read_file"),
            hash: None,
        },
        why: Why { action: Action::Call, generation: Generation(4), policy: PolicyHash([5; 32]), rules },
        credential: Secrets::default(),
        arguments: Payload::bare(321, PayloadDigest([7; 32])),
    })
}

fn outcome(call: u128) -> Record<'static> {
    Record::Outcome(Outcome {
        call: CallId::from_bits(call),
        status: Status::Ok,
        code: None,
        detail: None,
        upstream: Upstream::default(),
        is_error: None,
        result: Some(Payload::bare(4711, PayloadDigest([8; 32]))),
        timing: Timing { policy_us: 12, queue_us: 9, upstream_us: 3456, total_us: 3500 },
    })
}

#[tokio::test]
#[ignore = "a measurement"]
async fn a_ledger_is_verified_at_200_000_records_a_second_on_one_core() {
    let home = tempfile::tempdir().unwrap();
    let dir = KeyDir::open(home.path().join("keys")).unwrap();
    let keys = Keys {
        origin: "node.test/ledger".into(),
        signing: SigningKey::load_or_create(&dir, "ledger").unwrap(),
        digest: DigestKey::new(&dir.load_or_create("digest", &SystemEntropy::new()).unwrap()),
    };
    let settings = bailiwick_config::Ledger {
        durability: Durability::Os,
        segment_bytes: 64 << 20,
        segment_age: Duration::from_secs(3600),
        checkpoint_records: 4096,
        checkpoint_every: Duration::from_secs(10),
        stall: Duration::from_secs(2),
        witness: bailiwick_config::Witness::default(),
        archive: None,
        retention: bailiwick_config::Retention::default(),
    };
    let clock = Arc::new(SystemClock::new());
    let place = home.path().join("ledger");
    let ledger = Ledger::open(&place, settings, keys, Arc::clone(&clock) as _).unwrap();
    let rules = ["grant_00000000000000000000000000000007".into()];
    for call in 0..CALLS {
        ledger.append(&intent(call, &rules)).settled().await.unwrap();
        ledger.append(&outcome(call)).settled().await.unwrap();
    }
    let bytes = ledger.status().unwrap().bytes;
    ledger.close().unwrap();

    let begun = clock.monotonic();
    let report = verify(&place, &VerifyOptions::default()).unwrap();
    let took = (clock.monotonic() - begun).as_secs_f64();
    assert_eq!((report.bad, u128::from(report.records)), (None, 2 * CALLS));
    let records = f64::from(u32::try_from(report.records).unwrap());
    println!(
        "verify: {:.0} records/s, {} bytes a record, {} segments",
        records / took,
        bytes / report.records,
        report.segments
    );

    for index in [0, report.records / 2, report.records - 1] {
        let begun = clock.monotonic();
        prove_inclusion(&place, index, None).unwrap();
        println!("prove record {index} of {}: {:?}", report.records, clock.monotonic() - begun);
    }
    if !cfg!(debug_assertions) {
        assert!(records / took >= WANTED, "{:.0} records/s", records / took);
    }
}
