//! The metrics from outside, as Prometheus scrapes them.

use std::collections::BTreeMap;

use bailiwick_model::key::Audience;
use bailiwick_testkit::upstream::Eras;
use http::Method;
use http_body_util::Full;
use serde_json::json;

use crate::support::{Answer, Client, DOORS, Era, Stage, until};

async fn scrape(client: &Client) -> Answer {
    let request = client.request(Method::GET, "/metrics");
    Answer::read(client.send(request.body(Full::default()).unwrap()).await).await
}

/// Samples by name and labels.
async fn samples(client: &Client) -> BTreeMap<String, f64> {
    let answer = scrape(client).await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(key, value)| (key.to_owned(), value.parse().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_ledger_and_index_are_counted_and_no_label_has_a_name() {
    let stage = Stage::new(Eras::Both).await;
    let admin = stage.app.admin().await;
    let before = samples(&admin).await;
    for text in ["a", "b"] {
        stage.echo(&stage.bot, Era::Modern, DOORS[1], text).await.result();
    }
    let ask = async |method: &str, params| stage.bot.ask("/mcp", Era::Modern, method, params).await;
    ask("tools/call", json!({"name": "files__secret", "arguments": {}})).await.error();
    ask("tools/call", json!({"name": "no-such-tool-4711", "arguments": {}})).await.error();
    ask("tools/list", json!({})).await.result();
    let now = samples(&admin).await;
    let call = |decision: &str, status: &str| {
        format!("bailiwick_calls_total{{decision=\"{decision}\",status=\"{status}\"}}")
    };
    for (key, more) in [
        (call("allow", "ok"), 2.0),
        (call("allow", "tool_error"), 0.0),
        (call("deny", "denied"), 2.0),
        (call("local", "ok"), 1.0),
        ("bailiwick_ledger_records_total".to_owned(), 7.0),
        ("bailiwick_ledger_refusals_total".to_owned(), 0.0),
    ] {
        assert!((now[&key] - before[&key] - more).abs() < 0.5, "{key}: {} then {}", before[&key], now[&key]);
    }
    assert!(now["bailiwick_ledger_appended_bytes_total"] > before["bailiwick_ledger_appended_bytes_total"]);
    assert!((now["bailiwick_open_calls"], now["bailiwick_ledger_available"]) == (0.0, 1.0));
    assert!(now.contains_key("bailiwick_index_lag_seconds"));
    assert!(
        now.keys()
            .all(|key| !["files", "echo", "bot", "4711", "default"].iter().any(|name| key.contains(name)))
    );
    // Calls with names of every sort make no further series.
    let series = |samples: &BTreeMap<String, f64>| samples.keys().cloned().collect::<Vec<_>>();
    assert_eq!(series(&now), series(&before));
    let mut caught_up = false;
    for _ in 0..200 {
        caught_up = samples(&admin).await["bailiwick_index_lag_records"] < 0.5;
        if caught_up {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert!(caught_up, "the index keeps up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_agents_get_no_metrics_and_an_auditor_does() {
    let stage = Stage::new(Eras::Both).await;
    let admin = stage.app.admin().await;
    assert_eq!(scrape(&Client::new(stage.app.url(), "nonsense")).await.status, 401);
    assert_eq!(scrape(&stage.bot).await.status, 401);
    assert_eq!(scrape(&stage.app.key_for("root", Audience::Mcp, None).await).await.status, 401);
    assert_eq!(scrape(&admin).await.status, 200);
    let failed = until("the failures are on record", || {
        Some(stage.app.records_of("auth_failure")).filter(|records| records.len() >= 3)
    });
    assert!(failed.await.iter().all(|record| record["path"] == "/metrics"));
}
