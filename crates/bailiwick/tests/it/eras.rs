//! Clients and servers of different protocol eras, and what an aggregate does to names.

mod batches;
mod bridges;
mod names;
mod pages;
mod requests;
mod stdio;

use bailiwick_testkit::upstream::{Call, Reply, Step};
use serde_json::{Value, json};

use crate::support::Era;

/// A tool that reports its progress and answers in a stream.
fn reporting(call: &Call) -> Reply {
    Reply::Stream(vec![
        Step::progress(call.progress_token(), 0.5),
        Step::Result(json!({"content": [{"type": "text", "text": call.argument("text")}], "x": 1.50})),
    ])
}

/// Of complete results, modern clients are told what they are; of those that can be kept, for how long and by whom.
fn check_hints(era: Era, method: &str, result: &Value) {
    let modern = era == Era::Modern;
    let kept = modern && (method.ends_with("list") || method == "resources/read");
    assert_eq!(result.get("resultType").is_some(), modern, "{era:?} {method} {result}");
    assert_eq!(result.get("ttlMs").is_some(), kept, "{era:?} {method} {result}");
    assert_eq!(result.get("cacheScope").is_some(), kept, "{era:?} {method} {result}");
    if modern {
        assert_eq!(result["resultType"], "complete");
    }
    if kept {
        assert!(result["ttlMs"].is_u64(), "{result}");
        assert_eq!(result["cacheScope"], "private", "{result}");
    }
}
