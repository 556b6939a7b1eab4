//! Reading the bodies of a call, which is an act of its own: it is in the ledger before anything is shown.

use std::path::PathBuf;

use bailiwick_model::body_key::{BodyKey, BodyPart};
use bailiwick_model::{BodyKeyId, CallId, RetentionClass};
use bailiwick_runtime::from_base64url;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::erase::reason;
use super::{blocking, from};
use crate::change::{Told, record};
use crate::{Actor, Control, ControlError};

/// A payload of a call, as far as it is held.
#[derive(Debug)]
pub struct CallBody {
    /// Which.
    pub part: BodyPart,
    /// The index of its record.
    pub record: u64,
    /// How many bytes the payload had.
    pub bytes: u64,
    /// Whether less is held than that, for its size.
    pub cut: bool,
    /// The class of what is held.
    pub class: RetentionClass,
    /// Why something else is held than the capture policy said.
    pub fallback: Option<String>,
    /// What is held.
    pub content: BodyContent,
}

/// What is held of a payload.
#[derive(Debug)]
pub enum BodyContent {
    /// Size and digest only.
    Nothing,
    /// JSON without secrets and personal data, as it stands in the record.
    Redacted(String),
    /// JSON that was encrypted, as it was.
    Full {
        /// The key.
        key: BodyKeyId,
        /// The text.
        text: String,
    },
    /// It was encrypted, and its key was destroyed.
    Destroyed {
        /// The key, with how it came to its end.
        key: BodyKey,
        /// The name of who destroyed it, if somebody did who is still known.
        by: Option<String>,
    },
    /// It was encrypted with a key that is not in this state: it was made after the backup that the state is from.
    Lost {
        /// The key.
        key: BodyKeyId,
    },
}

/// What a record says of a call's payloads.
#[derive(Debug, Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    arguments: Option<Payload<'a>>,
    #[serde(borrow)]
    result: Option<Payload<'a>>,
}

#[derive(Debug, Deserialize)]
struct Payload<'a> {
    bytes: u64,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    sealed: Option<Sealed>,
    fallback: Option<String>,
    #[serde(default)]
    retention: RetentionClass,
    #[serde(default)]
    cut: bool,
}

#[derive(Debug, Deserialize)]
struct Sealed {
    key: BodyKeyId,
    data: String,
}

impl Control {
    /// What is held of a call's payloads. That somebody reads it, and why, is in the ledger first.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] if there is no such call, or none that the actor may see; [`ControlError::Conflict`] if
    /// its records are on another node or not what was written; [`ControlError::AuditUnavailable`] if the reading cannot be
    /// recorded.
    pub async fn read_bodies(
        &self,
        actor: &Actor,
        call: &str,
        why: String,
    ) -> Result<Vec<CallBody>, ControlError> {
        actor.may_read()?;
        let why = reason(why)?;
        let not_found = || ControlError::not_found("call", call);
        let id: CallId = call.parse().map_err(|_| not_found())?;
        let found = self.opening(actor, id).await?.ok_or_else(not_found)?;
        let ending = self.ending(&found, id).await?;
        let indexes: Vec<u64> = std::iter::once(found.index).chain(ending).collect();
        let lines = self.lines(indexes.clone()).await?;
        // INVARIANT: the reading is on record before anything is opened.
        let told = Told::new("bodies.read", &id).after(&json!({ "records": indexes, "reason": why }))?;
        record(self, actor, &told).await?;
        let mut bodies = Vec::new();
        for (index, line) in &lines {
            let line: Line<'_> = serde_json::from_str(line).map_err(ControlError::internal)?;
            let parts = [(BodyPart::Arguments, line.arguments), (BodyPart::Result, line.result)];
            for (part, payload) in parts.into_iter().filter_map(|(part, payload)| Some((part, payload?))) {
                bodies.push(self.body(*index, (part, id), payload).await?);
            }
        }
        Ok(bodies)
    }

    /// Records of this node's ledger, by their indexes.
    async fn lines(&self, indexes: Vec<u64>) -> Result<Vec<(u64, String)>, ControlError> {
        let dir: PathBuf = self.parts().settings.ledger_dir.clone();
        let lines = blocking(move || {
            let mut found = Vec::new();
            for index in indexes {
                let line = from(&dir, index, 1)?.into_iter().next();
                found.push((index, line.filter(|line| line.index == index).map(|line| line.json)));
            }
            Ok::<_, bailiwick_ledger::ReadError>(found)
        })
        .await?;
        let there = |(index, line): (u64, Option<String>)| {
            let gone = || ControlError::Conflict(format!("record {index} is not in this node's ledger"));
            Ok((index, line.ok_or_else(gone)?))
        };
        lines.into_iter().map(there).collect()
    }

    async fn body(
        &self,
        record: u64,
        place: (BodyPart, CallId),
        payload: Payload<'_>,
    ) -> Result<CallBody, ControlError> {
        let content = match (payload.sealed, payload.body) {
            (Some(sealed), _) => self.opened(place, sealed).await?,
            (None, Some(body)) => BodyContent::Redacted(body.get().to_owned()),
            (None, None) => BodyContent::Nothing,
        };
        Ok(CallBody {
            part: place.0,
            record,
            bytes: payload.bytes,
            cut: payload.cut,
            class: payload.retention,
            fallback: payload.fallback,
            content,
        })
    }

    /// By the key as the store has it now: one that another node destroyed opens nothing here.
    async fn opened(
        &self,
        (part, call): (BodyPart, CallId),
        sealed: Sealed,
    ) -> Result<BodyContent, ControlError> {
        let mut tx = self.parts().store.read().await?;
        let Some(entry) = tx.body_keys().get(sealed.key).await? else {
            return Ok(BodyContent::Lost { key: sealed.key });
        };
        if let Some(how) = &entry.key.destroyed {
            let by = match how.by {
                Some(by) => tx.principals().get(by).await?.map(|principal| principal.subject),
                None => None,
            };
            return Ok(BodyContent::Destroyed { key: entry.key, by });
        }
        let place = part.place(self.ledger_name(), call);
        let sealer = self.open_body_key(&entry)?;
        let opened = from_base64url(&sealed.data).and_then(|data| sealer.open(call, &place, &data));
        let text = opened.and_then(|opened| String::from_utf8(opened.to_vec()).ok());
        let text = text.ok_or_else(|| {
            let member = part.member();
            ControlError::Conflict(format!(
                "the {member} of {call} are not what was written: look with audit verify"
            ))
        })?;
        Ok(BodyContent::Full { key: sealed.key, text })
    }
}
