//! Texts that people write and others read: bounded, and without characters that change how they look.

use crate::ControlError;

/// Longest description, in bytes.
const MAX_DESCRIPTION: usize = 2000;
/// Longest label or display name, in bytes.
const MAX_LABEL: usize = 200;

/// Checks a text of several lines.
pub(crate) fn description(field: &'static str, text: String) -> Result<String, ControlError> {
    check(field, text, MAX_DESCRIPTION, |c| c == '\n' || c == '\t')
}

/// Checks a text of one line.
pub(crate) fn label(field: &'static str, text: String) -> Result<String, ControlError> {
    check(field, text, MAX_LABEL, |_| false)
}

/// Checks the subject of a principal that is made here: it stands in URLs, commands and Cedar policies.
pub(crate) fn subject(field: &'static str, text: String) -> Result<String, ControlError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@' | b'+');
    let good = (1..=100).contains(&text.len())
        && text.bytes().all(allowed)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.starts_with("prn_");
    if good {
        return Ok(text);
    }
    Err(ControlError::invalid(
        field,
        "1 to 100 characters of A-Z, a-z, 0-9 and '-', '_', '.', '@', '+', beginning with a letter or digit",
    ))
}

fn check(
    field: &'static str,
    text: String,
    max: usize,
    also: impl Fn(char) -> bool,
) -> Result<String, ControlError> {
    if text.len() > max {
        return Err(ControlError::invalid(field, format!("longer than {max} bytes")));
    }
    if text.chars().any(|c| !also(c) && (c.is_control() || is_invisible(c))) {
        return Err(ControlError::invalid(field, "it contains control or invisible characters"));
    }
    Ok(text)
}

/// Zero-width, bidirectional and tag characters: they make a text read as another.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_read_as_another_are_refused() {
        for (text, good) in [
            ("Weather for the north", true),
            ("Ümläut 天気", true),
            ("two\nlines", false),
            ("\u{1b}[31mred", false),
            ("abc\u{202e}cba", false),
            ("zero\u{200b}width", false),
            ("tag\u{e0041}", false),
        ] {
            assert_eq!(label("label", text.into()).is_ok(), good, "{text:?}");
        }
        assert!(description("description", "two\nlines".into()).is_ok());
        assert!(label("label", "a".repeat(201)).is_err());
    }

    #[test]
    fn subjects_cannot_be_taken_for_ids_or_paths() {
        for (text, good) in [
            ("bot", true),
            ("ada@corp.example", true),
            ("prn_00000000000000000000000000000001", false),
            ("a/b", false),
            ("a\"b", false),
            ("", false),
            ("-x", false),
        ] {
            assert_eq!(subject("name", text.into()).is_ok(), good, "{text:?}");
        }
    }
}
