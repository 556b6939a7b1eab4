//! Writing JSON strings within bounds.

/// How writing went.
pub(super) struct Encoded {
    /// Whether the end of the text is missing.
    pub(super) cut: bool,
}

/// Writes the text as a JSON string of at most `room` bytes, which are at least two; cut at a character boundary.
pub(super) fn quote(out: &mut String, text: &str, room: usize) -> Encoded {
    let mut left = room.saturating_sub(2);
    let mut cut = false;
    out.push('"');
    for c in text.chars() {
        let mut buffer = [0; 4];
        let written: &str = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\0'..='\u{1F}' => control(c),
            c => c.encode_utf8(&mut buffer),
        };
        if written.len() > left {
            cut = true;
            break;
        }
        left -= written.len();
        out.push_str(written);
    }
    out.push('"');
    Encoded { cut }
}

/// RFC 8259, section 7: other control characters have no short escape worth having.
fn control(c: char) -> &'static str {
    const CONTROLS: [&str; 32] = [
        "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007", "\\u0008",
        "\\u0009", "\\u000a", "\\u000b", "\\u000c", "\\u000d", "\\u000e", "\\u000f", "\\u0010", "\\u0011",
        "\\u0012", "\\u0013", "\\u0014", "\\u0015", "\\u0016", "\\u0017", "\\u0018", "\\u0019", "\\u001a",
        "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
    ];
    CONTROLS.get(c as usize).copied().unwrap_or("")
}
