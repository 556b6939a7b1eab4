//! The parts of a key's text.

use aws_lc_rs::digest::{SHA256, digest};

/// What every key begins with, so that scanners of repositories and logs can find one.
pub const MARK: &str = "bwk_";
/// Characters of the visible part.
pub(super) const PREFIX: usize = 10;
/// Characters of the secret part: 32 bytes in base64url without padding.
const SECRET: usize = 43;
const LENGTH: usize = MARK.len() + PREFIX + 1 + SECRET;

/// A text that has the shape of a key.
#[derive(Clone, Copy)]
pub struct KeyText<'a>(&'a str);

impl<'a> KeyText<'a> {
    /// The text, if it has the shape.
    pub fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(MARK).filter(|_| text.len() == LENGTH)?;
        let bytes = rest.as_bytes();
        let (prefix, secret) = (bytes.get(..PREFIX)?, bytes.get(PREFIX + 1..)?);
        let good = prefix.iter().all(u8::is_ascii_alphanumeric)
            && bytes.get(PREFIX) == Some(&b'_')
            && secret.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        good.then_some(Self(text))
    }

    /// The visible part.
    pub fn prefix(self) -> &'a str {
        self.0.get(MARK.len()..MARK.len() + PREFIX).unwrap_or_default()
    }

    /// SHA-256 of the whole text.
    pub fn hash(self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

impl std::fmt::Debug for KeyText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{MARK}{}_[secret]", self.prefix())
    }
}

/// SHA-256 of the bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
