//! How far a ledger's directory reaches, without reading it: for whoever follows it from outside.

use std::path::Path;

use bailiwick_model::Timestamp;

use crate::line::Head;
use crate::read::ReadError;
use crate::segment::list;
use crate::tail;

/// Which records are in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The index of the first one: not 0 if segments before it were taken away.
    pub first: u64,
    /// The index of the one that comes next.
    pub next: u64,
    /// When the last one was written.
    pub last: Timestamp,
}

/// Which records are in a directory; `None` if there are none. Costs as much as reading the last one.
///
/// # Errors
/// If the directory or its last segment cannot be read.
pub fn extent(dir: &Path) -> Result<Option<Extent>, ReadError> {
    let segments = list(dir).map_err(|source| ReadError::new(dir, source))?;
    let lines = tail(dir, 1, None)?;
    let (Some(segment), Some(line)) = (segments.first(), lines.last()) else { return Ok(None) };
    let time = Head::parse(line.json.as_bytes()).and_then(|head| head.time.parse().ok());
    Ok(Some(Extent { first: segment.first, next: line.index + 1, last: time.unwrap_or_default() }))
}
