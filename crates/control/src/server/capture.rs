//! Whether a capture policy can be followed.

use bailiwick_inspect::Rules;
use bailiwick_model::capture::{Capture, CaptureRule};

use crate::ControlError;

/// The least and the most that may be held of one payload, in bytes: a record is one line of the ledger.
const BYTES: std::ops::RangeInclusive<u32> = 64..=1024 * 1024;
/// Rules of a server, or of one tool of it.
const MAX_RULES: usize = 256;
/// Tools for which something else holds.
const MAX_TOOLS: usize = 1_000;

pub(super) fn check(capture: Capture) -> Result<Capture, ControlError> {
    let refuse = |problem: String| Err(ControlError::invalid("capture", problem));
    if !BYTES.contains(&capture.max_bytes) {
        return refuse(format!("max_bytes must be {} to {}", BYTES.start(), BYTES.end()));
    }
    if capture.tools.len() > MAX_TOOLS {
        return refuse(format!("at most {MAX_TOOLS} tools can be told apart"));
    }
    follow(&capture.rules)?;
    capture.tools.values().try_for_each(|tool| follow(&tool.rules))?;
    Ok(capture)
}

fn follow(rules: &[CaptureRule]) -> Result<(), ControlError> {
    if rules.len() > MAX_RULES {
        return Err(ControlError::invalid("capture", format!("at most {MAX_RULES} rules are followed")));
    }
    Rules::of_capture(rules).map_err(|error| ControlError::invalid("capture", error.to_string()))?;
    Ok(())
}
