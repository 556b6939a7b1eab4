//! What makes an answer worth a closer look. Most answers have none of it, and large ones are not worth a walk, so
//! that one quick pass tells.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use bailiwick_mcp::Raw;

/// A text that may mean something, wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    RequestState,
    TaskId,
    IsError,
    InputRequired,
}

/// The signs in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signs(u8);

const TEXTS: [&str; 4] = ["requestState", "taskId", "isError", "input_required"];
const ALL: Signs = Signs(0b1111);

/// None if it cannot be made, whereupon everything is looked at.
static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(TEXTS).ok());

impl Signs {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn of(result: Raw<'_>) -> Self {
        let Some(search) = &*SEARCH else { return ALL };
        let mut signs = Self::NONE;
        for found in search.find_iter(result.as_bytes()) {
            signs.0 |= 1 << found.pattern().as_usize();
            if signs == ALL {
                break;
            }
        }
        signs
    }

    pub(crate) const fn has(self, sign: Sign) -> bool {
        self.0 & (1 << sign as u8) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_seen_wherever_it_stands() {
        let signs = [Sign::RequestState, Sign::TaskId, Sign::IsError, Sign::InputRequired];
        for (sign, text) in signs.into_iter().zip(TEXTS) {
            let signs = Signs::of(Raw::new(&format!(r#"{{"a":[{{"{text}":1}}]}}"#)));
            assert!(signs.has(sign) && signs != ALL, "{text}");
        }
        assert_eq!(Signs::of(Raw::new(&format!("{{\"a\":\"{}\"}}", TEXTS.concat()))), ALL);
        assert_eq!(Signs::of(Raw::new("{}")), Signs::NONE);
    }
}
