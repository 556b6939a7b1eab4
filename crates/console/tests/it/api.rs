//! One way through the API, and what all answers have in common.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn an_agent_gets_a_key_and_a_grant() {
    let world = World::new().await;
    let server = world
        .post(
            "/api/v1/servers",
            json!({
                "name": "crm",
                "transport": {
                    "type": "http",
                    "url": "http://127.0.0.1:9/mcp",
                    "headers": { "Authorization": { "kind": "secret", "value": "sesame-open" } },
                },
                "timeouts": { "connect_ms": 200 },
            }),
        )
        .await;
    assert_eq!(server.status, StatusCode::CREATED, "{}", server.text);
    assert!(!server.text.contains("sesame-open"));
    let shown = server.json();
    assert_eq!(shown["server"]["transport"]["headers"]["authorization"], json!({ "kind": "secret" }));
    assert!(shown["server"]["failure"]["reason"].is_string(), "{shown}");
    let agent = world.post("/api/v1/principals", json!({ "kind": "agent", "name": "bot" })).await;
    assert_eq!(agent.status, StatusCode::CREATED);
    let key = world.post("/api/v1/keys", json!({ "principal": "bot", "expires_in_seconds": 60 })).await;
    assert!(key.json()["text"].as_str().unwrap().starts_with("bwk_"));
    let scope = json!({ "type": "definition", "server": "crm", "kind": "tool", "key": "find" });
    let grant = world.post("/api/v1/grants", json!({ "principal": "bot", "scope": scope })).await;
    assert_eq!(grant.json()["actions"], json!(["list", "call"]));
    let id = grant.json()["id"].as_str().unwrap().to_owned();
    let gone = world.send(Method::DELETE, &format!("/api/v1/grants/{id}"), Some(&world.admin), None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let keys = world.get("/api/v1/keys").await.json();
    assert!(keys["items"].as_array().unwrap().iter().all(|key| key.get("text").is_none()));
}

#[tokio::test]
async fn problems_have_a_reason_and_say_what_would_be_right() {
    let world = World::new().await;
    for (method, path, body, status, reason) in [
        (Method::GET, "/api/v1/servers/nowhere", None, 404, "not_found"),
        (Method::GET, "/api/v1/servers?limit=0", None, 422, "invalid"),
        (Method::GET, "/api/v1/servers?after=x", None, 422, "invalid"),
        (Method::POST, "/api/v1/teams", Some(json!({ "name": "Not A Name" })), 422, "invalid"),
        (Method::POST, "/api/v1/teams", Some(json!({ "name": "default" })), 409, "conflict"),
        (Method::GET, "/api/v1/nothing", None, 404, "no_such_route"),
        (Method::PUT, "/api/v1/teams", None, 405, "wrong_method"),
    ] {
        let answer = world.send(method, path, Some(&world.admin), body).await;
        let problem = answer.json();
        assert_eq!((answer.status.as_u16(), problem["reason"].as_str()), (status, Some(reason)), "{path}");
        assert_eq!(problem["status"], status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn changes_are_503_while_the_ledger_is_down_and_reads_go_on() {
    let world = World::new().await;
    world.room.recorder.set_down(true);
    let refused = world.post("/api/v1/teams", json!({ "name": "a" })).await;
    assert_eq!(refused.json()["reason"], "audit_unavailable");
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"));
    assert_eq!(world.get("/api/v1/teams").await.status, StatusCode::OK);
}

#[tokio::test]
async fn hosts_and_origins_of_others_are_403() {
    let world = World::new().await;
    for (host, origin) in [
        ("evil.example", None),
        ("127.0.0.1:7420", Some("http://evil.example")),
        ("127.0.0.1:7420", Some("null")),
    ] {
        let mut request = Request::get("/api/v1/teams")
            .header("host", host)
            .header("authorization", format!("Bearer {}", world.admin));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let answer = world.request(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{host} {origin:?}");
    }
}

#[tokio::test]
async fn two_credentials_are_400_and_one_in_the_query_is_401() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", world.admin);
    let twice = Request::get("/api/v1/teams")
        .header("host", "localhost")
        .header("authorization", &bearer)
        .header("authorization", &bearer);
    let answer = world.request(twice.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = world.get(&format!("/api/v1/teams?access_token={}", world.admin)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn bodies_are_json_and_bounded() {
    let world = World::new().await;
    let post = |kind: &str, body: Body| {
        Request::post("/api/v1/teams")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", world.admin))
            .header("content-type", kind)
            .body(body)
            .unwrap()
    };
    let form = world.request(post("application/x-www-form-urlencoded", Body::from("name=a"))).await;
    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let broken = world.request(post("application/json", Body::from("{"))).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    let large = world.request(post("application/json", Body::from(vec![b' '; 2 << 20]))).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn every_answer_forbids_caching_framing_and_sniffing() {
    let world = World::new().await;
    for answer in
        [world.get("/api/v1/teams").await, world.send(Method::GET, "/api/v1/teams", None, None).await]
    {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(answer.headers.get("access-control-allow-origin").is_none());
    }
}

#[tokio::test]
async fn refusals_are_in_the_ledger_with_their_reason() {
    let world = World::new().await;
    world.send(Method::GET, "/api/v1/teams", None, None).await;
    let invented = format!("bwk_0123456789_{}", "A".repeat(43));
    world.send(Method::GET, "/api/v1/keys", Some(&invented), None).await;
    world.failures.flush();
    let records = world.room.records();
    let failures: Vec<_> = records
        .iter()
        .filter(|record| record["kind"] == "auth_failure")
        .map(|record| {
            (record["path"].as_str().unwrap(), record["reason"].as_str().unwrap(), record["prefix"].as_str())
        })
        .collect();
    assert_eq!(
        failures,
        [("/api/v1/teams", "missing", None), ("/api/v1/keys", "unknown_key", Some("0123456789"))]
    );
    assert!(!serde_json::to_string(&records).unwrap().contains(&"A".repeat(43)));
}

#[tokio::test]
async fn the_ledger_can_be_looked_into() {
    let world = World::new().await;
    let tail = world.get("/api/v1/audit/records?limit=1").await.json();
    assert_eq!(tail["records"][0]["operation"], "key.issue");
    let status = world.get("/api/v1/audit/status").await.json();
    assert_eq!(status["available"], true);
    let report = world.post("/api/v1/audit/verify", json!({})).await.json();
    assert_eq!(report["intact"], true);
}
