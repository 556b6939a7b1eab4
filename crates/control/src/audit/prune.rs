//! Pruning the ledger: the oldest segments leave this node, if they are old enough, in the index, and read again in the
//! archive just now. Recorded before anything goes.

use std::sync::Arc;

use bailiwick_ledger::{ArchiveError, Closed, Contents, PRUNE, Pruning};
use bailiwick_model::Timestamp;

use super::blocking;
use crate::change::{Told, record};
use crate::{Actor, Control, ControlError};

/// So many segments go at once: what is read again for it is bounded, and so is the record.
const AT_ONCE: usize = 16;

/// What was pruned, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneOutcome {
    /// How many segments.
    pub segments: usize,
    /// The index of their first record.
    pub first: u64,
    /// The index behind their last: the first record that is left.
    pub next: u64,
    /// The length of their records, in bytes.
    pub bytes: u64,
    /// Where they are, without secrets.
    pub archive: String,
    /// Whether more may go the same way: one pass takes a bounded number.
    pub more: bool,
    /// Why not more.
    pub held: Option<String>,
}

impl Control {
    /// Prunes the segments that the settings let go; with `before` those whose last record is older than that, as far as
    /// the settings let them go if they say something. With `dry` it only says which, by name and length in the archive.
    ///
    /// # Errors
    /// [`ControlError`]; [`ControlError::Conflict`] if the settings name no archive or it cannot be read.
    pub async fn audit_prune(
        &self,
        actor: &Actor,
        before: Option<Timestamp>,
        dry: bool,
    ) -> Result<PruneOutcome, ControlError> {
        actor.may_change()?;
        let archive = self.archive()?;
        let retention = self.parts().settings.retention;
        if before.is_none() && retention.calls.is_none() && retention.administration.is_none() {
            let problem = "say before when, or set `ledger.retention_days`";
            return Err(ControlError::invalid("before", problem));
        }
        let _turn = self.keeping().turn.lock().await;
        let (mut segments, mut held) = self.old_enough(before).await?;
        let more = !dry && segments.len() > AT_ONCE;
        if !dry {
            segments.truncate(AT_ONCE);
        }
        let not_archived =
            if dry { self.unlisted(&segments).await? } else { self.unarchived(&segments).await? };
        if let Some((nth, why)) = not_archived {
            segments.truncate(nth);
            held = Some(why);
        }
        let ledger = Arc::clone(&self.parts().ledger);
        let place = archive.place().to_owned();
        let outcome = |segments: &[Closed], held| PruneOutcome {
            segments: segments.len(),
            first: segments.first().map_or(0, Closed::first),
            next: segments.last().map_or(0, |last| last.next),
            bytes: segments.iter().map(|segment| segment.bytes).sum(),
            archive: place.clone(),
            more,
            held,
        };
        if dry || segments.is_empty() {
            return Ok(PruneOutcome { more: false, ..outcome(&segments, held) });
        }
        let (at, pruned_from) = (place.clone(), Arc::clone(&ledger));
        let Some(pruning) = blocking(move || pruned_from.prunable(segments, &at)).await? else {
            let why = "no checkpoint signs the end of the oldest segment".to_owned();
            return Ok(PruneOutcome { more: false, ..outcome(&[], Some(why)) });
        };
        let done = outcome(&pruning.segments, held.filter(|_| !more));
        self.carry_out_alone(actor, pruning).await?;
        Ok(done)
    }

    /// What the settings let go without being asked.
    pub(super) async fn prune_by_settings(&self) {
        let retention = self.parts().settings.retention;
        if retention.calls.is_none() && retention.administration.is_none() {
            return;
        }
        loop {
            match self.audit_prune(&Actor::Gateway, None, false).await {
                Ok(PruneOutcome { more: true, .. }) => {}
                Ok(_) => return,
                Err(error) => {
                    let source = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, source, "the ledger is not pruned; it is tried again");
                    return;
                }
            }
        }
    }

    /// The oldest segments that may go by their age and are in the index, and why not more.
    async fn old_enough(
        &self,
        before: Option<Timestamp>,
    ) -> Result<(Vec<Closed>, Option<String>), ControlError> {
        let ledger = Arc::clone(&self.parts().ledger);
        let mut segments = blocking(move || ledger.closed()).await?;
        let indexed = self.indexing().state(self.parts().clock.now());
        for nth in 0..segments.len() {
            let segment = &segments[nth];
            let why = if indexed.rebuilding || indexed.records < segment.next {
                Some("the index has not read it yet")
            } else if self.lets_go(self.contents(segment).await?, before) {
                None
            } else {
                Some("it is not old enough")
            };
            if let Some(why) = why {
                let why = format!("the segment of record {} stays: {why}", segment.first());
                segments.truncate(nth);
                return Ok((segments, Some(why)));
            }
        }
        Ok((segments, None))
    }

    /// Whether every class of records in a segment may go.
    fn lets_go(&self, contents: Contents, before: Option<Timestamp>) -> bool {
        let age = self.parts().clock.now().saturating_since(contents.last);
        let retention = self.parts().settings.retention;
        let classes =
            [(contents.calls, retention.calls), (contents.administration, retention.administration)];
        before.is_none_or(|before| contents.last < before)
            && classes.into_iter().filter(|(present, _)| *present).all(|(_, days)| match days {
                Some(days) => age >= days,
                None => before.is_some(),
            })
    }

    /// The first segment that the archive does not have as it is here, and why.
    async fn unarchived(&self, segments: &[Closed]) -> Result<Option<(usize, String)>, ControlError> {
        let archive = self.archive()?;
        for (nth, segment) in segments.iter().enumerate() {
            for file in segment.files() {
                match archive.check(&file).await {
                    Ok(()) => {}
                    Err(error @ (ArchiveError::Missing(_) | ArchiveError::Different(_))) => {
                        let first = segment.first();
                        return Ok(Some((nth, format!("the segment of record {first} stays: {error}"))));
                    }
                    Err(error) => return Err(ControlError::Conflict(error.to_string())),
                }
            }
        }
        Ok(None)
    }

    /// The same by names and lengths alone.
    async fn unlisted(&self, segments: &[Closed]) -> Result<Option<(usize, String)>, ControlError> {
        let away = |error: ArchiveError| ControlError::Conflict(error.to_string());
        let names = self.archive()?.lengths().await.map_err(away)?;
        let is_there = |segment: &Closed| {
            let files = segment.files();
            files.iter().filter_map(|file| file.file_name()).all(|name| {
                let name = name.to_string_lossy();
                let length = names.get(name.as_ref());
                length.is_some_and(|length| !name.ends_with(".jsonl") || *length == segment.bytes)
            })
        };
        let missing = segments.iter().position(|segment| !is_there(segment));
        Ok(missing.and_then(|nth| {
            let first = segments.get(nth)?.first();
            Some((nth, format!("the segment of record {first} stays: the archive does not have it yet")))
        }))
    }

    /// On its own: whoever asked may go away between the record and the deed.
    #[expect(
        clippy::disallowed_methods,
        reason = "it is awaited here; what the end of the process leaves of it, the next start finishes"
    )]
    async fn carry_out_alone(&self, actor: &Actor, pruning: Pruning) -> Result<(), ControlError> {
        let (control, actor) = (self.clone(), actor.clone());
        let done = tokio::spawn(async move { control.carry_out(&actor, pruning).await });
        done.await.map_err(ControlError::internal)?
    }

    /// Records it and does it, while nobody reads.
    async fn carry_out(&self, actor: &Actor, mut pruning: Pruning) -> Result<(), ControlError> {
        let _alone = self.keeping().segments.write().await;
        let ledger = Arc::clone(&self.parts().ledger);
        let begun = move || ledger.begin_pruning(&mut pruning).map(|()| pruning);
        let pruning = blocking(begun).await?;
        let told = Told::new(PRUNE, self.parts().ledger.verifier().name()).after(&pruning.told())?;
        let recorded = record(self, actor, &told).await;
        let ledger = Arc::clone(&self.parts().ledger);
        if let Err(error) = recorded {
            blocking(move || ledger.give_up_pruning(&pruning)).await?;
            return Err(error);
        }
        tracing::info!(pruned = %pruning.told(), "segments of the ledger are pruned");
        blocking(move || ledger.prune(&pruning)).await
    }
}
