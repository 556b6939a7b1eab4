//! Identifiers: one type per thing, so that a server's id can never stand where a key's is wanted.
//!
//! An id is 128 bits: 48 of milliseconds since 1970, then 80 of chance, written as a prefix that tells
//! its kind, an underscore and 32 hexadecimal digits. Ids sort by the time they were made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Entropy, Timestamp};

/// A text that is no id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_ followed by 32 hexadecimal digits")]
pub struct InvalidId {
    /// The prefix of the wanted kind.
    pub prefix: &'static str,
}

fn bits(now: Timestamp, entropy: &dyn Entropy) -> u128 {
    let mut bytes = [0u8; 16];
    entropy.fill(&mut bytes);
    let millis = u128::from(now.as_micros().unsigned_abs() / 1000) & 0xffff_ffff_ffff;
    (millis << 80) | (u128::from_be_bytes(bytes) >> 48)
}

fn digits(bits: u128, out: &mut [u8]) {
    // 16 bytes fill 32 digits, which is what every id has.
    let written = hex::encode_to_slice(bits.to_be_bytes(), out);
    debug_assert!(written.is_ok(), "an id has 32 digits");
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What the written form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id of this moment.
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(bits(now, entropy))
            }

            /// An id of these bits: for tests and for callers that mix their own (calls per second in the
            /// hundred thousands do not ask the system for chance each time).
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// The bits.
            pub const fn to_bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{:032x}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|digits| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|digits| u128::from_str_radix(digits, 16).ok())
                    .map(Self)
                    .ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // Records hold half a dozen ids, and formatting machinery costs more than all of them.
                let mut text = *concat!($prefix, "_00000000000000000000000000000000").as_bytes().first_chunk::<
                    { $prefix.len() + 33 },
                >().expect("the text has this length");
                digits(self.0, &mut text[$prefix.len() + 1..]);
                serializer.serialize_str(std::str::from_utf8(&text).expect("prefix and digits are ASCII"))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A team: the boundary of ownership and visibility.
    TeamId, "team");
id!(
    /// A user or an agent.
    PrincipalId, "prn");
id!(
    /// A group of principals.
    GroupId, "grp");
id!(
    /// A registered server.
    ServerId, "srv");
id!(
    /// A toolset.
    ToolsetId, "tls");
id!(
    /// A grant.
    GrantId, "grt");
id!(
    /// An API key.
    KeyId, "key");
id!(
    /// A key for bodies in the ledger.
    BodyKeyId, "bky");
id!(
    /// One mediated request.
    CallId, "call");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Counting;

    #[test]
    fn written_form_reads_back() {
        let id = ServerId::new(Timestamp::from_micros(1_700_000_000_000_000), &Counting::default());
        assert_eq!(id.to_string().parse::<ServerId>(), Ok(id));
        assert!(id.to_string().starts_with("srv_018bcfe56800"));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
    }

    #[test]
    fn other_kinds_and_other_spellings_are_refused() {
        for text in
            ["", "srv_", "key_00000000000000000000000000000001", "srv_+0000000000000000000000000000001"]
        {
            assert!(text.parse::<ServerId>().is_err(), "{text}");
        }
    }
}
