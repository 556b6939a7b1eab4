//! Texts on their way to a terminal.
//!
//! A terminal obeys control characters (move, recolour, set the clipboard), and invisible or bidirectional ones
//! make a text read as another. Tool names and descriptions come from servers that nobody needs to trust.

/// The text with every such character written as `\u{…}`.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmless(c) { out.push(c) } else { out.extend(c.escape_unicode()) }
    }
    out
}

/// JSON text with every such character escaped the way JSON does. They stand inside strings only, since
/// serde_json escapes or never writes the others.
pub(super) fn clean_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || is_harmless(c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn is_harmless(c: char) -> bool {
    let invisible = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    !c.is_control() && !invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        for (text, shown) in [
            ("plain Ümläut 天気", "plain Ümläut 天気"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\r\nb\tc", "a\\u{d}\\u{a}b\\u{9}c"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}abc", "\\u{202e}abc"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(clean(text), shown);
        }
    }

    #[test]
    fn cleaned_json_is_the_same_value() {
        let value = serde_json::json!({ "a": "\u{1b}]52;c;x\u{7}\u{9b}\u{202e}\u{e0041}\u{7f}é" });
        let text = clean_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(text.chars().all(|c| c == '\n' || is_harmless(c)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
