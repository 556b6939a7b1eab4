//! Looking records up in the index.

use std::fmt::Display;
use std::str::FromStr;

use bailiwick_store::{IndexCursor, IndexFilter, IndexedRecord, Named};

use crate::{Actor, Control, ControlError, Listed};

/// What is looked for, as people write it: records that fit everything that is said.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// The principal, by id or by name at its issuer.
    pub principal: Option<String>,
    /// The server, by id or by the name that it had then.
    pub server: Option<String>,
    /// The tool's name, or the key of another definition.
    pub tool: Option<String>,
    /// `allow` or `deny`.
    pub decision: Option<String>,
    /// The kind of record.
    pub kind: Option<String>,
    /// How it ended.
    pub status: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// RFC 3339: not before.
    pub from: Option<String>,
    /// RFC 3339: before.
    pub to: Option<String>,
    /// W3C trace id.
    pub trace: Option<String>,
    /// The session's nonce.
    pub session: Option<String>,
    /// The call's id.
    pub call: Option<String>,
    /// Words, all of which are in the request, or all in the answer.
    pub text: Option<String>,
}

impl Control {
    /// A piece of the records that fit, newest first.
    ///
    /// The index is behind the ledger by a moment; [`Control::index_state`] says by how much.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn audit_calls(
        &self,
        actor: &Actor,
        filter: CallFilter,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Listed<IndexedRecord, IndexCursor>, ControlError> {
        actor.may_read()?;
        let after = after.map(|after| parse("after", after)).transpose()?;
        let filter = understood(filter)?;
        let found = self.parts().index.find(&filter, after, limit).await?;
        let items = found.records.into_iter().filter(|record| is_visible(actor, record)).collect();
        Ok(Listed { items, next: found.next })
    }
}

/// Records of a team are for those who see the team; what belongs to none is for whoever may read at all.
pub(super) fn is_visible(actor: &Actor, record: &IndexedRecord) -> bool {
    record.team.is_none_or(|team| actor.sees(team))
}

fn understood(filter: CallFilter) -> Result<IndexFilter, ControlError> {
    if let Some(decision) = filter.decision.as_deref()
        && !matches!(decision, "allow" | "deny")
    {
        return Err(ControlError::invalid("decision", "allow or deny"));
    }
    Ok(IndexFilter {
        kind: filter.kind,
        call: filter.call.map(|call| parse("call", &call)).transpose()?,
        principal: filter.principal.map(named),
        server: filter.server.map(named),
        definition: filter.tool,
        decision: filter.decision,
        status: filter.status,
        reason: filter.reason,
        trace: filter.trace,
        session: filter.session,
        text: filter.text,
        from: filter.from.map(|from| parse("from", &from)).transpose()?,
        to: filter.to.map(|to| parse("to", &to)).transpose()?,
    })
}

fn named<I: FromStr>(text: String) -> Named<I> {
    match text.parse() {
        Ok(id) => Named::Id(id),
        Err(_) => Named::Name(text),
    }
}

fn parse<T: FromStr<Err: Display>>(field: &'static str, text: &str) -> Result<T, ControlError> {
    text.parse().map_err(|error: T::Err| ControlError::invalid(field, error.to_string()))
}
