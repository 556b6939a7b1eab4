//! One cheap pass over a text: which detectors could find anything in it.

/// Part of a run: what tokens and words are made of.
const RUN: u8 = 1;
const DIGIT: u8 = 2;
const AT: u8 = 4;
/// `:` or `=`.
const ASSIGN: u8 = 8;
/// May begin an escape or a character that [`super::view`] takes for another.
const ESCAPE: u8 = 16;
/// Ends the plain part of a JSON string: quote, backslash, control character.
const STOP: u8 = 32;
/// A word that a secret may follow.
const WORD: u8 = 64;

/// Tokens are not shorter than this, in bytes.
const LONG: usize = 16;
/// Numbers that are looked for have no fewer digits than this.
const DIGITS: usize = 6;

static CLASS: [u8; 256] = classes();

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

const fn classes() -> [u8; 256] {
    let mut table = [0_u8; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let byte = at as u8;
        table[at] = match byte {
            b'0'..=b'9' => RUN | DIGIT,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' | b'.' | b'/' | b'+' | b'~' => RUN,
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

/// What the pass saw.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shape {
    seen: u8,
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
        let (mut seen, mut digits, mut longest, mut start) = (0_u8, 0_usize, 0_usize, 0_usize);
        let mut end = text.len();
        for (at, byte) in text.iter().enumerate() {
            let class = CLASS[usize::from(*byte)];
            if class & RUN != 0 {
                digits += usize::from(class & DIGIT != 0);
                continue;
            }
            seen |= class;
            longest = longest.max(at - start);
            if BEGINS[usize::from(text[start])] {
                seen |= word(&text[start..at]);
            }
            start = at + 1;
            if QUOTED && class & STOP != 0 {
                end = at;
                break;
            }
        }
        if start < end {
            longest = longest.max(end - start);
        }
        (Self { seen, digits, longest }, end)
    }

    /// Whether there is a run that could be a token.
    pub(crate) const fn long_run(&self) -> bool {
        self.longest >= LONG
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
        self.digits >= DIGITS
    }

    /// Whether the text may mean something else than it says.
    pub(crate) const fn escaped(&self) -> bool {
        self.seen & ESCAPE != 0
    }
}

/// [`WORD`] if [`super::word::spoken`] has to see this run.
fn word(run: &[u8]) -> u8 {
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
