//! A console over a fresh room, and requests to it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bailiwick_console::Console;
use bailiwick_control::testing::Room;
use bailiwick_identity::{AuthFailures, HostRules, ResourceMetadata};
use bailiwick_model::key::Audience;
use bailiwick_model::principal::Role;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tower::ServiceExt as _;

const URL: &str = "http://127.0.0.1:7420";

pub(crate) struct World {
    pub(crate) room: Room,
    pub(crate) router: Router,
    pub(crate) failures: Arc<AuthFailures>,
    pub(crate) admin: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let room = Room::new().await;
        let failures =
            Arc::new(AuthFailures::new(Arc::clone(&room.recorder) as _, Arc::clone(&room.clock) as _));
        let router = bailiwick_console::router(Console {
            control: room.control.clone(),
            hosts: Arc::new(HostRules::new(URL, &["127.0.0.1:7420".parse().unwrap()], &[])),
            failures: Arc::clone(&failures),
            last_use: Arc::clone(&room.last_use),
            metadata: ResourceMetadata::new(URL),
            peer: Arc::new(|_| "192.0.2.1".to_owned()),
            clock: Arc::clone(&room.clock) as _,
        });
        let admin = room.key("admin", Audience::Admin).await.expose_secret().to_owned();
        Self { room, router, failures, admin }
    }

    /// A key for a user of this role. A member's is made while the user is still an auditor, as it happens
    /// when somebody loses a role.
    pub(crate) async fn key_of(&self, role: Role) -> String {
        if role == Role::Member {
            self.room.user(Role::Auditor).await;
            let key = self.room.key("auditor", Audience::Admin).await;
            let body = serde_json::json!({ "role": "member" });
            let answer =
                self.send(Method::PATCH, "/api/v1/principals/auditor", Some(&self.admin), Some(body)).await;
            assert_eq!(answer.status, StatusCode::OK);
            return key.expose_secret().to_owned();
        }
        self.room.user(role).await;
        // The administrator of the first start is called `admin` too, and has a key already.
        self.room.key(role.as_str(), Audience::Admin).await.expose_secret().to_owned()
    }

    pub(crate) async fn request(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:7420");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.request(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Some(&self.admin), None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(&self.admin), Some(body)).await
    }
}
