//! A server's name from its name in a registry: `io.github.acme/weather-mcp` becomes `weather-mcp`.

use bailiwick_model::Name;
use bailiwick_model::name::MAX_NAME;

/// The name that the part after the last `/` suggests: lower case, everything else than `[a-z0-9]` one `-`.
/// `None` if nothing usable is left.
pub(super) fn derive(registry_name: &str) -> Option<Name> {
    let last = registry_name.rsplit('/').next()?;
    let mut text = String::new();
    for c in last.chars() {
        if c.is_ascii_alphanumeric() {
            text.push(c.to_ascii_lowercase());
        } else if !text.is_empty() && !text.ends_with('-') {
            text.push('-');
        }
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert_str(0, "s-");
    }
    text.truncate(MAX_NAME);
    text.trim_end_matches('-').parse().ok()
}

/// The same name with a number, for when it is taken.
pub(super) fn numbered(name: &Name, number: u32) -> Option<Name> {
    let suffix = format!("-{number}");
    let room = MAX_NAME.saturating_sub(suffix.len());
    let stem = name.as_str().get(..room).unwrap_or(name.as_str()).trim_end_matches('-');
    format!("{stem}{suffix}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registry_names_become_names() {
        for (registry, name) in [
            ("io.github.acme/weather-mcp", Some("weather-mcp")),
            ("com.example/Weather_MCP.v2", Some("weather-mcp-v2")),
            ("plain", Some("plain")),
            ("x/3d", Some("s-3d")),
            ("x/--a--", Some("a")),
            ("x/äöü", None),
            ("x/", None),
        ] {
            assert_eq!(derive(registry).as_ref().map(Name::as_str), name, "{registry}");
        }
        assert_eq!(derive(&"a".repeat(99)).unwrap().as_str().len(), MAX_NAME);
    }

    #[test]
    fn a_taken_name_gets_a_number_and_stays_short_enough() {
        assert_eq!(numbered(&"files".parse().unwrap(), 2).unwrap().as_str(), "files-2");
        let long = "a".repeat(MAX_NAME).parse().unwrap();
        assert_eq!(numbered(&long, 10).unwrap().as_str().len(), MAX_NAME);
    }
}
