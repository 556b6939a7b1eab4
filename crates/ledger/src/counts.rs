//! What was appended since the start, counted where it is written: under the writer's lock, so that it costs an addition.

use bailiwick_model::record::Status;
use serde::Serialize;

use crate::line::Mark;

/// What was appended since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Bytes of lines.
    pub bytes: u64,
    /// Calls that went to a server and ended, by the place of their status in [`Status::ALL`].
    ended: [u64; Status::ALL.len()],
    /// Requests that the gateway answered itself.
    pub local: u64,
    /// Requests that were refused by policy, or for something that does not exist.
    pub denied: u64,
}

impl Counts {
    pub(crate) fn note(&mut self, mark: Mark) {
        match mark {
            Mark::Closes(_, Some(status)) => {
                let place = Status::ALL.iter().zip(&mut self.ended).find(|(one, _)| **one == status);
                if let Some((_, count)) = place {
                    *count += 1;
                }
            }
            Mark::Local => self.local += 1,
            Mark::Denied => self.denied += 1,
            Mark::Closes(_, None) | Mark::Opens(_) | Mark::None => {}
        }
    }

    /// Calls that went to a server and ended, by status.
    pub fn ended(&self) -> impl Iterator<Item = (Status, u64)> {
        Status::ALL.into_iter().zip(self.ended)
    }
}
