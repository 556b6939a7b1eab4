//! What is computed and not remembered: every route of the description has its refusals.

use std::fmt::Write as _;

use bailiwick_model::key::Audience;
use bailiwick_model::principal::Role;
use http::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::world::World;

/// Method and path of every operation, parameters filled in with what is nowhere.
fn operations() -> Vec<(Method, String, String)> {
    let api = serde_json::to_value(bailiwick_console::openapi()).unwrap();
    let undescribed = ["/api/openapi.json", "/metrics"];
    let mut operations = undescribed.map(|path| (Method::GET, path.to_owned(), path.to_owned())).to_vec();
    for (path, item) in api["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let filled: Vec<&str> =
                path.split('/').map(|part| if part.starts_with('{') { "nowhere" } else { part }).collect();
            operations.push((method, path.clone(), filled.join("/")));
        }
    }
    assert!(operations.len() > 30, "the description has lost its operations");
    operations
}

#[tokio::test]
async fn every_route_refuses_strangers_and_does_not_say_what_exists() {
    let world = World::new().await;
    let mcp = world.room.key("admin", Audience::Mcp).await;
    let garbage = format!("bwk_0123456789_{}", "A".repeat(43));
    let mut paths: Vec<_> = operations().into_iter().map(|(method, _, path)| (method, path)).collect();
    paths.push((Method::GET, "/api/v1/no-such-thing".to_owned()));
    paths.push((Method::DELETE, "/api/openapi.json".to_owned()));
    for (method, path) in paths {
        for key in [None, Some(garbage.as_str()), Some(mcp.expose_secret()), Some("nonsense")] {
            let answer = world.send(method.clone(), &path, key, Some(json!({}))).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert!(
                answer.header("www-authenticate").starts_with("Bearer resource_metadata=\"http"),
                "{path}"
            );
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
}

/// What an operation answers to a role: its gate, not its result.
fn verdict(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "401",
        StatusCode::FORBIDDEN => "403",
        _ => "in",
    }
}

#[tokio::test]
async fn the_table_of_routes_and_roles_is_as_committed() {
    let mut table =
        format!("{:<7} {:<52} {:<6} {:<6} {:<7} admin\n", "method", "route", "none", "member", "auditor");
    let (members, auditors) = (World::new().await, World::new().await);
    let member = members.key_of(Role::Member).await;
    let auditor = auditors.key_of(Role::Auditor).await;
    for (method, route, path) in operations() {
        let mut row = format!("{:<7} {route:<52}", method.as_str());
        for (world, key, width) in [
            (&auditors, None, 6),
            (&members, Some(&member), 6),
            (&auditors, Some(&auditor), 7),
            (&auditors, Some(&auditors.admin), 5),
        ] {
            let answer =
                world.send(method.clone(), &path, key.map(String::as_str), body(&method, &route)).await;
            write!(row, " {:<width$}", verdict(answer.status)).unwrap();
        }
        writeln!(table, "{}", row.trim_end()).unwrap();
    }
    insta::assert_snapshot!("roles", table);
}

/// A body that is understood, so that the answer is the role's and not the parser's.
fn body(method: &Method, route: &str) -> Option<Value> {
    let body = match (method.as_str(), route) {
        ("POST", "/api/v1/servers") => {
            json!({ "name": "nowhere", "transport": { "type": "http", "url": "ftp://x" } })
        }
        ("POST", "/api/v1/toolsets") => json!({ "name": "t", "selections": [{ "server": "nowhere" }] }),
        ("POST", "/api/v1/teams") => json!({ "name": "default" }),
        ("POST", "/api/v1/principals") => json!({ "kind": "agent", "name": "" }),
        ("POST", "/api/v1/groups") => json!({ "name": "g", "members": ["nowhere"] }),
        ("POST", "/api/v1/grants") => {
            json!({ "principal": "nowhere", "scope": { "type": "server", "server": "nowhere" } })
        }
        ("POST", "/api/v1/keys") => json!({ "principal": "nowhere" }),
        ("POST", "/api/v1/audit/bodies/{call}") => json!({ "reason": "r" }),
        ("POST", "/api/v1/audit/erase") => json!({ "principal": "nowhere", "reason": "r" }),
        ("POST", "/api/v1/backups") => json!({ "path": "not-absolute" }),
        ("POST", "/api/v1/links") => json!({ "user": "nowhere" }),
        ("DELETE", "/api/v1/grants/{grant}" | "/api/v1/keys/{key}") => return None,
        _ => json!({}),
    };
    Some(body)
}

#[tokio::test]
async fn unknown_members_are_422_everywhere() {
    let world = World::new().await;
    let api = serde_json::to_value(bailiwick_console::openapi()).unwrap();
    let mut checked = 0;
    for (method, route, path) in operations() {
        let operation = &api["paths"][&route][method.as_str().to_lowercase()];
        if operation["requestBody"].is_null() {
            continue;
        }
        let mut body = body(&method, &route).unwrap_or_else(|| json!({}));
        body["no_such_member"] = json!(1);
        let answer = world.send(method.clone(), &path, Some(&world.admin), Some(body)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{method} {route}: {}", answer.text);
        assert!(answer.text.contains("no_such_member"), "{}", answer.text);
        checked += 1;
    }
    assert!(checked > 10);
    let answer = world.get("/api/v1/servers?no_such_parameter=1").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn the_committed_page_of_metrics_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let now = bailiwick_console::metrics_page().unwrap();
    if now != std::fs::read_to_string(path).unwrap_or_default() {
        std::fs::write(path, &now).unwrap();
        panic!("docs/metrics.md did not tell the metrics; it does now, commit it");
    }
}

#[test]
fn the_committed_description_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let now = serde_json::to_string_pretty(&bailiwick_console::openapi()).unwrap() + "\n";
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    if now != committed {
        std::fs::write(path, &now).unwrap();
        panic!("docs/openapi.json was not the API's description; it is now, commit it");
    }
}
