//! What feeds the index: follows this node's ledger from where the index ends, in batches.
//!
//! Nobody waits for it. It reads the segments as anybody may, so the data path does not know of it; when calls come
//! in at a rate that it could not follow anyway, it works a thirtieth of the time, and where it writes a file itself
//! only in time that calls leave; when nothing comes it looks four times a second. What goes wrong is told once and
//! tried again: meanwhile the index lags, which [`crate::IndexState`] says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_ledger::{Extent, Follow, Line, ReadError, extent, leaf_hash};
use bailiwick_store::{IndexBatch, IndexPosition, StoreError};

use super::entry::{Entry, read};
use crate::Control;

/// How often it looks whether something is new.
const PACE: Duration = Duration::from_millis(250);

/// Lines of one batch, about: what was read at once is not divided.
const BATCH: usize = 2_000;

/// How often it looks how far the ledger is.
const MEASURE: Duration = Duration::from_secs(1);

/// Records a second from which on the gateway counts as busy: about half of what one core can index.
const BUSY: u64 = 5_000;

/// While the gateway is busy, it rests so many times as long as it worked.
const REST: u32 = 30;

/// Longest wait after something went wrong.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error(transparent)]
    Ledger(#[from] ReadError),
    #[error(transparent)]
    Index(#[from] StoreError),
    #[error("reading was cut short")]
    Cut(#[from] tokio::task::JoinError),
}

/// Where it is in the ledger.
#[derive(Debug)]
struct Place {
    follow: Follow,
    /// Read, and not indexed.
    pending: Vec<Line>,
}

/// What was read at one go.
struct Turn {
    place: Place,
    /// What is new, and the leaf hash of its last line.
    batch: Option<(IndexBatch, [u8; 32])>,
}

/// The feed of one ledger.
pub(crate) struct Feed<'a> {
    control: &'a Control,
    place: Option<Place>,
    measured: Duration,
    records_then: u64,
    /// Whether the last round wrote something.
    worked: bool,
    busy: bool,
}

impl Control {
    /// Feeds the index for ever; dropping the future loses nothing.
    pub(crate) async fn feed_index(&self) {
        let mut feed = Feed {
            control: self,
            place: None,
            measured: Duration::ZERO,
            records_then: u64::MAX,
            worked: true,
            busy: false,
        };
        let mut wait = PACE;
        loop {
            match feed.round().await {
                Ok(Some(worked)) => {
                    wait = PACE;
                    let rest = if feed.busy { worked * REST } else { Duration::ZERO };
                    tokio::time::sleep(rest).await;
                }
                Ok(None) => {
                    wait = PACE;
                    self.indexing().wait(PACE).await;
                }
                Err(error) => {
                    feed.failed(&error).await;
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(PATIENCE);
                }
            }
        }
    }
}

impl Feed<'_> {
    /// One batch, if there is something; says how long it took.
    async fn round(&mut self) -> Result<Option<Duration>, FeedError> {
        let parts = self.control.parts();
        let (clock, ledger) = (Arc::clone(&parts.clock), parts.ledger.verifier().name().to_owned());
        let begun = clock.monotonic();
        if self.control.indexing().take_request() || parts.index.is_lost().await {
            tracing::info!("the ledger's index is made anew");
            self.place = None;
            self.forget(&ledger).await?;
        }
        if self.place.is_none() {
            self.place = self.resume(&ledger).await?;
        }
        let Some(place) = self.place.take() else {
            self.idle(0).await?;
            return Ok(None);
        };
        let Turn { place, batch } = tokio::task::spawn_blocking(move || place.read()).await??;
        let next = place.follow.next_index();
        if let Some((batch, last)) = batch {
            parts.index.write(&ledger, &batch, &IndexPosition { next, last }).await?;
            self.place = Some(place);
            self.worked = true;
            if clock.monotonic().saturating_sub(self.measured) >= MEASURE {
                self.measure(next).await?;
            }
            return Ok(Some(clock.monotonic().saturating_sub(begun)));
        }
        self.place = Some(place);
        self.idle(next).await?;
        Ok(None)
    }

    /// Nothing is new: measured now and then, and once right after there was.
    async fn idle(&mut self, next: u64) -> Result<(), FeedError> {
        let since = self.control.parts().clock.monotonic().saturating_sub(self.measured);
        if std::mem::take(&mut self.worked) || since >= MEASURE {
            self.measure(next).await?;
        }
        Ok(())
    }

    /// Where the index ends, if the ledger is still the one that it was made from; else the ledger's beginning.
    async fn resume(&self, ledger: &str) -> Result<Option<Place>, FeedError> {
        let index = &self.control.parts().index;
        let position = match index.position(ledger).await {
            Err(error) if index.is_to_be_made_anew(&error) => {
                tracing::warn!(%error, "the ledger's index cannot be read; it is made anew");
                None
            }
            position => position?.filter(|position| position.next > 0),
        };
        let dir = self.control.parts().settings.ledger_dir.clone();
        let found = tokio::task::spawn_blocking(move || -> Result<_, ReadError> {
            let Some(extent) = extent(&dir)? else { return Ok((None, position.is_some())) };
            if let Some(position) = position
                && let Some(place) = continued(&dir, &position, &extent)?
            {
                return Ok((Some(place), false));
            }
            let follow = Follow::from(&dir, extent.first);
            Ok((Some(Place { follow, pending: Vec::new() }), true))
        })
        .await??;
        let (place, anew) = found;
        if anew {
            self.forget(ledger).await?;
        }
        Ok(place)
    }

    async fn forget(&self, ledger: &str) -> Result<(), FeedError> {
        self.control.indexing().begins_anew();
        Ok(self.control.parts().index.forget(ledger).await?)
    }

    /// Notes how far behind the index is.
    async fn measure(&mut self, next: u64) -> Result<(), FeedError> {
        let parts = self.control.parts();
        let now = parts.clock.monotonic();
        let dir = parts.settings.ledger_dir.clone();
        let extent = tokio::task::spawn_blocking(move || extent(&dir)).await??;
        let records = extent.map_or(0, |extent| extent.next);
        let since = now.saturating_sub(self.measured);
        if since >= MEASURE {
            self.busy = records.saturating_sub(self.records_then) / since.as_secs().max(1) > BUSY;
            (self.measured, self.records_then) = (now, records);
        }
        self.control.indexing().reached(next, records, parts.clock.now());
        Ok(())
    }

    async fn failed(&mut self, error: &FeedError) {
        let parts = self.control.parts();
        self.place = None;
        if let FeedError::Index(error) = error
            && parts.index.is_to_be_made_anew(error)
        {
            tracing::warn!(%error, "the ledger's index is damaged; it is made anew");
            if let Err(error) = parts.index.forget(parts.ledger.verifier().name()).await {
                tracing::error!(%error, "the damaged index cannot be removed");
            }
        }
        if self.control.indexing().fails() {
            tracing::warn!(%error, "the ledger's index is not fed; calls are recorded nevertheless");
        }
    }
}

/// The place behind a position, if the record before it is the one that was indexed, or was archived since.
fn continued(
    dir: &std::path::Path,
    position: &IndexPosition,
    extent: &Extent,
) -> Result<Option<Place>, ReadError> {
    let before = position.next - 1;
    if before < extent.first && position.next <= extent.next {
        let follow = Follow::from(dir, position.next.max(extent.first));
        return Ok(Some(Place { follow, pending: Vec::new() }));
    }
    let mut follow = Follow::from(dir, before);
    let mut lines = follow.read()?;
    let same = lines
        .first()
        .is_some_and(|line| line.index == before && leaf_hash(line.json.as_bytes()).0 == position.last);
    if !same {
        return Ok(None);
    }
    lines.remove(0);
    Ok(Some(Place { follow, pending: lines }))
}

impl Place {
    /// The next batch with the leaf hash of its last line, if something is new. Blocks.
    fn read(mut self) -> Result<Turn, ReadError> {
        let mut lines = std::mem::take(&mut self.pending);
        while lines.len() < BATCH {
            let more = self.follow.read()?;
            if more.is_empty() {
                break;
            }
            lines.extend(more);
        }
        let batch = lines.last().map(|line| (batch(&lines), leaf_hash(line.json.as_bytes()).0));
        Ok(Turn { place: self, batch })
    }
}

/// What of these lines goes into the index. An outcome goes into the record of its call, if both are here.
fn batch(lines: &[Line]) -> IndexBatch {
    let mut batch = IndexBatch::default();
    let mut calls = HashMap::new();
    for entry in lines.iter().filter_map(|line| read(&line.json)) {
        match entry {
            Entry::Record(new) => {
                // Other kinds may name a call too; an outcome ends its intent.
                if let (Some(call), "intent") = (new.record.call, new.record.kind.as_str()) {
                    calls.insert(call, batch.records.len());
                }
                batch.records.push(*new);
            }
            Entry::Ending(new) => match calls.remove(&new.call).and_then(|at| batch.records.get_mut(at)) {
                Some(begun) => {
                    begun.record.ending = Some(new.ending);
                    begun.ending_words = new.words;
                }
                None => batch.endings.push(new),
            },
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_goes_into_its_intent_and_into_nothing_else_of_the_call() {
        let call = |n: u64| format!("call_{n:032x}");
        let line = |index: u64, members: String| Line {
            index,
            json: format!(r#"{{"v":1,"index":{index},"time":"2026-07-28T00:00:00.000042Z",{members}}}"#),
        };
        let lines = [
            line(0, format!(r#""kind":"outcome","call":"{}","status":"ok""#, call(9))),
            line(1, format!(r#""kind":"intent","call":"{}""#, call(1))),
            line(2, format!(r#""kind":"credential","call":"{}""#, call(1))),
            line(3, format!(r#""kind":"outcome","call":"{}","status":"tool_error""#, call(1))),
            line(4, r#""kind":"lifecycle","event":"stopped""#.to_owned()),
        ];
        let batch = batch(&lines);
        let records: Vec<_> = batch.records.iter().map(|new| &new.record).collect();
        assert_eq!(records.iter().map(|record| record.index).collect::<Vec<_>>(), [1, 2, 4]);
        let statuses: Vec<_> = records
            .iter()
            .map(|record| record.ending.as_ref().map(|ending| ending.status.as_str()))
            .collect();
        assert_eq!(statuses, [Some("tool_error"), None, None]);
        assert_eq!(batch.endings.len(), 1);
        assert_eq!(batch.endings[0].ending.index, Some(0));
    }
}
