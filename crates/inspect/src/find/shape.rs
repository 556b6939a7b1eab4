//! One cheap pass over a text: which detectors could find anything in it.

/// Part of a run: what tokens and words are made of.
const RUN: u16 = 1;
const DIGIT: u16 = 2;
const AT: u16 = 4;
/// `:` or `=`.
const ASSIGN: u16 = 8;
/// May begin an escape or a character that [`super::view`] takes for another.
const ESCAPE: u16 = 16;
/// Ends the plain part of a JSON string: quote, backslash, control character.
const STOP: u16 = 32;
/// A word that a secret may follow.
const WORD: u16 = 64;
/// Stands between digits of one number.
const SEPARATOR: u16 = 128;
/// In no UUID and no hash as they are usually written.
const NO_HEX: u16 = 256;
/// A run that is long enough for a token, and no UUID or hash.
const TOKEN: u16 = 512;
/// A run as long as a number that has letters everywhere.
const CODE: u16 = 1024;

/// Tokens are not shorter than this, in bytes.
const LONG: usize = 16;
/// Numbers that are looked for have this many digits with nothing but separators between, or are a [`CODE`].
const DIGITS: usize = 6;

static CLASS: [u16; 256] = classes();

const fn classes() -> [u16; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let byte = at as u8;
        table[at] = match byte {
            b'0'..=b'9' => RUN | DIGIT | SEPARATOR,
            b'a'..=b'f' => RUN,
            b'-' | b'.' | b'/' => RUN | SEPARATOR,
            b'A'..=b'Z' | b'g'..=b'z' | b'~' => RUN | NO_HEX,
            b'_' | b'+' => RUN | NO_HEX | SEPARATOR,
            b' ' | b'(' | b')' => SEPARATOR,
            b'@' => AT,
            b':' | b'=' => ASSIGN,
            b'%' | 0xC2 | 0xE2 | 0xEF => ESCAPE,
            b'\\' => ESCAPE | STOP,
            b'"' | 0..=0x1F => STOP,
            _ => 0,
        };
        at += 1;
    }
    table
}

/// What a run begins with that [`word`] has to look at.
static BEGINS: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 9 {
        table[b"BbPpSsTt-"[at] as usize] = true;
        at += 1;
    }
    table
};

/// What the pass saw.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shape {
    seen: u16,
    /// Digits with nothing but separators between: the most.
    digits: usize,
    longest: usize,
}

/// What ended the plain part of a JSON string.
pub(crate) enum Stop {
    /// The closing quote, at this offset.
    Quote(usize),
    /// A backslash.
    Escape,
    /// A control character or the end of the input: no JSON.
    Broken,
}

impl Shape {
    /// The shape of a text.
    pub(crate) fn of(text: &[u8]) -> Self {
        Self::pass::<false>(text).0
    }

    /// The shape of a JSON string whose content begins here, if it has no escapes.
    pub(crate) fn quoted(text: &[u8]) -> (Self, Stop) {
        let (shape, end) = Self::pass::<true>(text);
        let stop = match text.get(end) {
            Some(b'"') => Stop::Quote(end),
            Some(b'\\') => Stop::Escape,
            _ => Stop::Broken,
        };
        (shape, stop)
    }

    fn pass<const QUOTED: bool>(text: &[u8]) -> (Self, usize) {
        let mut shape = Self::default();
        let (mut run, mut start, mut digits) = (0_u16, 0_usize, 0_usize);
        let mut end = text.len();
        for (at, byte) in text.iter().enumerate() {
            let class = CLASS[usize::from(*byte)];
            digits = if class & SEPARATOR == 0 { 0 } else { digits + usize::from(class & DIGIT != 0) };
            shape.digits = shape.digits.max(digits);
            if class & RUN != 0 {
                run |= class;
                continue;
            }
            shape.seen |= class;
            if start < at {
                shape.end_of_run(&text[start..at], run);
                run = 0;
            }
            start = at + 1;
            if QUOTED && class & STOP != 0 {
                end = at;
                break;
            }
        }
        if start < end {
            shape.end_of_run(&text[start..end], run);
        }
        (shape, end)
    }

    /// Notes a run, with the classes of its bytes.
    fn end_of_run(&mut self, run: &[u8], classes: u16) {
        if run.len() >= LONG {
            self.longest = self.longest.max(run.len());
            self.seen |= if classes & NO_HEX != 0 { TOKEN } else { 0 };
            self.seen |= if run.len() < 2 * LONG { CODE } else { 0 };
        } else if BEGINS[usize::from(run[0])] {
            self.seen |= word(run);
        }
    }

    /// Whether there is a run that could be a token.
    pub(crate) const fn long_run(&self) -> bool {
        self.seen & TOKEN != 0
    }

    /// The length of the longest run, in bytes.
    pub(crate) const fn longest(&self) -> usize {
        self.longest
    }

    /// Whether something may be given a value.
    pub(crate) const fn assigns(&self) -> bool {
        self.seen & ASSIGN != 0
    }

    /// Whether there is a word that a secret may follow.
    pub(crate) const fn speaks(&self) -> bool {
        self.seen & WORD != 0
    }

    /// Whether there is an `@`.
    pub(crate) const fn at_sign(&self) -> bool {
        self.seen & AT != 0
    }

    /// Whether there are digits enough for a number that is looked for.
    pub(crate) const fn digits(&self) -> bool {
        self.digits >= DIGITS || self.seen & CODE != 0
    }

    /// Whether the text may mean something else than it says.
    pub(crate) const fn escaped(&self) -> bool {
        self.seen & ESCAPE != 0
    }
}

/// [`WORD`] if [`super::word::spoken`] has to see this run.
fn word(run: &[u8]) -> u16 {
    let Some(first) = run.first() else { return 0 };
    let found = match (run.len(), first | 0x20) {
        (6, b'b') => run.eq_ignore_ascii_case(b"bearer"),
        (5, b'b') => run.eq_ignore_ascii_case(b"basic"),
        (8, b'p') => run.eq_ignore_ascii_case(b"password"),
        (10, b'p') => run.eq_ignore_ascii_case(b"passphrase"),
        (6, b'p') => run.eq_ignore_ascii_case(b"passwd"),
        (3, b'p') => run.eq_ignore_ascii_case(b"pwd"),
        (6, b's') => run.eq_ignore_ascii_case(b"secret"),
        (5, b't') => run.eq_ignore_ascii_case(b"token"),
        (3.., b'-') => run[1] == b'-',
        _ => false,
    };
    if found { WORD } else { 0 }
}
