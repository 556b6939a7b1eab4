//! The index over the ledger, from outside: what goes through the gateway is found by the admin API and the command
//! line, and is found again after the index was lost.

use std::process::{Command, Output};
use std::time::Duration;

use bailiwick_model::key::Audience;
use bailiwick_testkit::upstream::Eras;
use http::Method;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Answer, Client, DOORS, Era, Stage};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn get(admin: &Client, path: &str) -> Answer {
    let request = admin.request(Method::GET, &format!("/api/v1{path}"));
    Answer::read(admin.send(request.body(Full::default()).unwrap()).await).await
}

async fn json_of(admin: &Client, path: &str) -> Value {
    let answer = get(admin, path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    serde_json::from_slice(&answer.body).unwrap()
}

/// Asks until so many are found; how long a call may stay unfound is what the index promises.
async fn found(admin: &Client, query: &str, count: usize) -> Vec<Value> {
    let looking = async {
        loop {
            let items = json_of(admin, &format!("/audit/calls?{query}")).await["items"].take();
            let Value::Array(items) = items else { panic!("no items") };
            let ended = items.iter().all(|item| item["kind"] != "intent" || item["ending"].is_object());
            if items.len() == count && ended {
                return items;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let patience = Duration::from_secs(2);
    tokio::time::timeout(patience, looking).await.unwrap_or_else(|_| panic!("{query}: not {count} in time"))
}

async fn call(stage: &Stage, tool: &str, span: &str) -> Answer {
    let meta = json!({"traceparent": format!("00-{TRACE}-{span}-01")});
    let params = json!({"name": tool, "arguments": {"text": "hi"}, "_meta": meta});
    stage.bot.ask(DOORS[0].0, Era::Modern, "tools/call", params).await
}

/// Two calls and, between them, one that is refused: all of one trace.
async fn three_calls(stage: &Stage) {
    call(stage, "echo", "b7ad6b7169203331").await.result();
    call(stage, "secret", "b7ad6b7169203332").await.error();
    call(stage, "echo", "b7ad6b7169203333").await.result();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_through_the_gateway_is_found_within_two_seconds() {
    let stage = Stage::new(Eras::Both).await;
    let admin = stage.app.admin().await;
    three_calls(&stage).await;
    let calls = found(&admin, "principal=bot&kind=intent", 2).await;
    let newest = &calls[0];
    assert_eq!((&newest["server_name"], &newest["definition"]), (&json!("files"), &json!("echo")));
    assert_eq!((&newest["decision"], &newest["ending"]["status"]), (&json!("allow"), &json!("ok")));
    assert!(
        newest["ending"]["total_us"].as_u64().unwrap() >= newest["ending"]["upstream_us"].as_u64().unwrap()
    );
    let denied = found(&admin, "principal=bot&decision=deny", 1).await;
    assert_eq!((&denied[0]["kind"], &denied[0]["definition"]), (&json!("denied"), &json!("secret")));
    let call_id = newest["call"].as_str().unwrap().to_owned();
    let session = format!("call={call_id}");
    let time = newest["time"].as_str().unwrap();
    for (query, count) in [
        ("server=files&tool=echo&status=ok", 2),
        ("server=files&tool=echo&status=tool_error", 0),
        ("principal=nobody", 0),
        (&format!("trace={TRACE}"), 3),
        (&session, 1),
        ("text=secret&decision=deny", 1),
        ("kind=lifecycle", 1),
        (&format!("principal=bot&from={time}"), 1),
        (&format!("principal=bot&to={time}"), 2),
    ] {
        found(&admin, query, count).await;
    }
    // Piece by piece, as the whole.
    let whole: Vec<Value> = found(&admin, "principal=bot", 3).await;
    let (mut pieces, mut after) = (Vec::new(), String::new());
    loop {
        let mut piece = json_of(&admin, &format!("/audit/calls?principal=bot&limit=1{after}")).await;
        pieces.append(piece["items"].as_array_mut().unwrap());
        let Some(next) = piece["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(pieces, whole);
    for wrong in ["limit=0", "after=x", "from=now", "decision=x", "call=1", "no_such=1"] {
        assert_eq!(get(&admin, &format!("/audit/calls?{wrong}")).await.status, 422, "{wrong}");
    }
    let status = json_of(&admin, "/audit/status").await;
    assert_eq!((&status["index"]["failing"], &status["index"]["rebuilding"]), (&json!(false), &json!(false)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_index_is_made_anew_from_the_segments() {
    let stage = Stage::new(Eras::Both).await;
    let admin = stage.app.admin().await;
    three_calls(&stage).await;
    let before = found(&admin, "principal=bot", 3).await;
    let file = stage.app.dir.path().join("data/ledger-index.db");
    let Stage { app, .. } = stage;
    let (admin, app) = {
        // The running gateway notices by itself.
        std::fs::remove_file(&file).unwrap();
        let gone = async {
            while !file.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(2), gone).await.unwrap();
        assert_eq!(found(&admin, "principal=bot", 3).await, before);
        (admin, app)
    };
    let app = {
        // So does the next one, be the file gone or no database.
        let running = app.restart().await;
        let admin = admin.moved_to(running.url());
        assert_eq!(found(&admin, "principal=bot", 3).await, before);
        running
    };
    let admin = admin.moved_to(app.url());
    let reindex = admin.request(Method::POST, "/api/v1/audit/reindex");
    assert_eq!(admin.send(reindex.body(Full::default()).unwrap()).await.status(), 200);
    assert_eq!(found(&admin, "principal=bot", 3).await, before);
    let asked = found(&admin, "kind=admin_change&text=reindex", 1).await;
    assert_eq!(asked[0]["subject"], "root");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_of_a_trace_are_a_tree_in_the_api_and_in_the_terminal() {
    let stage = Stage::new(Eras::Both).await;
    let admin = stage.app.admin().await;
    three_calls(&stage).await;
    let calls = found(&admin, &format!("trace={TRACE}"), 3).await;
    let of_call = format!("/audit/trace/{}", calls[1]["call"].as_str().unwrap());
    for path in [format!("/audit/trace/{TRACE}"), of_call] {
        let tree = json_of(&admin, &path).await;
        assert_eq!(
            (&tree["by"], &tree["id"], &tree["truncated"]),
            (&json!("trace"), &json!(TRACE), &json!(false))
        );
        let branches = tree["branches"].as_array().unwrap();
        let shown: Vec<_> =
            branches.iter().map(|b| (&b["record"]["definition"], &b["record"]["decision"])).collect();
        let (allow, deny) = (json!("allow"), json!("deny"));
        let (echo, secret) = (json!("echo"), json!("secret"));
        assert_eq!(shown, [(&echo, &allow), (&secret, &deny), (&echo, &allow)]);
    }
    assert_eq!(get(&admin, "/audit/trace/nowhere").await.status, 404);

    let drawn = bailiwick(&admin, stage.app.url(), &["audit", "trace", TRACE]).await;
    let text = String::from_utf8(drawn.stdout).unwrap();
    assert!(text.starts_with(&format!("trace {TRACE}: 3 records, 1 denied")), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("├─ ") || line.starts_with("└─ ")).count(), 3);
    assert!(text.contains("✗ policy_denied") || text.contains("✗ not_found"), "{text}");
    let table =
        bailiwick(&admin, stage.app.url(), &["audit", "query", "--principal", "bot", "--since", "1h"]).await;
    let text = String::from_utf8(table.stdout).unwrap();
    assert_eq!(text.lines().count(), 4, "{text}");
    let denied = ["--json", "audit", "query", "--decision", "deny", "--limit", "1"];
    let found: Value =
        serde_json::from_slice(&bailiwick(&admin, stage.app.url(), &denied).await.stdout).unwrap();
    assert_eq!(found["items"][0]["definition"], "secret");
    let rebuilt = bailiwick(&admin, stage.app.url(), &["audit", "reindex"]).await;
    assert!(String::from_utf8(rebuilt.stdout).unwrap().starts_with("the index was made anew: "));
}

/// Runs the command line as an administrator.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line as people start it is no child of the gateway"
)]
async fn bailiwick(admin: &Client, url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.args(arguments).env("BAILIWICK_URL", url).env("BAILIWICK_KEY", admin.key());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_finds_every_team_s_calls_and_a_caller_none() {
    let stage = Stage::new(Eras::Both).await;
    let control = stage.app.control();
    let gateway = bailiwick_control::Actor::Gateway;
    control.add_team(&gateway, "other".parse().unwrap()).await.unwrap();
    let auditor = bailiwick_control::NewPrincipal {
        kind: bailiwick_model::principal::PrincipalKind::User,
        name: "ada".into(),
        display_name: None,
        team: Some("other".into()),
        role: bailiwick_model::principal::Role::Auditor,
    };
    control.add_principal(&gateway, auditor).await.unwrap();
    let auditor = stage.app.key_for("ada", Audience::Admin, None).await;
    three_calls(&stage).await;
    found(&auditor, "principal=bot", 3).await;
    assert_eq!(get(&stage.bot, "/audit/calls").await.status, 401);
    assert_eq!(get(&stage.bot, &format!("/audit/trace/{TRACE}")).await.status, 401);
    let reindex = auditor.request(Method::POST, "/api/v1/audit/reindex");
    assert_eq!(auditor.send(reindex.body(Full::default()).unwrap()).await.status(), 403);
}
