//! Text search: which words a text has, and how either database keeps and finds them.
//!
//! Both databases get words that are separated and folded here, so that they find the same: runs of letters and
//! digits in lower case; where a script has no spaces, each character.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::dialect::Dialect;

/// Longest word, in bytes; a longer one is cut. PostgreSQL's limit is two thousand.
const WORD: usize = 64;

/// Most different words of one text.
const WORDS: usize = 2_000;

/// The words of a text, each once, separated by spaces.
pub fn words_of(text: &str) -> String {
    let mut words = BTreeSet::new();
    for piece in text.split(|c: char| !c.is_alphanumeric()) {
        let mut word = String::new();
        for c in piece.chars() {
            if has_no_spaces(c) {
                words.insert(std::mem::take(&mut word));
                words.insert(c.to_string());
                continue;
            }
            if word.len() + 4 <= WORD {
                word.extend(c.to_lowercase());
            }
        }
        words.insert(word);
        if words.len() > WORDS {
            break;
        }
    }
    words.remove("");
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// Han, Hiragana, Katakana, Thai: written without spaces between words.
fn has_no_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// The search for all words of a text, in the words of either database; `None` if the text has no word.
pub(super) fn search(dialect: Dialect, text: &str) -> Option<String> {
    let mut search = String::new();
    for word in words_of(text).split(' ').filter(|word| !word.is_empty()) {
        // A word is letters and digits, so nothing in it could end a quotation.
        let written = match dialect {
            Dialect::Sqlite if search.is_empty() => write!(search, "\"{word}\""),
            Dialect::Sqlite => write!(search, " \"{word}\""),
            Dialect::Postgres if search.is_empty() => write!(search, "'{word}'"),
            Dialect::Postgres => write!(search, " & '{word}'"),
        };
        if written.is_err() {
            return None;
        }
    }
    (!search.is_empty()).then_some(search)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_separated_and_bounded() {
        for (text, words) in [
            ("Invoice #4711: PAID", "4711 invoice paid"),
            ("/etc/passwd\u{0}\"x'y", "etc passwd x y"),
            ("Ümlaut ümlaut", "ümlaut"),
            ("天気予報 ok", "ok 予 報 天 気"),
            ("", ""),
            ("--- ' \"", ""),
        ] {
            assert_eq!(words_of(text), words);
        }
        assert!(words_of(&"x".repeat(5_000)).len() <= WORD);
        let many: String = (0..10_000).map(|n| format!("w{n} ")).collect();
        assert!(words_of(&many).split(' ').count() <= WORDS + 1);
    }

    #[test]
    fn a_search_has_every_word_and_nothing_else_of_the_text() {
        assert_eq!(search(Dialect::Sqlite, "a\" OR b*"), Some(r#""a" "b" "or""#.into()));
        assert_eq!(search(Dialect::Postgres, "a' | b:*"), Some("'a' & 'b'".into()));
        assert_eq!(search(Dialect::Sqlite, "\"*"), None);
    }
}
