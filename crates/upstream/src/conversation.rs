//! Who speaks with which server in which era, and the one request that is carried.

use bailiwick_mcp::{Era, RawId};
use bailiwick_model::call::Trace;
use bailiwick_model::{PrincipalId, ServerId};
use bytes::Bytes;

/// One client's conversation with one server.
///
/// Never authority: the permit is. It scopes connections, children and ids, so that nothing crosses from one client
/// to another.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The server.
    pub server: ServerId,
    /// The era spoken with the server.
    pub era: Era,
    /// For whom; children and pooled sessions are never shared between principals.
    pub principal: PrincipalId,
    /// The client's session (a nonce that the gateway minted); scopes ids and server requests.
    pub client: u128,
    /// How the server's session, if any, relates to the client's.
    pub kind: Kind,
}

/// How the server's session relates to the client's.
#[derive(Debug, Clone)]
pub enum Kind {
    /// No session: each request describes itself.
    Modern,
    /// The client's own session, carried one to one: its ids, its session id, its streams. For stdio, a child that is
    /// shared by the sessions of one principal with equal `initialize` parameters.
    Own {
        /// The raw `params` of the client's `initialize`.
        initialize: Bytes,
        /// The session id that the server gave, if it gave one.
        session: Option<Box<str>>,
    },
    /// A session that this room opens, keeps and renews, shared by the requests of one principal with equal
    /// `initialize` parameters.
    Pooled {
        /// The raw `params` for `initialize`.
        initialize: Bytes,
    },
}

impl Conversation {
    /// The raw `initialize` parameters; none for modern conversations.
    pub(crate) fn initialize(&self) -> Option<&Bytes> {
        match &self.kind {
            Kind::Modern => None,
            Kind::Own { initialize, .. } | Kind::Pooled { initialize } => Some(initialize),
        }
    }
}

/// A request to carry: a JSON-RPC message of the conversation's era, and what of it the transport shows outside.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The message, as judged.
    pub body: Bytes,
    /// Its id as it stands in the body.
    pub id: RawId<'a>,
    /// Its method.
    pub method: &'a str,
    /// Its name, URI or task id for `Mcp-Name` (modern), decoded.
    pub name: Option<&'a str>,
    /// Further headers of the modern era: `mcp-param-*` names in lower case, values as they go on the wire.
    pub params: Vec<(String, String)>,
    /// The trace, for HTTP headers.
    pub trace: &'a Trace<'a>,
}

/// The principal of the room's own questions: nobody's id, since ids carry the time at which they were made.
pub(crate) const DISCOVERY: PrincipalId = PrincipalId::from_bits(0);
