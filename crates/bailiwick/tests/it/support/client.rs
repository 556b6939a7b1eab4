//! An MCP client that does nothing by itself: each request is what a test says, bytes included.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy(&'static str),
    Modern,
}

/// A client with one key.
#[derive(Clone)]
pub(crate) struct Client {
    http: Hyper<HttpConnector, Full<Bytes>>,
    base: String,
    key: String,
    pub(crate) session: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) fn new(base: &str, key: &str) -> Self {
        let http = Hyper::builder(TokioExecutor::new()).build_http();
        Self { http, base: base.to_owned(), key: key.to_owned(), session: None }
    }

    /// The same key at a gateway that was started again.
    pub(crate) fn moved_to(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// A request with the usual headers, to be changed.
    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.key))
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json");
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        request
    }

    /// Sends a request and gives the answer's head, its body to be read.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> http::Response<Incoming> {
        self.http.request(request).await.unwrap()
    }

    /// Sends bytes with further headers.
    pub(crate) async fn post_raw(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = self.request(Method::POST, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::read(self.send(request.body(Full::from(body.to_owned())).unwrap()).await).await
    }

    /// Sends a request in an era: in the modern one with its `_meta` and headers.
    pub(crate) async fn ask(&self, path: &str, era: Era, method: &str, params: Value) -> Answer {
        let (headers, body) = message(era, method, params);
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        self.post_raw(path, &headers, &body).await
    }

    /// Opens a legacy session and keeps its id.
    pub(crate) async fn initialize(&mut self, path: &str, version: &'static str) -> Value {
        self.session = None;
        let params = json!({
            "protocolVersion": version,
            "capabilities": {"sampling": {}, "elicitation": {}, "roots": {}},
            "clientInfo": {"name": "test", "version": "1"},
        });
        let body = json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": params});
        let answer = self.post_raw(path, &[], &body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let session = answer.headers.get("mcp-session-id").unwrap().to_str().unwrap().to_owned();
        self.session = Some(session);
        let result = answer.result();
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
        let ready = self.post_raw(path, &[("mcp-protocol-version", version)], &ready).await;
        assert_eq!(ready.status, 202, "{ready:?}");
        result
    }
}

/// The headers and body of a request with id 1.
pub(crate) fn message(era: Era, method: &str, mut params: Value) -> (Vec<(String, String)>, String) {
    let mut headers = Vec::new();
    match era {
        Era::Legacy(version) => headers.push(("mcp-protocol-version".to_owned(), version.to_owned())),
        Era::Modern => {
            headers.push(("mcp-protocol-version".to_owned(), "2026-07-28".to_owned()));
            headers.push(("mcp-method".to_owned(), method.to_owned()));
            let named = match method {
                "tools/call" | "prompts/get" => params.get("name"),
                "resources/read" => params.get("uri"),
                "tasks/get" | "tasks/cancel" | "tasks/update" => params.get("taskId"),
                _ => None,
            };
            if let Some(name) = named.and_then(Value::as_str) {
                let name = bailiwick_mcp::headers::encode(name);
                headers.push(("mcp-name".to_owned(), name.to_str().unwrap().to_owned()));
            }
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
                json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
            params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({"name": "test", "version": "1"});
        }
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    (headers, body.to_string())
}

impl Answer {
    pub(crate) async fn read(response: http::Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The last JSON-RPC message: the body, or the data of the stream's last event.
    pub(crate) fn json(&self) -> Value {
        let text = std::str::from_utf8(&self.body).unwrap();
        let last = text.lines().rev().find_map(|line| line.strip_prefix("data: ")).unwrap_or(text);
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn result(&self) -> Value {
        let json = self.json();
        assert!(json.get("error").is_none(), "{json}");
        json["result"].clone()
    }

    pub(crate) fn error(&self) -> Value {
        let json = self.json();
        assert!(json.get("result").is_none(), "{json}");
        json["error"].clone()
    }
}
