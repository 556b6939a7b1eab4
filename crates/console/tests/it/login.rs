//! The page behind a login link.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::Value;

use crate::world::{Answer, World};

async fn post(world: &World, token: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::post(format!("/login/{token}")).header("host", "127.0.0.1:7420");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.request(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn opening_a_link_shows_a_button_and_uses_nothing_up() {
    let world = World::new().await;
    let token = world.room.login_token();
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let answer = world.send(method, &format!("/login/{token}"), None, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.text.contains(&token), "the page does not repeat its own token");
        assert!(!answer.text.contains("<script"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(
            answer.header("content-security-policy").starts_with("default-src 'none'; form-action 'self'")
        );
        assert_eq!(answer.header("referrer-policy"), "same-origin");
    }
    // What a browser sends when the button is pressed.
    let answer = post(&world, &token, &[("origin", "http://127.0.0.1:7420")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.contains("<pre>bwk_"), "{}", answer.text);
    let again = post(&world, &token, &[]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_command_line_gets_a_key_that_works() {
    let world = World::new().await;
    let answer = post(&world, &world.room.login_token(), &[("accept", "application/json")]).await;
    let opened = answer.json();
    assert_eq!(opened["user"], "admin");
    let key = opened["key"].as_str().unwrap();
    let me = world.send(Method::GET, "/api/v1/teams", Some(key), None).await;
    assert_eq!(me.status, StatusCode::OK);
}

#[tokio::test]
async fn a_foreign_page_cannot_press_the_button() {
    let world = World::new().await;
    let token = world.room.login_token();
    for origin in ["http://evil.example", "null"] {
        let answer = post(&world, &token, &[("origin", origin)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert!(world.room.control.link_is_good(&token).await.unwrap());
}

#[tokio::test]
async fn a_dead_link_is_recorded_without_its_token() {
    let world = World::new().await;
    let token = "B".repeat(43);
    let answer = post(&world, &token, &[("accept", "application/json")]).await;
    assert_eq!((answer.status, answer.json()["reason"].as_str()), (StatusCode::NOT_FOUND, Some("not_found")));
    assert!(!answer.text.contains(&token));
    let records = world.room.records();
    let failure: &Value = records.iter().rfind(|record| record["kind"] == "auth_failure").unwrap();
    assert_eq!((failure["path"].as_str(), failure["reason"].as_str()), (Some("/login/"), Some("dead_link")));
}
