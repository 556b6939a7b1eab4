//! The names of all objects that are open during a scan, to find duplicates.
//!
//! One stack serves all nesting levels. A small object compares each new name with the earlier ones; a large one
//! is sorted when it closes, so that an attacker cannot make the check quadratic, and no hash can be attacked.

use std::borrow::Cow;

/// Up to so many names are compared one by one.
const SMALL: usize = 16;

/// A decoded name with its length and first bytes in one word, which tells nearly all names apart.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    print: u64,
    name: Cow<'a, str>,
}

/// Names of the open objects, innermost last.
pub(super) struct Keys<'a> {
    stack: Vec<Key<'a>>,
}

impl<'a> Keys<'a> {
    pub(super) fn new() -> Self {
        Self { stack: Vec::with_capacity(32) }
    }

    /// Where an object that opens now starts.
    pub(super) fn mark(&self) -> usize {
        self.stack.len()
    }

    /// Adds a name of the object that started at `mark`; false if it is known to be a duplicate.
    #[inline]
    pub(super) fn add(&mut self, mark: usize, name: Cow<'a, str>) -> bool {
        let print = print(name.as_bytes());
        let earlier = &self.stack[mark..];
        if earlier.len() < SMALL && earlier.iter().any(|key| key.print == print && key.name == name) {
            return false;
        }
        self.stack.push(Key { print, name });
        true
    }

    /// Forgets the object that started at `mark`; false if it held a duplicate.
    #[inline]
    pub(super) fn close(&mut self, mark: usize) -> bool {
        let unique = self.stack.len() - mark <= SMALL || {
            let names = &mut self.stack[mark..];
            names.sort_unstable();
            names.windows(2).all(|pair| pair[0] != pair[1])
        };
        self.stack.truncate(mark);
        unique
    }
}

/// The first seven bytes and the length (modulo 256).
#[inline]
fn print(name: &[u8]) -> u64 {
    let mut word = [0; 8];
    let head = name.len().min(7);
    word[..head].copy_from_slice(&name[..head]);
    word[7] = name.len().to_le_bytes()[0];
    u64::from_le_bytes(word)
}
