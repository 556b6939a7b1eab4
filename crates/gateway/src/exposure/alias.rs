//! Names of tools and prompts in aggregates.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

/// The longest name that LLM APIs take.
const MAX: usize = 64;
/// Hexadecimal digits of the hash in an alias.
const DIGITS: usize = 8;

/// `{server}__{name}` where that fits `^[A-Za-z0-9_-]{1,64}$` and is free; else a cleaned, shortened form with
/// a hash of server and name, the same at every start.
pub(super) fn alias(server: &str, name: &str, taken: impl Fn(&str) -> bool) -> Box<str> {
    let plain = format!("{server}__{name}");
    if plain.len() <= MAX && name.bytes().all(allowed) && !taken(&plain) {
        return plain.into();
    }
    let hash = hash(server, name);
    (DIGITS..=hash.len())
        .map(|digits| shortened(&plain, &hash[..digits]))
        .find(|candidate| !taken(candidate))
        .unwrap_or(hash)
        .into()
}

const fn allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn shortened(plain: &str, hash: &str) -> String {
    let room = MAX.saturating_sub(hash.len() + 1);
    let clean = plain.chars().map(|c| if c.is_ascii() && allowed(c as u8) { c } else { '_' });
    let mut out: String = clean.take(room).collect();
    out.push('_');
    out.push_str(hash);
    out
}

fn hash(server: &str, name: &str) -> String {
    let digest = digest(&SHA256, format!("{server}\0{name}").as_bytes());
    digest.as_ref().iter().take(31).fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(_: &str) -> bool {
        false
    }

    #[test]
    fn a_good_name_is_only_prefixed() {
        assert_eq!(&*alias("files", "read_file", free), "files__read_file");
    }

    #[test]
    fn long_strange_and_taken_names_get_a_stable_alias_that_fits() {
        let long = "x".repeat(80);
        for name in [long.as_str(), "get.weather", "größe", "a b", "", "日本語"] {
            let made = alias("files", name, |n| n == "files__");
            assert!(made.len() <= MAX && made.bytes().all(allowed), "{made}");
            assert!(made.starts_with("files__"), "{made}");
            assert_eq!(made, alias("files", name, |n| n == "files__"));
        }
        assert_ne!(alias("files", "a.b", free), alias("files", "a b", free));
        let first = alias("files", "a.b", free);
        let second = alias("files", "a.b", |name| *name == *first);
        assert_ne!(first, second);
    }
}
