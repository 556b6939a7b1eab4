//! The evidence of one call: proofs of its records, and what they speak of as far as it is still there.

use std::path::PathBuf;
use std::time::Duration;

use bailiwick_ledger::{
    About, DefinitionText, EVIDENCE_VERSION, Evidence, GrantText, HashOf, PolicyText, Proof, ProveError,
    SignedCheckpoint, Told, ToldWhy, prove_inclusion,
};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::{CallId, GrantId, ServerId};
use bailiwick_store::{IndexFilter, IndexedRecord};

use super::blocking;
use super::calls::is_visible;
use crate::change::{Told as Act, record};
use crate::{Actor, Control, ControlError};

/// Records that are looked at to find one: others than it may have the same words.
const LOOKED_AT: u16 = 50;

/// How long to wait for the checkpoint behind a record, and for others who read the ledger.
const PATIENCE: Duration = Duration::from_secs(30);

impl Control {
    /// Everything that shows what became of a call and why, to be checked without this gateway.
    ///
    /// Waits until the records are signed, up to half a minute. That somebody asked is on record before.
    ///
    /// # Errors
    /// [`ControlError::NotFound`] if there is no such call, or none that the actor may see;
    /// [`ControlError::AuditUnavailable`] if the ledger does not take the record of the question;
    /// [`ControlError::Conflict`] if its records are on another node, not signed in time or not what was signed.
    pub async fn audit_evidence(&self, actor: &Actor, call: &str) -> Result<Evidence, ControlError> {
        actor.may_read()?;
        let not_found = || ControlError::not_found("call", call);
        let id: CallId = call.parse().map_err(|_| not_found())?;
        let found = self.opening(actor, id).await?.ok_or_else(not_found)?;
        record(self, actor, &Act::new("audit.evidence", &id)).await?;
        let ending = self.ending(&found, id).await?;
        let note = self.checkpoint(ending.unwrap_or(found.index)).await?;
        let busy = || ControlError::Conflict("the ledger is being read by others; try again later".into());
        let turn = tokio::time::timeout(PATIENCE, self.verifying().acquire()).await;
        let _turn = turn.map_err(|_| busy())?.map_err(ControlError::internal)?;
        let _stays = self.keeping().segments.read().await;
        let (opening, told) = self.prove(found.index, &note).await?;
        let mut records = vec![opening];
        if let Some(ending) = ending {
            records.push(self.prove(ending, &note).await?.0);
        }
        let mut grants = Vec::new();
        for grant in told.why.iter().flat_map(|why| &why.rules).filter_map(|rule| rule.parse().ok()) {
            let (text, made) = self.grant_text(grant, &note).await?;
            grants.push(text);
            records.extend(made);
        }
        Ok(Evidence {
            evidence: About::Call,
            v: EVIDENCE_VERSION,
            call: id,
            records,
            policy: told.why.as_ref().map(|why| self.policy_text(why)),
            definition: self.definition_text(&told),
            grants,
        })
    }

    /// The first record of a call, by the index.
    pub(super) async fn opening(
        &self,
        actor: &Actor,
        call: CallId,
    ) -> Result<Option<IndexedRecord>, ControlError> {
        let filter = IndexFilter { call: Some(call), ..IndexFilter::default() };
        let found = self.parts().index.find(&filter, None, LOOKED_AT).await?.records;
        let opens = |record: &IndexedRecord| matches!(record.kind.as_str(), "intent" | "denied" | "local");
        let Some(record) = found.into_iter().find(|record| opens(record) && is_visible(actor, record)) else {
            return Ok(None);
        };
        if record.ledger == self.ledger_name() {
            return Ok(Some(record));
        }
        let there = format!("its records are in the ledger {} of another node: ask that one", record.ledger);
        Err(ControlError::Conflict(there))
    }

    /// The record that says how a call ended, if it did. The index may not have it yet.
    pub(super) async fn ending(
        &self,
        opening: &IndexedRecord,
        call: CallId,
    ) -> Result<Option<u64>, ControlError> {
        if opening.ending.is_some() || opening.kind != "intent" {
            return Ok(opening.ending.as_ref().and_then(|ending| ending.index));
        }
        let dir = self.parts().settings.ledger_dir.clone();
        let lines = blocking(move || bailiwick_ledger::tail(&dir, 2, Some(call))).await?;
        Ok(lines.last().map(|line| line.index).filter(|index| *index > opening.index))
    }

    pub(super) fn ledger_name(&self) -> &str {
        self.parts().ledger.verifier().name()
    }

    async fn checkpoint(&self, index: u64) -> Result<SignedCheckpoint, ControlError> {
        let signed = tokio::time::timeout(PATIENCE, self.parts().ledger.signed(index)).await.ok().flatten();
        let late = || ControlError::Conflict(format!("record {index} is not signed yet; try again later"));
        signed.ok_or_else(late)
    }

    async fn prove(&self, index: u64, note: &SignedCheckpoint) -> Result<(Proof, Told), ControlError> {
        let (dir, note): (PathBuf, _) = (self.parts().settings.ledger_dir.clone(), note.clone());
        let proven =
            blocking(move || Ok::<_, ControlError>(prove_inclusion(&dir, index, Some(note)))).await?;
        let proof = proven.map_err(|error| match error {
            ProveError::Read(error) => ControlError::internal(error),
            other => ControlError::Conflict(other.to_string()),
        })?;
        let Proof::Inclusion(inclusion) = &proof else {
            return Err(ControlError::Conflict(format!("record {index} is not proven")));
        };
        let told = Told::parse(&inclusion.record).map_err(ControlError::internal)?;
        Ok((proof, told))
    }

    /// What a grant says, and the proof that it was made so, if that is in this ledger.
    async fn grant_text(
        &self,
        id: GrantId,
        note: &SignedCheckpoint,
    ) -> Result<(GrantText, Option<Proof>), ControlError> {
        let written = id.to_string();
        let filter = IndexFilter {
            kind: Some("admin_change".into()),
            text: Some(written.clone()),
            ..IndexFilter::default()
        };
        let found = self.parts().index.find(&filter, None, LOOKED_AT).await?.records;
        let about = format!("grant.add {written}");
        let is_it =
            |one: &&IndexedRecord| one.about.as_ref() == Some(&about) && one.ledger == self.ledger_name();
        if let Some(record) = found.iter().find(is_it) {
            let (proof, told) = self.prove(record.index, note).await?;
            return Ok((GrantText { id: written, grant: told.after }, Some(proof)));
        }
        let known = self.snapshot().grants.get(id).map(serde_json::to_value).transpose();
        Ok((GrantText { id: written, grant: known.map_err(ControlError::internal)? }, None))
    }

    /// The policies of the record, or those of now if it does not say which.
    fn policy_text(&self, why: &ToldWhy) -> PolicyText {
        let snapshot = self.snapshot();
        let current = snapshot.rules.hash().to_string();
        let is_same = why.policy.as_ref().is_none_or(|hash| *hash == current);
        PolicyText {
            generation: why.generation,
            rules: why.rules.clone(),
            hash: why.policy.clone(),
            hashed: HashOf::Text,
            text: is_same.then(|| snapshot.rules.text().to_owned()),
        }
    }

    /// The definition of the record, if the server still offers the same.
    fn definition_text(&self, told: &Told) -> Option<DefinitionText> {
        let subject = told.subject.clone()?;
        let (kind, key, hash) = (subject.kind?, subject.key?, subject.hash?);
        let snapshot = self.snapshot();
        let current = || {
            let server = snapshot.catalogue.server_by_id(subject.server.parse::<ServerId>().ok()?)?;
            let is_kind = |known: &DefinitionKind| known.as_str() == kind;
            server.definition(DefinitionKind::ALL.into_iter().find(is_kind)?, &key)
        };
        let same = current().filter(|definition| definition.hash.to_string() == hash);
        let text = same.map(|definition| definition.raw.get().to_owned());
        Some(DefinitionText { server: subject.server, kind, key, hash, hashed: HashOf::Text, text })
    }
}
