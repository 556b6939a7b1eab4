//! Bodies of mode `full`: encrypted in the ledger and plain nowhere, read on record, unreadable for good when their key is
//! destroyed, and no reason for any call to fail.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bailiwick_control::backup::{Restore, restore};
use bailiwick_control::{Actor, ServerChange};
use bailiwick_ledger::{VerifyOptions, verify};
use bailiwick_model::Clock as _;
use bailiwick_model::capture::{Capture, CaptureAction, CaptureMode, CaptureRule, ToolCapture};
use bailiwick_model::key::Audience;
use bailiwick_runtime::SystemClock;
use bailiwick_store::{Location, Store};
use bailiwick_testkit::upstream::Eras;
use http::Method;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::secrets::files_with;
use crate::support::{Answer, App, Client, DOORS, Era, PATIENCE, Stage};

/// No detector knows it; it must be nowhere all the same.
const PLANTED: &str = "zanzibar-orchid-velvet-lighthouse";
/// A detector knows it; it must stay in what is read back.
const TOKEN: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

async fn capture(app: &App, capture: Capture) {
    let change = ServerChange { capture: Some(capture), ..ServerChange::default() };
    app.control().update_server(&Actor::Gateway, "files", change).await.unwrap();
}

fn full() -> Capture {
    Capture { arguments: CaptureMode::Full, results: CaptureMode::Full, ..Capture::default() }
}

/// Calls `echo`, and gives the call's id.
async fn call(stage: &Stage, arguments: Value) -> String {
    let call = json!({"name": "files__echo", "arguments": arguments});
    let answer = stage.bot.ask(DOORS[1].0, Era::Modern, "tools/call", call).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.result();
    last(&stage.app).0
}

/// The last call with its payloads as they are recorded.
fn last(app: &App) -> (String, Value, Value) {
    let intent = app.records_of("intent").pop().unwrap();
    let outcome = app.records_of("outcome").pop().unwrap();
    assert_eq!(intent["call"], outcome["call"]);
    let call = intent["call"].as_str().unwrap().to_owned();
    (call, intent["arguments"].clone(), outcome["result"].clone())
}

async fn post(admin: &Client, path: &str, body: Value) -> Answer {
    admin.post_raw(&format!("/api/v1{path}"), &[], &body.to_string()).await
}

async fn get(admin: &Client, path: &str) -> Answer {
    let request = admin.request(Method::GET, &format!("/api/v1{path}"));
    Answer::read(admin.send(request.body(Full::default()).unwrap()).await).await
}

/// What is held of a call, as soon as the index has both of its records.
async fn read(admin: &Client, call: &str) -> Vec<Value> {
    let looking = async {
        loop {
            let answer = post(admin, &format!("/audit/bodies/{call}"), json!({"reason": "case 7"})).await;
            if answer.status == 200 {
                let bodies = answer.json()["bodies"].as_array().unwrap().clone();
                if bodies.len() == 2 {
                    return bodies;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("{call} is not found"))
}

fn held(bodies: &[Value]) -> Vec<&str> {
    bodies.iter().map(|body| body["held"].as_str().unwrap()).collect()
}

async fn erase(admin: &Client, class: Option<&str>) -> Value {
    let mut body = json!({"principal": "bot", "reason": "Art. 17, ticket 4711"});
    if let Some(class) = class {
        body["class"] = json!(class);
    }
    let answer = post(admin, "/audit/erase", body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Runs `bailiwick audit …`; whether it succeeded, and what it printed.
#[expect(clippy::disallowed_methods, reason = "the command line under test is a program")]
async fn audit(admin: &Client, url: &str, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.arg("audit").args(arguments).env("BAILIWICK_URL", url).env("BAILIWICK_KEY", admin.key());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn intact(ledger: &Path) {
    assert_eq!(verify(ledger, &VerifyOptions::default()).unwrap().bad, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_body_is_plain_nowhere_and_reads_back_as_it_was_on_record() {
    let stage = Stage::new(Eras::Both).await;
    let admin = stage.app.admin().await;
    let drop_note = CaptureRule { path: "$.arguments.note".into(), action: CaptureAction::Drop };
    capture(&stage.app, Capture { rules: vec![drop_note], ..full() }).await;
    let text = format!("{PLANTED} {TOKEN} eve@example.org");
    let id = call(&stage, json!({"text": text, "note": "inner thoughts"})).await;
    let (_, arguments, result) = last(&stage.app);
    for payload in [&arguments, &result] {
        assert!(payload["sealed"]["key"].as_str().unwrap().starts_with("bky_"), "{payload}");
        assert!(payload.get("body").is_none() && payload.get("fallback").is_none(), "{payload}");
        assert_eq!(payload["hmac"].as_str().map(str::len), Some(64));
    }
    assert_eq!(arguments["sealed"]["key"], result["sealed"]["key"], "one key of a principal and class");

    let bodies = read(&admin, &id).await;
    assert_eq!(held(&bodies), ["full", "full"]);
    let asked: Value = serde_json::from_str(bodies[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(asked["arguments"], json!({"text": text}), "detectors change nothing, rules do");
    let answered: Value = serde_json::from_str(bodies[1]["text"].as_str().unwrap()).unwrap();
    assert_eq!(answered["content"][0]["text"], json!(text));
    let reading = stage.app.records_of("admin_change").pop().unwrap();
    assert_eq!((&reading["operation"], &reading["object"]), (&json!("bodies.read"), &json!(id)));
    assert_eq!((&reading["who"]["subject"], &reading["after"]["reason"]), (&json!("root"), &json!("case 7")));
    // By the command line as well; without a reason, not at all.
    let url = stage.app.url().to_owned();
    let (done, said) = audit(&admin, &url, &["body", "--call", &id, "--reason", "case 8"]).await;
    assert!(done && said.contains(PLANTED) && said.contains("result (record "), "{said}");
    assert!(!audit(&admin, &url, &["body", "--call", &id]).await.0);

    // The index knows the call by its id, and by no word of it.
    let items = |answer: Answer| answer.json()["items"].as_array().unwrap().len();
    assert_eq!(items(get(&admin, &format!("/audit/calls?call={id}")).await), 1);
    assert_eq!(items(get(&admin, "/audit/calls?text=zanzibar").await), 0);
    let records = get(&admin, "/audit/records?limit=1000").await;
    assert!(!String::from_utf8_lossy(&records.body).contains(PLANTED));
    let dir = stage.app.dir.path().to_owned();
    capture(&stage.app, Capture { results: CaptureMode::None, arguments: CaptureMode::Redacted, ..full() })
        .await;
    call(&stage, json!({"text": "marigold"})).await;
    assert!(!files_with(&dir, "marigold").is_empty(), "what is held in plain is found");
    for plain in [PLANTED, "zanzibar", TOKEN, "inner thoughts"] {
        assert_eq!(files_with(&dir, plain), Vec::<String>::new(), "{plain} while it runs");
    }
    stage.app.running.stop().await.unwrap();
    for plain in [PLANTED, "zanzibar", TOKEN, "inner thoughts"] {
        assert_eq!(files_with(&dir, plain), Vec::<String>::new(), "{plain} after its end");
    }
    intact(&dir.join("data/ledger"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_principal_s_bodies_are_unreadable_and_the_ledger_is_what_it_was() {
    let stage = Stage::new(Eras::Both).await;
    let admin = stage.app.admin().await;
    capture(&stage.app, full()).await;
    let standard = call(&stage, json!({"text": PLANTED})).await;
    capture(&stage.app, Capture { retention: "personnel".parse().unwrap(), ..full() }).await;
    let classed = call(&stage, json!({"text": PLANTED})).await;
    let (_, before, _) = last(&stage.app);
    assert_eq!(before["retention"], "personnel");
    assert_eq!(held(&read(&admin, &standard).await), ["full", "full"]);
    let sealed = stage.app.records_of("intent")[0].clone();

    assert_eq!(erase(&admin, Some("personnel")).await["destroyed"], 1);
    assert_eq!(held(&read(&admin, &classed).await), ["destroyed", "destroyed"]);
    assert_eq!(held(&read(&admin, &standard).await), ["full", "full"], "the other class is another key");
    let url = stage.app.url().to_owned();
    let (done, said) =
        audit(&admin, &url, &["erase", "--principal", "bot", "--reason", "Art. 17, ticket 4711"]).await;
    assert!(done && said.starts_with("1 key was destroyed\n"), "{said}");
    let bodies = read(&admin, &standard).await;
    assert_eq!(held(&bodies), ["destroyed", "destroyed"]);
    assert_eq!(bodies[0]["destroyed"]["by"], "root");
    assert!(bodies.iter().all(|body| body.get("text").is_none()), "{bodies:?}");
    let (done, said) = audit(&admin, &url, &["body", "--call", &standard, "--reason", "case 7"]).await;
    assert!(
        done && said.contains("destroyed on 20") && said.contains(" by root: Art. 17, ticket 4711"),
        "{said}"
    );
    assert_eq!(erase(&admin, None).await["destroyed"], 0);

    // Later calls have a key of their own.
    let fresh = call(&stage, json!({"text": "later"})).await;
    let (_, after, _) = last(&stage.app);
    assert!(after["sealed"]["key"].is_string() && after["sealed"]["key"] != before["sealed"]["key"]);
    assert_eq!(held(&read(&admin, &fresh).await), ["full", "full"]);
    assert_eq!(stage.app.records_of("intent")[0], sealed, "the ciphertext stays");
    let ledger = stage.app.ledger_dir();
    stage.app.running.stop().await.unwrap();
    intact(&ledger);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_a_body_is_held_redacted_and_no_call_fails_or_waits_long() {
    let stage = Stage::new(Eras::Both).await;
    let quiet = ToolCapture { results: Some(CaptureMode::None), ..ToolCapture::default() };
    capture(&stage.app, Capture { tools: [("echo".to_owned(), quiet)].into(), ..full() }).await;
    // Somebody holds the database's only writer: no key can be made.
    let file = stage.app.dir.path().join("data/bailiwick.db");
    let other = Store::open(Location::Sqlite(file)).await.unwrap();
    let busy = other.begin().await.unwrap();
    let (clock, mut took) = (SystemClock::new(), Vec::new());
    for _ in 0..5 {
        let began = clock.monotonic();
        call(&stage, json!({"text": format!("key {TOKEN}")})).await;
        took.push(clock.monotonic() - began);
        let (_, arguments, result) = last(&stage.app);
        assert_eq!(arguments["fallback"], "body_key_unavailable");
        assert_eq!(arguments["body"]["arguments"]["text"], "key [token]");
        assert!(arguments.get("sealed").is_none() && result.get("body").is_none());
    }
    // Only the first one waits for a key, half a second: if each did, they took two seconds.
    assert!(took[0] < Duration::from_secs(2), "{took:?}");
    assert!(took[1..].iter().sum::<Duration>() < Duration::from_secs(2), "{took:?}");
    drop(busy);
    let sealed = async {
        loop {
            call(&stage, json!({"text": "t"})).await;
            let (_, arguments, _) = last(&stage.app);
            if arguments.get("sealed").is_some() {
                return arguments;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let arguments = tokio::time::timeout(PATIENCE, sealed).await.unwrap();
    assert!(arguments.get("fallback").is_none(), "{arguments}");
    other.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_survive_a_restart_and_sizes_are_bounded() {
    let mut stage = Stage::new(Eras::Both).await;
    capture(&stage.app, Capture { max_bytes: 1_000, ..full() }).await;
    let id = call(&stage, json!({"text": "y".repeat(50_000)})).await;
    let (_, before, result) = last(&stage.app);
    assert!(before["bytes"].as_u64() > Some(50_000) && before["cut"] == true && result["cut"] == true);
    assert!(before["sealed"]["data"].as_str().unwrap().len() < 1_500);
    stage.app = stage.app.restart().await;
    stage.bot = stage.bot.moved_to(stage.app.url());
    let admin = stage.app.admin().await;
    let bodies = read(&admin, &id).await;
    assert_eq!(held(&bodies), ["full", "full"]);
    assert!(bodies[0]["text"].as_str().unwrap().len() <= 1_000);
    call(&stage, json!({"text": "t"})).await;
    let (_, after, _) = last(&stage.app);
    assert_eq!(after["sealed"]["key"], before["sealed"]["key"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_destroyed_after_a_backup_is_destroyed_again_by_the_later_ledger_and_else_is_back() {
    let stage = Stage::new(Eras::Both).await;
    let admin = stage.app.admin().await;
    capture(&stage.app, full()).await;
    let old = call(&stage, json!({"text": PLANTED})).await;
    let backup = stage.app.dir.path().join("backup");
    let taken = post(&admin, "/backups", json!({"path": backup})).await;
    assert_eq!(taken.status, 201, "{taken:?}");
    // One key that the backup has, and one that was made after it.
    assert_eq!(erase(&admin, None).await["destroyed"], 1);
    let late = call(&stage, json!({"text": PLANTED})).await;
    assert_eq!(erase(&admin, None).await["destroyed"], 1);
    let Stage { app: App { running, dir, .. }, server: _server, .. } = stage;
    let later = dir.path().join("data/ledger");
    running.stop().await.unwrap();

    for since in [Some(later.as_path()), None] {
        let home = tempfile::tempdir().unwrap();
        let wanted = Restore { from: &backup, data: &home.path().join("data"), since };
        restore(&wanted, SystemClock::new().now()).unwrap();
        let app = App::start_in(home, "", "\"127.0.0.0/8:*\"", "").await;
        let admin = app.key_for("root", Audience::Admin, None).await;
        if since.is_some() {
            let bodies = read(&admin, &old).await;
            assert_eq!(held(&bodies), ["destroyed", "destroyed"]);
            assert_eq!(bodies[0]["destroyed"]["by"], "root", "it tells of the first time");
            assert_eq!(held(&read(&admin, &late).await), ["destroyed", "destroyed"]);
            let erased = app.records_of("admin_change").into_iter();
            let erased: Vec<_> = erased.filter(|record| record["operation"] == "bodies.erase").collect();
            assert_eq!(erased.iter().filter(|record| record.get("who").is_none()).count(), 2, "and again");
        } else {
            assert_eq!(held(&read(&admin, &old).await), ["full", "full"], "the backup still had the key");
        }
        let ledger = app.ledger_dir();
        app.running.stop().await.unwrap();
        intact(&ledger);
    }
}

/// What stands around the documented function: the key as the table in docs/ledger.md says, of a stopped gateway's files.
const DRIVER: &str = r#"
import base64, glob, hmac, json, sqlite3, sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
@@
data = sys.argv[1]
ledger = open(data + "/ledger/checkpoint").readline().strip()
master = base64.urlsafe_b64decode(open(data + "/keys/at-rest").read().strip() + "==")
keys = {}
for id, principal, klass, sealed in sqlite3.connect(data + "/bailiwick.db").execute(
        "SELECT id, principal, class, sealed FROM body_keys WHERE sealed IS NOT NULL"):
    assert sealed[0] == 1
    keys[id] = AESGCM(master).decrypt(sealed[1:13], sealed[13:], f"body_key:{id}:{principal}:{klass}".encode())
for segment in sorted(glob.glob(data + "/ledger/*.jsonl")):
    for record in map(json.loads, open(segment)):
        for member in ("arguments", "result"):
            if "sealed" in record.get(member, {}):
                print(member, body(record, member, ledger, keys[record[member]["sealed"]["key"]]).decode())
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the independent reader is a program of its own")]
async fn somebody_else_s_program_reads_bodies_and_verifies_the_ledger_by_the_documentation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pythons = [root.join(".cache/py/bin/python"), "python3".into()];
    let works = |python: &std::path::PathBuf| {
        let tried = Command::new(python).args(["-c", "import cryptography"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(python) = pythons.into_iter().find(works) else {
        eprintln!("SKIPPED: no python3 with the package cryptography; `cargo xtask setup` installs it");
        return;
    };
    let stage = Stage::new(Eras::Both).await;
    capture(&stage.app, Capture { retention: "personnel".parse().unwrap(), ..full() }).await;
    call(&stage, json!({"text": PLANTED})).await;
    let App { running, dir, .. } = stage.app;
    running.stop().await.unwrap();
    let data = dir.path().join("data");

    let documentation = std::fs::read_to_string(root.join("docs/ledger.md")).unwrap();
    let (_, function) = documentation.split_once("```python\ndef body(").unwrap();
    let (function, _) = function.split_once("```").unwrap();
    let program = DRIVER.replace("@@", &format!("def body({function}"));
    let read = Command::new(&python).args(["-c", &program]).arg(&data).output().unwrap();
    let said = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("arguments {") && lines[0].contains(PLANTED), "{said}");
    assert!(lines[1].starts_with("result {") && lines[1].contains(PLANTED), "{said}");
    let verifier = Command::new(&python)
        .arg(root.join("docs/verify_ledger.py"))
        .arg(data.join("ledger"))
        .output()
        .unwrap();
    assert!(verifier.status.success(), "{verifier:?}");
}
