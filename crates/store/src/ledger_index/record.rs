//! What the index holds of a record, and the batches in which it gets there.

use bailiwick_model::{CallId, PrincipalId, ServerId, TeamId, Timestamp};

/// What the index holds of a record. Whatever the record does not say is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexedRecord {
    /// The name of its ledger; given by whoever reads it from the index, and by the batch when it is written.
    pub ledger: String,
    /// Its index in that ledger.
    pub index: u64,
    /// When it was written.
    pub at: Timestamp,
    /// Its kind, as in the record.
    pub kind: String,
    /// The call.
    pub call: Option<CallId>,
    /// The call that led to it, where the caller told.
    pub parent_call: Option<CallId>,
    /// Who: the principal's id.
    pub principal: Option<PrincipalId>,
    /// Who vouches for the subject.
    pub issuer: Option<String>,
    /// The name at the issuer.
    pub subject: Option<String>,
    /// The principal's team.
    pub team: Option<TeamId>,
    /// The client application by its own word.
    pub client: Option<String>,
    /// The session's nonce.
    pub session: Option<String>,
    /// The server's id.
    pub server: Option<ServerId>,
    /// The server's name then.
    pub server_name: Option<String>,
    /// The definition's kind.
    pub definition_kind: Option<String>,
    /// The definition's key.
    pub definition_key: Option<String>,
    /// The JSON-RPC method.
    pub method: Option<String>,
    /// What a record of another kind is about: the name asked for, the operation, the path, the event.
    pub about: Option<String>,
    /// `allow` or `deny`.
    pub decision: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// W3C trace id, 32 hexadecimal digits.
    pub trace: Option<String>,
    /// W3C span id, 16 hexadecimal digits.
    pub span: Option<String>,
    /// The span that led to it.
    pub parent_span: Option<String>,
    /// How many bytes of arguments.
    pub arguments_bytes: Option<u64>,
    /// How it ended, if it did.
    pub ending: Option<Ending>,
}

/// How a call ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// The index of the record that says so; none if it is the record itself.
    pub index: Option<u64>,
    /// The status.
    pub status: String,
    /// The code of a JSON-RPC error.
    pub code: Option<i64>,
    /// How many bytes of result.
    pub result_bytes: Option<u64>,
    /// Microseconds from the request to the decision.
    pub policy_us: Option<u64>,
    /// Microseconds that the server took.
    pub upstream_us: Option<u64>,
    /// Microseconds in all.
    pub total_us: Option<u64>,
}

/// A record to be indexed.
#[derive(Debug, Clone, Default)]
pub struct NewRecord {
    /// What is held of it.
    pub record: IndexedRecord,
    /// Its words, as [`super::words_of`] makes them.
    pub words: String,
    /// The words of the outcome that completes it, if that is known already.
    pub ending_words: String,
}

/// The end of a call that was indexed before.
#[derive(Debug, Clone)]
pub struct NewEnding {
    /// The call.
    pub call: CallId,
    /// How it ended.
    pub ending: Ending,
    /// The outcome's words.
    pub words: String,
}

/// Consecutive records of one ledger.
#[derive(Debug, Clone, Default)]
pub struct IndexBatch {
    /// The records, without those that complete others.
    pub records: Vec<NewRecord>,
    /// What completes records of earlier batches.
    pub endings: Vec<NewEnding>,
}

/// Up to where a ledger is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexPosition {
    /// The index of the first record that is not.
    pub next: u64,
    /// The leaf hash of the last one that is: a ledger that has another there is another ledger.
    pub last: [u8; 32],
}
