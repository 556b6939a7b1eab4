//! Records as rows of CSV (RFC 4180), safe to open in a spreadsheet.

use serde_json::Value;

/// Column names, and where their values stand in a record.
const COLUMNS: &[(&str, &str)] = &[
    ("index", "/index"),
    ("time", "/time"),
    ("kind", "/kind"),
    ("call", "/call"),
    ("principal", "/who/principal"),
    ("type", "/who/type"),
    ("issuer", "/who/issuer"),
    ("subject", "/who/subject"),
    ("team", "/who/team"),
    ("key", "/who/key"),
    ("endpoint", "/what/endpoint"),
    ("method", "/what/method"),
    ("session", "/what/session"),
    ("client", "/what/client"),
    ("trace", "/what/trace"),
    ("server", "/subject/name"),
    ("server_id", "/subject/server"),
    ("definition", "/subject/key"),
    ("definition_kind", "/subject/kind"),
    ("definition_hash", "/subject/hash"),
    ("asked", "/asked"),
    ("action", "/why/action"),
    ("generation", "/why/generation"),
    ("rules", "/why/rules"),
    ("status", "/status"),
    ("code", "/code"),
    ("reason", "/reason"),
    ("detail", "/detail"),
    ("arguments_bytes", "/arguments/bytes"),
    ("result_bytes", "/result/bytes"),
    ("total_us", "/timing/total_us"),
    ("operation", "/operation"),
    ("object", "/object"),
    ("path", "/path"),
    ("peer", "/peer"),
    ("count", "/count"),
    ("event", "/event"),
];

/// The line with the columns' names.
pub(super) fn head() -> String {
    line(COLUMNS.iter().map(|(name, _)| (*name).to_owned()))
}

/// A record's line.
pub(super) fn row(record: &Value) -> String {
    line(COLUMNS.iter().map(|(_, pointer)| record.pointer(pointer).map(cell).unwrap_or_default()))
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\r\n"
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(&neutral(text)),
        Value::Array(_) | Value::Object(_) => quoted(&neutral(&value.to_string())),
        // Numbers are the ledger's own, so a minus begins no formula.
        other => other.to_string(),
    }
}

/// Spreadsheets take a text for a formula that begins like one, and a stranger may have chosen the text: an apostrophe
/// in front makes it a text again. Full-width forms count too.
fn neutral(text: &str) -> String {
    let begins = |c: char| "=+-@\t\r\n＝＋－＠".contains(c);
    if text.trim_start_matches(' ').starts_with(begins) { format!("'{text}") } else { text.to_owned() }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n', ';', '\t']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_cell_begins_a_formula_or_leaves_its_place() {
        for (value, expected) in [
            (json!("plain"), "plain"),
            (json!("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0"),
            (json!("+1"), "'+1"),
            (json!("-1"), "'-1"),
            (json!("@SUM(A1)"), "'@SUM(A1)"),
            (json!("  =1"), "'  =1"),
            (json!("\t=1"), "\"'\t=1\""),
            (json!("＝1"), "'＝1"),
            (json!("a,\"b\"\r\nc"), "\"a,\"\"b\"\"\r\nc\""),
            (json!("a;=1"), "\"a;=1\""),
            (json!(-32602), "-32602"),
            (json!(["r1", "r2"]), "\"[\"\"r1\"\",\"\"r2\"\"]\""),
        ] {
            assert_eq!(cell(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_row_has_a_cell_for_every_column() {
        let record = json!({"index": 7, "kind": "denied", "who": {"subject": "ada"}, "asked": "=1"});
        let (head, row) = (head(), row(&record));
        let cells: Vec<_> = head.trim_end().split(',').zip(row.trim_end().split(',')).collect();
        assert_eq!(row.matches(',').count(), head.matches(',').count());
        for expected in
            [("index", "7"), ("kind", "denied"), ("subject", "ada"), ("asked", "'=1"), ("time", "")]
        {
            assert!(cells.contains(&expected), "{expected:?} in {row}");
        }
    }
}
