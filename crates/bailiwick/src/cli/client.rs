//! The client of the admin API.
//!
//! It dials the host that the user named and no other, and shows a kept key to the gateway that gave it and to no
//! other.

use std::time::Duration;

use bailiwick_console::wire::ProblemDetails;
use bailiwick_runtime::{EgressRules, Outbound, OutboundError, OutboundSettings};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Value, json};

use super::environment::variable;
use super::failure::Failure;
use super::{Global, credentials};

/// Where the gateway is if nobody says otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:7420";
/// How long an answer may take: registering a server waits for its first answer.
const PATIENCE: Duration = Duration::from_secs(90);
/// Largest answer, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// A client with a key.
#[derive(Debug)]
pub(super) struct Client {
    outbound: Outbound,
    base: String,
    key: SecretString,
    patience: Duration,
}

impl Client {
    /// A client for the gateway and key that arguments, environment and kept credentials name.
    pub(super) fn new(global: &Global) -> Result<Self, Failure> {
        let kept = || credentials::read(&credentials::path()?);
        let asked = match &global.gateway {
            Some(url) => Some(url.clone()),
            None => variable("BAILIWICK_URL")?,
        };
        let (base, key) = match (asked, variable("BAILIWICK_KEY")?) {
            (Some(url), Some(key)) => (url, key.into()),
            (Some(url), None) => {
                let kept = kept()?.filter(|kept| same_origin(&kept.url, &url));
                (url, kept.ok_or_else(no_key)?.key)
            }
            (None, Some(key)) => {
                (kept()?.map_or_else(|| DEFAULT_URL.to_owned(), |kept| kept.url), key.into())
            }
            (None, None) => kept()?.map(|kept| (kept.url, kept.key)).ok_or_else(no_key)?,
        };
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { outbound: outbound(global, &base)?, base, key, patience: PATIENCE })
    }

    /// The same, for answers that may take so long.
    pub(super) fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some(encode(body)?)).await
    }

    pub(super) async fn patch(&self, path: &str, body: &impl Serialize) -> Result<Value, Failure> {
        self.send(Method::PATCH, path, Some(encode(body)?)).await
    }

    pub(super) async fn put(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::PUT, path, None).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::DELETE, path, None).await
    }

    /// A whole list, all pieces of it. `path` may have a query.
    pub(super) async fn list(&self, path: &str) -> Result<Value, Failure> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let mut piece = self.get(&format!("{path}{joint}limit=500{after}")).await?;
            if let Some(Value::Array(more)) = piece.get_mut("items").map(Value::take) {
                items.extend(more);
            }
            match piece.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={}", segment(next)),
                None => return Ok(json!({ "items": items })),
            }
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Value, Failure> {
        let mut key = HeaderValue::try_from(format!("Bearer {}", self.key.expose_secret()))
            .map_err(|_| Failure::other("the key contains characters that no key has"))?;
        key.set_sensitive(true);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/api/v1{path}", self.base))
            .header(AUTHORIZATION, key)
            .header(ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.unwrap_or_default());
        let request = request.map_err(|error| Failure::other(error.to_string()))?;
        exchange_within(self.patience, &self.outbound, &self.base, request).await
    }
}

/// Sends a request, and reads its answer: JSON, or nothing, or a problem.
pub(super) async fn exchange(
    outbound: &Outbound,
    base: &str,
    request: Request<Bytes>,
) -> Result<Value, Failure> {
    exchange_within(PATIENCE, outbound, base, request).await
}

async fn exchange_within(
    patience: Duration,
    outbound: &Outbound,
    base: &str,
    request: Request<Bytes>,
) -> Result<Value, Failure> {
    let answer = tokio::time::timeout(patience, outbound.request(request)).await;
    let answer = answer.map_err(|_| Failure::other(format!("{base} did not answer in {patience:?}")))?;
    let (head, body) = answer.map_err(|error| unreachable(base, &error))?.into_parts();
    let body = tokio::time::timeout(PATIENCE, Limited::new(body, MAX_ANSWER).collect()).await;
    let body =
        body.ok().and_then(Result::ok).ok_or_else(|| Failure::other("the answer broke off"))?.to_bytes();
    if head.status == StatusCode::NO_CONTENT {
        return Ok(json!({ "done": true }));
    }
    if head.status.is_success() {
        return serde_json::from_slice(&body).map_err(|_| Failure::strange(head.status));
    }
    match serde_json::from_slice::<ProblemDetails>(&body) {
        Ok(problem) => Err(Failure::answer(problem)),
        Err(_) => Err(Failure::strange(head.status)),
    }
}

/// A client that dials the host of this URL only, wherever it is.
pub(super) fn outbound(global: &Global, base: &str) -> Result<Outbound, Failure> {
    let wrong = || {
        Failure::other(format!("{base:?} is not a URL of a gateway"))
            .hint("write http://127.0.0.1:7420, for example")
    };
    let uri: Uri = base.parse().map_err(|_| wrong())?;
    let host = uri.host().filter(|_| matches!(uri.scheme_str(), Some("http" | "https"))).ok_or_else(wrong)?;
    let destination = host.parse().map_err(|_| wrong())?;
    let file = match &global.ca_file {
        Some(file) => Some(file.clone()),
        None => variable("BAILIWICK_CA_FILE")?.map(Into::into),
    };
    let read = |file: std::path::PathBuf| {
        std::fs::read(&file).map_err(|error| Failure::other(format!("{}: {error}", file.display())))
    };
    let settings = OutboundSettings {
        rules: EgressRules::new(vec![destination]),
        extra_ca: file.map(read).transpose()?,
        ..OutboundSettings::default()
    };
    Outbound::new(settings).map_err(|error| Failure::other(error.to_string()))
}

/// Whether both URLs have the same scheme, host and port.
pub(super) fn same_origin(one: &str, other: &str) -> bool {
    let parts = |url: &str| {
        let uri: Uri = url.parse().ok()?;
        let https = uri.scheme_str()? == "https";
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        Some((https, uri.host()?.to_ascii_lowercase(), port))
    };
    parts(one).is_some() && parts(one) == parts(other)
}

/// A text as one segment of a path or one value of a query.
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    // A dot alone would be taken for a step in the path.
    if out.chars().all(|c| c == '.') { out.replace('.', "%2E") } else { out }
}

fn encode(body: &impl Serialize) -> Result<Bytes, Failure> {
    serde_json::to_vec(body).map(Bytes::from).map_err(|error| Failure::other(error.to_string()))
}

fn no_key() -> Failure {
    Failure::other("no key for this gateway").hint(
        "run `bailiwick login LINK` with the link that the gateway showed at its first start, or put an admin \
         key into BAILIWICK_KEY",
    )
}

fn unreachable(base: &str, error: &OutboundError) -> Failure {
    let failure = Failure::other(format!("cannot talk to {base}: {error}"));
    match error {
        OutboundError::Tls(_) => failure.hint("name its certificate authority with --ca-file"),
        _ => failure.hint("is it running (`bailiwick serve`)? If it is elsewhere, say where with --gateway"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_to_its_own_gateway_only() {
        for (one, other, same) in [
            ("http://127.0.0.1:7420", "http://127.0.0.1:7420/", true),
            ("https://GW.example", "https://gw.example:443", true),
            ("https://gw.example", "http://gw.example", false),
            ("https://gw.example", "https://gw.example.evil.example", false),
            ("http://127.0.0.1:7420", "http://127.0.0.1:7421", false),
            ("nonsense", "nonsense", false),
        ] {
            assert_eq!(same_origin(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn names_cannot_leave_their_segment() {
        for (text, written) in
            [("files", "files"), ("a/b", "a%2Fb"), ("..", "%2E%2E"), ("a@b+c", "a%40b%2Bc"), ("ä", "%C3%A4")]
        {
            assert_eq!(segment(text), written);
        }
    }
}
