//! Making of a payload what may be kept of it.
//!
//! One walk over the bytes, without recursion. What has no findings is copied in stretches, exactly as it was; in the common case that
//! is the whole payload in one piece. What is no JSON is one text.

mod clean;
mod lex;
mod output;
mod walk;

use bailiwick_model::capture::CaptureAction;

use self::clean::Cleaner;
use self::output::{Encoded, quote};
use self::walk::{Ended, Walk};
use crate::find::Scope;
use crate::{Counts, Kind, Rules};

/// Caps below this, in bytes, count as this.
pub const MIN_CAP: usize = 32;

/// How much behind a cut is looked at, in bytes, so that what stands across it is recognised.
const MARGIN: usize = 16 * 1024;

/// What is left of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// One JSON value.
    pub body: String,
    /// What was replaced, by kind; of a payload that was cut, in the part that was looked at.
    pub findings: Counts,
    /// Whether something is missing because of the cap.
    pub cut: bool,
    /// Size of the whole payload.
    pub bytes: usize,
}

/// Replaces what detectors find and rules name, and cuts the rest to `cap` bytes (at least [`MIN_CAP`]), between two values or in
/// a string.
///
/// `raw` is one JSON value. Anything else, also nothing, is taken for text and becomes one JSON string. A payload without findings
/// comes out byte for byte.
pub fn redact(raw: &[u8], rules: &Rules, cap: usize) -> Redacted {
    let scope = if rules.root() == Some(CaptureAction::Keep) { Scope::Secrets } else { Scope::All };
    reduce(raw, rules, cap, scope)
}

/// As [`redact`], but nothing is looked for: only what rules `drop` or `mask` goes, and what is behind the cap.
pub fn follow_rules(raw: &[u8], rules: &Rules, cap: usize) -> Redacted {
    reduce(raw, rules, cap, Scope::Nothing)
}

fn reduce(raw: &[u8], rules: &Rules, cap: usize, scope: Scope) -> Redacted {
    let cap = cap.max(MIN_CAP);
    match rules.root() {
        Some(CaptureAction::Drop) => return whole("null".to_owned(), None, raw),
        Some(CaptureAction::Mask) => {
            return whole(format!("\"{}\"", Kind::Masked.mark()), Some(Kind::Masked), raw);
        }
        Some(CaptureAction::Keep) | None => {}
    }
    let mut cleaner = Cleaner::default();
    if let Ok(text) = simdutf8::basic::from_utf8(raw) {
        let mut walk = Walk::new(text, rules, cap, &mut cleaner).looking_for(scope);
        if let Ok(Ended { body, cut }) = walk.run() {
            let body = body.unwrap_or_else(|| text.to_owned());
            return Redacted { body, findings: cleaner.counts, cut, bytes: raw.len() };
        }
        cleaner.counts = Counts::default();
    }
    plain(raw, cap, scope, cleaner)
}

/// What a rule makes of a whole payload.
fn whole(body: String, found: Option<Kind>, raw: &[u8]) -> Redacted {
    let mut findings = Counts::default();
    if let Some(kind) = found {
        findings.add(kind);
    }
    Redacted { body, findings, cut: false, bytes: raw.len() }
}

/// What is no JSON, as one string.
fn plain(raw: &[u8], cap: usize, scope: Scope, mut cleaner: Cleaner) -> Redacted {
    let seen = &raw[..raw.len().min(cap.saturating_add(MARGIN))];
    let text = String::from_utf8_lossy(seen);
    let kept = text.floor_char_boundary(cap);
    let cleaned = cleaner.shaped(&text, kept, None, scope);
    let mut body = String::new();
    let Encoded { cut } = quote(&mut body, cleaned.as_deref().unwrap_or(&text[..kept]), cap);
    Redacted {
        body,
        findings: cleaner.counts,
        cut: cut || kept < text.len() || seen.len() < raw.len(),
        bytes: raw.len(),
    }
}
