//! What the ledger is told: one [`Record`] per thing that happened, written as one JSON line.
//!
//! The ledger adds `v`, `index` and `time` in front; the members here follow in the order of the fields.
//! Everything borrows, since a record is written at once. Strings that a stranger chose are bounded by
//! whoever makes the record; JSON escapes keep their line breaks and control characters from forging lines.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::capture::RetentionClass;
use crate::definition::{DefinitionHash, DefinitionKind, write_sha256};
use crate::grant::Action;
use crate::principal::PrincipalKind;
use crate::server::{Server, Transport, Value};
use crate::{BodyKeyId, CallId, Generation, KeyId, PrincipalId, ServerId, TeamId};

/// The version of the line's format, member `v`.
pub const RECORD_VERSION: u32 = 1;

/// One entry of the ledger.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record<'a> {
    /// A call was allowed and is about to go to a server.
    Intent(Intent<'a>),
    /// How a call ended.
    Outcome(Outcome<'a>),
    /// A call was answered by the gateway itself: lists, pings, handshakes.
    Local(Local<'a>),
    /// A call was refused by policy.
    Denied(Denied<'a>),
    /// Somebody could not show who they are.
    AuthFailure(AuthFailure<'a>),
    /// A caller's message was refused before anything was decided: it could not be read, or contradicted itself.
    Malformed(Malformed<'a>),
    /// Somebody changed something by the admin API, or the gateway did by itself.
    AdminChange(AdminChange<'a>),
    /// A server's definitions are not what they were.
    DefinitionDrift(DefinitionDrift<'a>),
    /// The gateway started or stopped on this ledger.
    Lifecycle(Lifecycle<'a>),
    /// A server is shown its credential for a principal, for the first time since one of them changed.
    Credential(Credential<'a>),
    /// Which settings the gateway runs with.
    Configuration(Configuration<'a>),
    /// The ledger was signed as it was.
    Checkpoint(Checkpoint<'a>),
}

/// Who did it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Who<'a> {
    /// The principal.
    pub principal: PrincipalId,
    /// Person or workload.
    #[serde(rename = "type")]
    pub kind: PrincipalKind,
    /// Who vouches for the subject.
    pub issuer: &'a str,
    /// The name at the issuer.
    pub subject: &'a str,
    /// The team.
    pub team: TeamId,
    /// The key shown, if a key was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
}

/// What was asked for, and through which door.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct What<'a> {
    /// The path of the MCP endpoint.
    pub endpoint: &'a str,
    /// The JSON-RPC method.
    pub method: &'a str,
    /// The protocol revision that the client speaks.
    pub era: &'a str,
    /// A digest of the client's session id, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<&'a str>,
    /// The client application by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<&'a str>,
    /// W3C trace id: the caller's, else one of the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<&'a str>,
    /// The span of that trace that the call is; the server is told it as the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<&'a str>,
    /// The span of that trace that the caller was in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<&'a str>,
}

/// The thing at a server that a call is about.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Subject<'a> {
    /// The server.
    pub server: ServerId,
    /// Its name then.
    pub name: &'a str,
    /// The definition's kind; none if the call concerns the server as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<DefinitionKind>,
    /// The definition's key, or the URI asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    /// The definition's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<DefinitionHash>,
}

/// Why it was allowed or not.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Why<'a> {
    /// The action judged.
    pub action: Action,
    /// The generation of policy and grants.
    pub generation: Generation,
    /// The text of the policies.
    pub policy: PolicyHash,
    /// The ids of the rules and grants that decided.
    pub rules: &'a [Box<str>],
}

/// SHA-256 of the text of all policies in force, made once when they are compiled; written as `sha256:` and 64
/// hexadecimal digits. By it a record is bound to the text that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyHash(pub [u8; 32]);

impl std::fmt::Display for PolicyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl Serialize for PolicyHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_sha256(&self.0, serializer)
    }
}

/// A payload: its size and digest always, and what of it may be held: without secrets and personal data, or encrypted.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Payload<'a> {
    /// How many bytes.
    pub bytes: u64,
    /// Its digest.
    pub hmac: PayloadDigest,
    /// What is held of it: one JSON value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<RawJson<'a>>,
    /// What is held of it encrypted, in place of `body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedBody<'a>>,
    /// Why something else is held than the capture policy says: `body_key_unavailable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<&'a str>,
    /// The class of what is held, unless it is the standard one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<&'a RetentionClass>,
    /// How many things of which kind were replaced in the body.
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "counts")]
    pub found: &'a [(&'static str, u32)],
    /// Whether the payload was longer than may be held.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

impl Payload<'_> {
    /// One of which nothing is held.
    pub const fn bare(bytes: u64, hmac: PayloadDigest) -> Self {
        Self {
            bytes,
            hmac,
            body: None,
            sealed: None,
            fallback: None,
            retention: None,
            found: &[],
            cut: false,
        }
    }
}

/// A body that only its key opens.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SealedBody<'a> {
    /// The key.
    pub key: BodyKeyId,
    /// Nonce, ciphertext and tag, in base64url without padding (RFC 4648 section 5).
    pub data: &'a str,
}

fn counts<S: serde::Serializer>(counts: &&[(&'static str, u32)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().copied())
}

/// A JSON value that is written as it stands by serializers that know it by its name, [`RawJson::NAME`], as the
/// ledger's does; to others it is a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawJson<'a>(pub &'a str);

impl RawJson<'_> {
    /// The name of the newtype struct.
    pub const NAME: &'static str = "bailiwick::RawJson";
}

impl Serialize for RawJson<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(Self::NAME, self.0)
    }
}

/// HMAC-SHA-256 under the ledger's digest key, written as 64 hexadecimal digits: equal payloads are recognised, short
/// ones not guessed. Of the payload itself up to 4096 bytes; of its BLAKE3 hash beyond, which takes a quarter of the
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadDigest(pub [u8; 32]);

impl Serialize for PayloadDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(std::str::from_utf8(&digits).map_err(serde::ser::Error::custom)?)
    }
}

/// See [`Record::Intent`].
#[derive(Debug, Clone, Serialize)]
pub struct Intent<'a> {
    /// The call.
    pub call: CallId,
    /// Who.
    pub who: Who<'a>,
    /// What.
    pub what: What<'a>,
    /// Where.
    pub subject: Subject<'a>,
    /// Why it was allowed.
    pub why: Why<'a>,
    /// What the server is shown.
    #[serde(skip_serializing_if = "Secrets::is_empty")]
    pub credential: Secrets<'a>,
    /// The request's `params`.
    pub arguments: Payload<'a>,
}

/// See [`Record::Outcome`].
#[derive(Debug, Clone, Serialize)]
pub struct Outcome<'a> {
    /// The call, as in its intent.
    pub call: CallId,
    /// How it ended.
    pub status: Status,
    /// The code of a JSON-RPC error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// A sentence on what went wrong, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    /// What came of it on the server's side.
    #[serde(skip_serializing_if = "Upstream::is_unknown")]
    pub upstream: Upstream<'a>,
    /// Of a tool's result: its `isError`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_error: Option<bool>,
    /// The `result` or `error` of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Payload<'a>>,
    /// How long it took.
    pub timing: Timing,
}

/// What came of a call on its server's side, apart from what the answer says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Upstream<'a> {
    /// The HTTP status of the server's answer; none if there was no answer, or for a stdio server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<u16>,
    /// The sort of failure, if it failed: `unreachable`, `timeout`, `cut`, `invalid` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<&'a str>,
}

impl Upstream<'_> {
    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// With a result.
    Ok,
    /// With a result that the tool marked as an error.
    ToolError,
    /// With a JSON-RPC error by the server.
    RpcError,
    /// The server asks for input first (spec: MRTR).
    InputRequired,
    /// The server could not be reached.
    UpstreamUnreachable,
    /// The server did not answer in time.
    UpstreamTimeout,
    /// The server answered what is no answer.
    UpstreamInvalid,
    /// The client cancelled, or left where leaving is cancelling.
    Cancelled,
    /// The answer could not be delivered: the client had left.
    ClientGone,
    /// The gateway stopped while the call was under way; whether the server acted is not known.
    Unknown,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::ToolError,
        Self::RpcError,
        Self::InputRequired,
        Self::UpstreamUnreachable,
        Self::UpstreamTimeout,
        Self::UpstreamInvalid,
        Self::Cancelled,
        Self::ClientGone,
        Self::Unknown,
    ];

    /// As records write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool_error",
            Self::RpcError => "rpc_error",
            Self::InputRequired => "input_required",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamInvalid => "upstream_invalid",
            Self::Cancelled => "cancelled",
            Self::ClientGone => "client_gone",
            Self::Unknown => "unknown",
        }
    }
}

/// Durations in microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Timing {
    /// From the request's head to the decision.
    pub policy_us: u64,
    /// From the decision to when the call may go to its server: the wait for the intent to be in the ledger.
    pub queue_us: u64,
    /// From the first byte to the server to the last byte from it.
    pub upstream_us: u64,
    /// From the request's head to this record.
    pub total_us: u64,
}

/// See [`Record::Local`].
#[derive(Debug, Clone, Serialize)]
pub struct Local<'a> {
    /// The call.
    pub call: CallId,
    /// Who.
    pub who: Who<'a>,
    /// What.
    pub what: What<'a>,
    /// How it ended.
    pub status: Status,
    /// The code of a JSON-RPC error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// The generation of the catalogue.
    pub generation: Generation,
}

/// See [`Record::Denied`].
#[derive(Debug, Clone, Serialize)]
pub struct Denied<'a> {
    /// The call.
    pub call: CallId,
    /// Who.
    pub who: Who<'a>,
    /// What.
    pub what: What<'a>,
    /// The server, definition or URI that was asked for, if there is such a thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject<'a>>,
    /// The name that was asked for, cut to 256 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<&'a str>,
    /// Why it was refused.
    pub why: Why<'a>,
    /// The stable reason: `policy_denied`, `not_found` …
    pub reason: &'a str,
}

/// See [`Record::AuthFailure`].
#[derive(Debug, Clone, Serialize)]
pub struct AuthFailure<'a> {
    /// The path asked for, cut to 256 bytes.
    pub path: &'a str,
    /// Where from, as the trusted proxies tell it.
    pub peer: &'a str,
    /// The stable reason: `missing`, `unknown_key`, `expired`, `revoked`, `wrong_audience` …
    pub reason: &'a str,
    /// The visible part of the key shown, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<&'a str>,
    /// How many alike this record stands for: beyond a rate they are counted, not written one by one.
    pub count: u64,
}

/// See [`Record::Malformed`].
#[derive(Debug, Clone, Serialize)]
pub struct Malformed<'a> {
    /// Who sent it.
    pub who: Who<'a>,
    /// The endpoint that it was sent to.
    pub endpoint: &'a str,
    /// The stable reason: `json`, `duplicate_key`, `too_deep`, `header_mismatch` …
    pub reason: &'a str,
    /// How many alike this record stands for: beyond a rate they are counted, not written one by one.
    pub count: u64,
}

/// See [`Record::AdminChange`].
#[derive(Debug, Clone, Serialize)]
pub struct AdminChange<'a> {
    /// Who; none if the gateway itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Who<'a>>,
    /// The operation: `server.add`, `grant.revoke` …
    pub operation: &'a str,
    /// The id of what was changed.
    pub object: &'a str,
    /// What it was, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<&'a serde_json::Value>,
    /// What it shall be, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<&'a serde_json::Value>,
}

/// See [`Record::DefinitionDrift`].
#[derive(Debug, Clone, Serialize)]
pub struct DefinitionDrift<'a> {
    /// The server and definition.
    pub subject: Subject<'a>,
    /// `added`, `removed` or `changed`.
    pub change: &'a str,
    /// The hash before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<DefinitionHash>,
}

/// See [`Record::Lifecycle`].
#[derive(Debug, Clone, Serialize)]
pub struct Lifecycle<'a> {
    /// `started`, `stopped`, or `restored`: what follows was written on a backup's state.
    pub event: &'a str,
    /// The product's version.
    pub version: &'a str,
    /// The node's name.
    pub node: &'a str,
    /// When the backup was taken that was restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<crate::Timestamp>,
}

/// See [`Record::Credential`].
#[derive(Debug, Clone, Serialize)]
pub struct Credential<'a> {
    /// For whom.
    pub who: Who<'a>,
    /// Which server, as a whole.
    pub subject: Subject<'a>,
    /// What it is shown.
    pub credential: Secrets<'a>,
}

/// The names of a server's secret headers or variables, never their values; written as a list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Secrets<'a>(Option<&'a BTreeMap<String, Value>>);

impl<'a> Secrets<'a> {
    /// Those of a server.
    pub fn of(server: &'a Server) -> Self {
        let (Transport::Http { headers: values, .. } | Transport::Stdio { env: values, .. }) =
            &server.transport;
        Self(Some(values))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    fn names(self) -> impl Iterator<Item = &'a str> {
        self.0
            .into_iter()
            .flatten()
            .filter(|(_, value)| **value == Value::Secret)
            .map(|(name, _)| name.as_str())
    }
}

impl Serialize for Secrets<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

/// See [`Record::Configuration`].
#[derive(Debug, Clone, Serialize)]
pub struct Configuration<'a> {
    /// The product's version.
    pub version: &'a str,
    /// Every key of the settings that has a value, `section.key`, secrets as digests.
    pub settings: &'a serde_json::Value,
    /// What the keys were that differ from the last such record, null where they had no value; none if there is no such
    /// record to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<&'a serde_json::Value>,
}

/// See [`Record::Checkpoint`].
#[derive(Debug, Clone, Serialize)]
pub struct Checkpoint<'a> {
    /// How many records it tells of.
    pub size: u64,
    /// The root of their tree, in hexadecimal.
    pub root: &'a str,
    /// The key that signed it: its name, `+`, its id.
    pub key: &'a str,
}

/// Proof that a record is in the ledger at the durability that the ledger promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The record's index, from 0.
    pub index: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_written_as_it_is_called() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn secrets_are_named_and_values_are_not_written() {
        let plain = Value::Plain { value: "2026".into() };
        let values = BTreeMap::from([("authorization".into(), Value::Secret), ("x-version".into(), plain)]);
        assert_eq!(serde_json::to_string(&Secrets(Some(&values))).unwrap(), r#"["authorization"]"#);
        assert!(Secrets::default().is_empty() && !Secrets(Some(&values)).is_empty());
    }

    #[test]
    fn a_stranger_s_line_breaks_stay_inside_one_line() {
        let record = Record::AuthFailure(AuthFailure {
            path: "/mcp\n{\"kind\":\"outcome\"}\r\u{1b}[2J",
            peer: "127.0.0.1",
            reason: "missing",
            prefix: None,
            count: 1,
        });
        let line = serde_json::to_string(&record).unwrap();
        assert!(line.starts_with(r#"{"kind":"auth_failure","path":""#), "{line}");
        assert!(line.bytes().all(|b| b >= 0x20), "{line}");
    }
}
