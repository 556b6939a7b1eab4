//! The evidence of a call, from outside: made by the admin API and the command line, checked with the public key
//! alone, and of no use once anything in it was touched.

use std::fs;
use std::path::Path;
use std::process::Command;

use bailiwick_control::{Actor, ServerChange, WantedScope};
use bailiwick_ledger::{Evidence, EvidenceReport, Standing, VerifierKey};
use bailiwick_model::capture::{Capture, CaptureMode};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_testkit::upstream::Eras;
use http::Method;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, DOORS, Era, PATIENCE, Stage, script};

/// A stage that signs each second, on which `bot` may call `echo` and nothing else.
async fn stage() -> Stage {
    let server = script(Eras::Both).start().await.unwrap();
    let app = App::start_with("[ledger]\ncheckpoint_seconds = 1\n").await;
    app.register("files", &server.url()).await;
    let bot = app.agent("bot").await;
    let kind = DefinitionKind::Tool;
    app.grant_scope("bot", WantedScope::Definition { server: "files".into(), kind, key: "echo".into() })
        .await;
    Stage { app, server, bot }
}

/// The id of the last call with a record of this kind.
fn last(app: &App, kind: &str) -> String {
    app.records_of(kind).pop().unwrap()["call"].as_str().unwrap().to_owned()
}

fn key(app: &App) -> VerifierKey {
    fs::read_to_string(app.ledger_dir().join("checkpoint.pub")).unwrap().trim().parse().unwrap()
}

async fn get(client: &Client, call: &str) -> Answer {
    let request = client.request(Method::GET, &format!("/api/v1/audit/evidence/{call}"));
    Answer::read(client.send(request.body(Full::default()).unwrap()).await).await
}

/// The evidence of a call, as soon as the index has all of it.
async fn evidence(admin: &Client, call: &str, records: usize) -> Value {
    let looking = async {
        loop {
            let answer = get(admin, call).await;
            if answer.status == 200 {
                let pack: Value = serde_json::from_slice(&answer.body).unwrap();
                if pack["records"].as_array().unwrap().len() == records {
                    return pack;
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("{call}: no {records} records"))
}

fn check(pack: &Value, key: &VerifierKey) -> EvidenceReport {
    Evidence::parse(&pack.to_string()).unwrap().check(std::slice::from_ref(key))
}

fn standings(report: &EvidenceReport) -> Vec<(String, Standing)> {
    let is_id = |word: &&str| word.contains("grt_") || word.parse::<u64>().is_ok();
    let named = |part: &str| part.split(' ').filter(|word| !is_id(word)).collect::<Vec<_>>().join(" ");
    report.findings.iter().map(|finding| (named(&finding.part), finding.standing)).collect()
}

/// Runs `bailiwick audit …`; whether it succeeded, and what it printed.
#[expect(clippy::disallowed_methods, reason = "the command line under test is a program")]
async fn audit(admin: Option<(&Client, &str)>, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.arg("audit").args(arguments);
    if let Some((admin, url)) = admin {
        command.env("BAILIWICK_URL", url).env("BAILIWICK_KEY", admin.key());
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_has_encrypted_bodies_as_they_stand_in_the_ledger() {
    let stage = stage().await;
    let admin = stage.app.admin().await;
    let full = Capture { arguments: CaptureMode::Full, results: CaptureMode::Full, ..Capture::default() };
    let change = ServerChange { capture: Some(full), ..ServerChange::default() };
    stage.app.control().update_server(&Actor::Gateway, "files", change).await.unwrap();
    stage.echo(&stage.bot, Era::Modern, DOORS[1], "zanzibar").await.result();
    let pack = evidence(&admin, &last(&stage.app, "intent"), 3).await;
    assert!(check(&pack, &key(&stage.app)).holds);
    let text = pack.to_string();
    assert!(text.contains("\\\"sealed\\\"") && !text.contains("zanzibar"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_evidence_of_a_call_holds_with_the_public_key_alone() {
    let stage = stage().await;
    let admin = stage.app.admin().await;
    stage.echo(&stage.bot, Era::Modern, DOORS[1], "hi").await.result();
    let call = last(&stage.app, "intent");
    evidence(&admin, &call, 3).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let (file, kept) = (elsewhere.path().join("evidence.json"), elsewhere.path().join("kept.pub"));
    fs::copy(stage.app.ledger_dir().join("checkpoint.pub"), &kept).unwrap();
    let url = stage.app.url().to_owned();
    let make = ["evidence", "--call", &call, "-o", path(&file)];
    let (done, said) = audit(Some((&admin, &url)), &make).await;
    assert!(done && said.starts_with(&format!("the evidence of {call} is in ")), "{said}");
    assert!(!audit(Some((&admin, &url)), &make).await.0, "nothing is written over");
    let (done, printed) = audit(Some((&admin, &url)), &["evidence", "--call", &call]).await;
    assert!(done && Evidence::parse(&printed).unwrap().check(&[]).holds);
    let made = stage
        .app
        .records_of("admin_change")
        .into_iter()
        .filter(|record| record["operation"] == "audit.evidence");
    let made: Vec<_> = made.filter(|record| record["who"]["subject"] == "root").collect();
    assert!(made.len() >= 3 && made.iter().all(|record| record["object"] == call), "{made:?}");
    // Neither the gateway nor its directory is there any more.
    let Stage { app, .. } = stage;
    app.running.stop().await.unwrap();
    drop(app.dir);

    let (done, said) = audit(None, &["check-evidence", path(&file), "--key", path(&kept)]).await;
    assert!(done && said.starts_with("the evidence holds\n") && !said.contains("only attached"), "{said}");
    let (done, said) = audit(None, &["--json", "check-evidence", path(&file)]).await;
    assert!(done && said.contains("\"key_given\": false"), "{said}");
    let text = fs::read_to_string(&file).unwrap();
    let key: VerifierKey = fs::read_to_string(&kept).unwrap().trim().parse().unwrap();
    let report = Evidence::parse(&text).unwrap().check(std::slice::from_ref(&key));
    assert!(report.holds && report.key_given);
    let expected = [
        ("record (intent)", Standing::Proven),
        ("record (outcome)", Standing::Proven),
        ("record (admin_change)", Standing::Proven),
        ("policy", Standing::Proven),
        ("policy text", Standing::Linked),
        ("definition", Standing::Linked),
        ("grant", Standing::Proven),
    ];
    assert_eq!(standings(&report), expected.map(|(part, standing)| (part.to_owned(), standing)));
    let pack: Value = serde_json::from_str(&text).unwrap();
    assert!(pack["policy"]["text"].as_str().unwrap().contains("@id(\"grant-call\")"));
    assert!(pack["definition"]["text"].as_str().unwrap().contains("\"name\":\"echo\""));

    // An outcome that was taken out leaves no wrong proof behind, and no complete file.
    let mut open = pack.clone();
    open["records"].as_array_mut().unwrap().remove(1);
    let cut = elsewhere.path().join("cut.json");
    fs::write(&cut, open.to_string()).unwrap();
    let (done, said) = audit(None, &["check-evidence", path(&cut), "--key", path(&kept)]).await;
    assert!(
        !done && said.contains("the evidence is not complete") && said.contains("outcome missing"),
        "{said}"
    );
    let (done, said) =
        audit(None, &["check-evidence", path(&cut), "--key", path(&kept), "--allow-open"]).await;
    assert!(done && said.contains("outcome missing"), "{said}");

    let forged = text.replacen("@id(\\\"grant-call\\\")", "@id(\\\"grant-fall\\\")", 1);
    fs::write(&file, forged).unwrap();
    let (done, said) = audit(None, &["check-evidence", path(&file), "--key", path(&kept)]).await;
    assert!(!done && said.contains("policy text: its hash is not sha256:"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_changed_in_evidence_is_named() {
    let stage = stage().await;
    let admin = stage.app.admin().await;
    stage.echo(&stage.bot, Era::Modern, DOORS[0], "hi").await.result();
    let pack = evidence(&admin, &last(&stage.app, "intent"), 3).await;
    let key = key(&stage.app);
    assert!(check(&pack, &key).holds);
    let flipped = |text: &Value| {
        let mut bytes = text.as_str().unwrap().as_bytes().to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        Value::from(String::from_utf8(bytes).unwrap())
    };
    for (place, part) in [
        ("/records/0/record", "record "),
        ("/records/1/record", "record "),
        ("/records/2/path/0", "record "),
        ("/records/0/checkpoint", "record "),
        ("/policy/text", "policy text"),
        ("/policy/hash", "policy text"),
        ("/policy/rules/0", "policy"),
        ("/definition/text", "definition"),
        ("/definition/hash", "definition"),
        ("/definition/key", "definition"),
        ("/grants/0/grant/created_at", "grant "),
        ("/grants/0/id", "grant "),
    ] {
        let mut forged = pack.clone();
        let value = forged.pointer_mut(place).unwrap_or_else(|| panic!("{place} in {pack}"));
        *value = flipped(value);
        match Evidence::parse(&forged.to_string()) {
            Ok(parsed) => {
                let report = parsed.check(std::slice::from_ref(&key));
                let mut wrong = report.findings.iter().filter(|finding| finding.standing == Standing::Wrong);
                assert!(wrong.any(|finding| finding.part.starts_with(part)), "{place}: {report:?}");
                assert!(!report.holds, "{place}: {report:?}");
            }
            // What is no hash any more is no pack.
            Err(fault) => assert!(place.contains("path"), "{place}: {fault}"),
        }
    }
    // A byte here and there, in all of the file but the key, which is given.
    let text = pack.to_string();
    let own_key = key.to_string();
    let in_key =
        |at: usize| text.match_indices(&own_key).any(|(from, key)| (from..from + key.len()).contains(&at));
    for at in (0..text.len()).step_by(11).filter(|at| !in_key(*at)) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let forged = String::from_utf8_lossy(&bytes);
        let holds = Evidence::parse(&forged).is_ok_and(|pack| pack.check(std::slice::from_ref(&key)).holds);
        assert!(!holds, "byte {at}: {:?}", forged.get(at.saturating_sub(40)..at + 20));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_and_what_is_gone_have_evidence_too() {
    let stage = stage().await;
    let admin = stage.app.admin().await;
    let (app, bot) = (&stage.app, &stage.bot);
    let key = key(app);
    let secret = json!({"name": "secret", "arguments": {}});
    bot.ask(DOORS[0].0, Era::Modern, "tools/call", secret).await.error();
    let denied = check(&evidence(&admin, &last(app, "denied"), 1).await, &key);
    assert!(denied.holds, "{denied:?}");
    let expected = [
        ("record (denied)", Standing::Proven),
        ("policy", Standing::Proven),
        ("policy text", Standing::Linked),
        ("definition", Standing::Linked),
    ];
    assert_eq!(standings(&denied), expected.map(|(part, standing)| (part.to_owned(), standing)));

    bot.ask(DOORS[0].0, Era::Modern, "tools/list", json!({})).await.result();
    let listed = check(&evidence(&admin, &last(app, "local"), 1).await, &key);
    assert_eq!((listed.holds, listed.findings.len()), (true, 1), "{listed:?}");

    stage.echo(bot, Era::Modern, DOORS[0], "hi").await.result();
    app.control().remove_server(&Actor::Gateway, "files").await.unwrap();
    let pack = evidence(&admin, &last(app, "intent"), 3).await;
    let gone = check(&pack, &key);
    let of = |part: &str| gone.findings.iter().find(|finding| finding.part.starts_with(part)).unwrap();
    assert!(gone.holds && of("grant").standing == Standing::Proven, "{gone:?}");
    assert!(of("definition").standing == Standing::Absent, "{gone:?}");
    assert!(of("definition").why.contains(pack["definition"]["hash"].as_str().unwrap()));

    assert_eq!(get(&admin, "nonsense").await.status, 404);
    assert_eq!(get(&admin, "call_00000000000000000000000000").await.status, 404);
    assert_eq!(get(bot, &last(app, "intent")).await.status, 401);
}
