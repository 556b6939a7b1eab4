//! Keys and tokens that their issuers made recognisable by how they begin, JSON Web Tokens, and AWS secret keys.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::{Finding, before, byte, end_of};
use crate::Kind;

/// Length of an AWS secret access key.
const SECRET_KEY: usize = 40;

/// How the rest of a token is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Letters and digits.
    Word,
    /// Capitals and digits, exactly this many.
    Capitals,
    /// Those of base64url.
    Url,
    /// Those of base64url and dots.
    Dotted,
    /// Those of a path.
    Path,
    /// Those of base64 in either alphabet.
    Base64,
}

impl Body {
    fn has(self, b: u8) -> bool {
        match self {
            Self::Word => b.is_ascii_alphanumeric(),
            Self::Capitals => b.is_ascii_uppercase() || b.is_ascii_digit(),
            Self::Url => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'),
            Self::Dotted => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'='),
            Self::Path => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/'),
            Self::Base64 => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'=' | b'+' | b'/'),
        }
    }
}

/// How a JSON object begins in base64.
const JWT: &str = "eyJ";

/// How tokens begin, what follows, and at least how many bytes of it.
const TOKENS: &[(&str, Body, usize)] = &[
    // ours
    ("bwk_", Body::Url, 20),
    // AWS access key ids
    ("AKIA", Body::Capitals, 16),
    ("ASIA", Body::Capitals, 16),
    ("ABIA", Body::Capitals, 16),
    ("ACCA", Body::Capitals, 16),
    // GitHub
    ("ghp_", Body::Word, 30),
    ("gho_", Body::Word, 30),
    ("ghu_", Body::Word, 30),
    ("ghs_", Body::Word, 30),
    ("ghr_", Body::Word, 30),
    ("github_pat_", Body::Url, 22),
    // GitLab
    ("glpat-", Body::Dotted, 20),
    ("gldt-", Body::Dotted, 20),
    ("glrt-", Body::Dotted, 20),
    ("glptt-", Body::Dotted, 20),
    ("glcbt-", Body::Dotted, 20),
    ("glsoat-", Body::Dotted, 20),
    ("glagent-", Body::Dotted, 20),
    // Slack
    ("xoxa-", Body::Url, 10),
    ("xoxb-", Body::Url, 10),
    ("xoxc-", Body::Url, 10),
    ("xoxd-", Body::Url, 10),
    ("xoxe-", Body::Url, 10),
    ("xoxe.", Body::Dotted, 10),
    ("xoxo-", Body::Url, 10),
    ("xoxp-", Body::Url, 10),
    ("xoxr-", Body::Url, 10),
    ("xoxs-", Body::Url, 10),
    ("xapp-", Body::Url, 10),
    ("hooks.slack.com/services/", Body::Path, 20),
    ("discord.com/api/webhooks/", Body::Path, 20),
    // Stripe
    ("sk_live_", Body::Word, 16),
    ("sk_test_", Body::Word, 16),
    ("rk_live_", Body::Word, 16),
    ("rk_test_", Body::Word, 16),
    ("whsec_", Body::Base64, 24),
    // Google
    ("AIza", Body::Url, 35),
    ("GOCSPX-", Body::Url, 20),
    ("ya29.", Body::Dotted, 20),
    // package registries
    ("npm_", Body::Word, 30),
    ("pypi-AgE", Body::Url, 40),
    ("rubygems_", Body::Word, 40),
    ("dckr_pat_", Body::Url, 20),
    // models
    ("sk-", Body::Word, 32),
    ("sk-proj-", Body::Url, 20),
    ("sk-svcacct-", Body::Url, 20),
    ("sk-admin-", Body::Url, 20),
    ("sk-ant-", Body::Url, 20),
    ("sk-or-v1-", Body::Word, 32),
    ("hf_", Body::Word, 30),
    ("gsk_", Body::Word, 40),
    ("xai-", Body::Word, 40),
    // others
    ("shpat_", Body::Word, 32),
    ("shpss_", Body::Word, 32),
    ("shpca_", Body::Word, 32),
    ("dop_v1_", Body::Word, 40),
    ("SG.", Body::Dotted, 40),
    ("hvs.", Body::Dotted, 20),
    ("glsa_", Body::Url, 30),
    ("ATATT3", Body::Dotted, 50),
    ("AGE-SECRET-KEY-1", Body::Word, 50),
    ("lin_api_", Body::Word, 30),
    (JWT, Body::Base64, 8),
];

static BEGINNINGS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let beginnings = TOKENS.iter().map(|(begin, ..)| begin);
    // The table is a constant that tests build: it cannot be too large.
    let kind = Some(AhoCorasickKind::DFA);
    AhoCorasick::builder().kind(kind).match_kind(MatchKind::LeftmostLongest).build(beginnings).ok()
});

/// Finds tokens in a text whose longest run has so many bytes.
pub(super) fn find(text: &str, longest: usize, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let Some(beginnings) = &*BEGINNINGS else { return };
    let (mut at, mut no_jwt_before) = (0, 0);
    while let Some(hit) = beginnings.find(Input::new(bytes).range(at..)) {
        let (start, from) = (hit.start(), hit.end());
        let (begin, body, least) = TOKENS[hit.pattern().as_usize()];
        let token = if begin != JWT {
            token_end(bytes, (start, from), body, least).map(|end| (Kind::Token, end))
        } else if start < no_jwt_before {
            None
        } else {
            let header = end_of(bytes, start, |b| body.has(b));
            let end = jwt_end(bytes, start, header);
            // The same run ends the same way for every beginning in it.
            no_jwt_before = header;
            end.map(|end| (Kind::Jwt, end))
        };
        match token {
            Some((kind, end)) => {
                found.push(Finding { kind, range: start..end });
                at = end;
            }
            None => at = start + 1,
        }
    }
    if longest >= SECRET_KEY {
        secret_keys(bytes, found);
    }
}

fn token_end(bytes: &[u8], (start, from): (usize, usize), body: Body, least: usize) -> Option<usize> {
    let ceiling = if body == Body::Capitals { bytes.len().min(from + least + 1) } else { bytes.len() };
    let end = end_of(&bytes[..ceiling], from, |b| body.has(b));
    let previous = before(bytes, start);
    let good = match body {
        Body::Capitals => end - from == least && !body.has(previous),
        // `sk-` and `hf_` also end many words.
        Body::Word if from - start <= 3 => end - from >= least && !previous.is_ascii_alphanumeric(),
        _ => end - from >= least,
    };
    good.then_some(end)
}

/// RFC 7519, section 3: a header that is an object, then one to four parts more. What is cut off behind is one, too.
fn jwt_end(bytes: &[u8], start: usize, header: usize) -> Option<usize> {
    let mut end = header;
    if end - start < 12 {
        return None;
    }
    let mut parts = 0;
    while parts < 4 && byte(bytes, end) == b'.' {
        end = end_of(bytes, end + 1, |b| Body::Base64.has(b));
        parts += 1;
    }
    let payload = memchr::memchr(b'.', &bytes[start..end]).map(|dot| &bytes[start + dot + 1..end]);
    payload.filter(|rest| parts > 1 || rest.starts_with(b"eyJ")).map(|_| end)
}

/// AWS secret access keys: 40 characters of base64 that stand alone. Nothing in them is certain, so they must look random:
/// capitals, small letters and digits, many different ones, not like a path.
fn secret_keys(bytes: &[u8], found: &mut Vec<Finding>) {
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+');
    let mut at = 0;
    while at + SECRET_KEY <= bytes.len() {
        // A run of 40 that begins at or behind `at` has its last byte here or later: most texts are passed in large steps.
        let last = at + SECRET_KEY - 1;
        if !part(bytes[last]) {
            at = last + 1;
            continue;
        }
        let start = at + bytes[at..last].iter().rposition(|b| !part(*b)).map_or(0, |gap| gap + 1);
        let end = end_of(bytes, last, part);
        let joined = matches!(before(bytes, start), b'_' | b'-' | b'.')
            || matches!(byte(bytes, end), b'_' | b'-' | b'=')
            || byte(bytes, end) == b'.' && part(byte(bytes, end + 1));
        if end - start == SECRET_KEY && !joined && is_random(&bytes[start..end]) {
            found.push(Finding { kind: Kind::Token, range: start..end });
        }
        at = end + 1;
    }
}

fn is_random(key: &[u8]) -> bool {
    let count = |class: fn(&u8) -> bool| key.iter().filter(|b| class(b)).count();
    let mut seen = [false; 128];
    for b in key {
        seen[usize::from(b & 127)] = true;
    }
    count(u8::is_ascii_uppercase) >= 5
        && count(u8::is_ascii_lowercase) >= 5
        && count(u8::is_ascii_digit) >= 1
        && count(|b| *b == b'/') <= 4
        && seen.iter().filter(|b| **b).count() >= 20
}
