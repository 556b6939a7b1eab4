//! What looking into a payload costs: `cargo bench -p bailiwick-inspect`. Prints microseconds for each payload; judges nothing.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement")]

use std::hint::black_box;
use std::time::Instant;

use bailiwick_inspect::{Rules, redact};
use bailiwick_model::capture::CaptureAction;

/// Bytes in one window of time; the fastest of many windows counts, since others use the machine too.
const WINDOW: usize = 500_000;
const WINDOWS: usize = 100;
const CAP: usize = 64 * 1024;

fn main() {
    let none = Rules::default();
    let item = r#"{"id":"7f1c2b9e-8d4a-4b53-9c0e-2f6a1d3b5c7e","title":"Quarterly report, final version","path":"/srv/reports/2026/q3/report-final.md","size":48213,"created_at":"2026-07-28T09:30:00.000Z","tags":["finance","q3"],"score":0.8731,"owner":"platform engineering","state":"open"}"#;
    let prose = "The server answered within the time that was agreed, and everything that the report names was found in its place. Nothing is missing; the next look is due in three weeks. ";
    let listed =
        format!(r#"{{"content":[],"structuredContent":{{"items":[{item},{item},{item}],"total":3}}}}"#);
    let quoted =
        serde_json::json!({"content": [{"type": "text", "text": format!("[{item},{item},{item}]")}]})
            .to_string();
    let told = serde_json::json!({"content": [{"type": "text", "text": prose.repeat(6)}]}).to_string();
    let found = r#"{"content":[{"type":"text","text":"Ask anna@example.com or +49 30 901820, pay with 4111 1111 1111 1111, password=hunter2"}]}"#;
    let image = format!(
        r#"{{"content":[{{"type":"image","data":"{}"}}]}}"#,
        "iVBORw0KGgoAAAANSUhEUgAB".repeat(2_000)
    );
    measure("arguments", item, &none);
    measure("result, structured", &listed, &none);
    measure("result, JSON in a text", &quoted, &none);
    measure("result, prose", &told, &none);
    measure("result, four findings", found, &none);
    measure("result, image", &image, &none);
    let rules =
        Rules::compile([("$..title", CaptureAction::Keep), ("$.content[*].text", CaptureAction::Keep)]);
    measure("structured, two rules", &listed, &rules.unwrap_or_default());
}

fn measure(what: &str, payload: &str, rules: &Rules) {
    let rounds = WINDOW.div_ceil(payload.len());
    let mut best = f64::MAX;
    for _ in 0..WINDOWS {
        let begin = Instant::now();
        for _ in 0..rounds {
            black_box(redact(black_box(payload.as_bytes()), rules, CAP));
        }
        best = best.min(begin.elapsed().as_secs_f64() * 1e6 / rounds as f64);
    }
    println!(
        "{what:<24} {:>6} bytes {best:>8.2} µs, {:>5.2} ns a byte",
        payload.len(),
        best * 1e3 / payload.len() as f64
    );
}
