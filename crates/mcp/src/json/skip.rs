//! The fast scanner for what servers answer: it finds where a value ends and nothing more.
//!
//! Strings are crossed with `memchr`, brackets are balanced by kind and bounded in depth; numbers, literals and
//! commas inside are not looked at, since whoever reads the answer parses it itself. No recursion.

/// A text that cannot be read as JSON even coarsely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Brackets or quotes do not match, or a delimiter is missing.
    #[error("malformed JSON near offset {at}")]
    Structure {
        /// Byte offset.
        at: usize,
    },
    /// More nested arrays and objects than allowed.
    #[error("nested too deeply near offset {at}")]
    TooDeep {
        /// Byte offset.
        at: usize,
    },
    /// An object names the same member twice.
    #[error("duplicate member near offset {at}")]
    Duplicate {
        /// Byte offset.
        at: usize,
    },
    /// A value is not of the kind that is needed here.
    #[error("an object was expected near offset {at}")]
    NotAnObject {
        /// Byte offset.
        at: usize,
    },
}

/// The first index at or after `at` that is no white space.
#[inline]
pub(crate) fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The index after the string whose opening quote is at `at`.
#[inline]
pub(crate) fn string(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    let start = at + 1;
    let mut from = start;
    loop {
        let found = bytes.get(from..).and_then(|rest| memchr::memchr(b'"', rest));
        let quote = from + found.ok_or(Malformed::Structure { at })?;
        // A quote is escaped if an odd number of backslashes stands before it. They are counted backwards, since
        // text has more escapes than quotes; each is counted at most once.
        let slashes = bytes[from..quote].iter().rev().take_while(|&&b| b == b'\\').count();
        from = quote + 1;
        if slashes % 2 == 0 {
            return Ok(from);
        }
    }
}

/// The index after the value that starts at `at`, nested at most `max_depth` deep (255 at most).
pub(crate) fn value(bytes: &[u8], at: usize, max_depth: u8) -> Result<usize, Malformed> {
    match bytes.get(at) {
        Some(b'"') => string(bytes, at),
        Some(b'{' | b'[') => container(bytes, at, max_depth),
        Some(b't' | b'f' | b'n' | b'-' | b'0'..=b'9') => Ok(scalar(bytes, at)),
        _ => Err(Malformed::Structure { at }),
    }
}

/// The index after the number or literal at `at`.
fn scalar(bytes: &[u8], at: usize) -> usize {
    let word = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    at + bytes[at..].iter().take_while(word).count()
}

/// Open brackets, one bit each: set for an object.
struct Open {
    kinds: [u64; 4],
    depth: u8,
}

impl Open {
    fn push(&mut self, object: bool) {
        let (word, bit) = (usize::from(self.depth / 64), self.depth % 64);
        self.kinds[word] = self.kinds[word] & !(1 << bit) | u64::from(object) << bit;
        self.depth += 1;
    }

    /// Whether the closing bracket fits the innermost open one.
    fn pop(&mut self, object: bool) -> bool {
        self.depth -= 1;
        let (word, bit) = (usize::from(self.depth / 64), self.depth % 64);
        self.kinds[word] >> bit & 1 == u64::from(object)
    }
}

fn container(bytes: &[u8], start: usize, max_depth: u8) -> Result<usize, Malformed> {
    let mut open = Open { kinds: [0; 4], depth: 0 };
    let mut at = start;
    while let Some(&b) = bytes.get(at) {
        match b {
            b'"' => {
                at = string(bytes, at)?;
                continue;
            }
            b'{' | b'[' => {
                if open.depth >= max_depth {
                    return Err(Malformed::TooDeep { at });
                }
                open.push(b == b'{');
            }
            b'}' | b']' => {
                if !open.pop(b == b'}') {
                    return Err(Malformed::Structure { at });
                }
                if open.depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err(Malformed::Structure { at })
}
