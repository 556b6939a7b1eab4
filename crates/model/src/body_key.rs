//! Keys for bodies of mode `full`: one for each principal and retention class. The ledger has the ciphertext, so its tree does not
//! change when a key is destroyed; what was encrypted with it is gone then.
//!
//! `control` makes and destroys them, the store keeps them wrapped, `runtime` encrypts with them, the data path asks for a
//! new one through [`BodyKeyMaker`].

use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::capture::RetentionClass;
use crate::{BodyKeyId, CallId, PrincipalId, Timestamp};

/// A key as the store knows it, without the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyKey {
    /// Its id.
    pub id: BodyKeyId,
    /// Whose calls' bodies it encrypts.
    pub principal: PrincipalId,
    /// Which of them.
    pub class: RetentionClass,
    /// When it was made.
    pub created_at: Timestamp,
    /// How it came to its end, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroyed: Option<Destroyed>,
}

/// How a key came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destroyed {
    /// When.
    pub at: Timestamp,
    /// By whom; none if the gateway itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PrincipalId>,
    /// Why, in the words of whoever did it.
    pub reason: String,
}

/// Which payload of a call a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyPart {
    /// The request's `params`, in the `intent`.
    Arguments,
    /// The answer's `result` or `error`, in the `outcome`.
    Result,
}

impl BodyPart {
    /// The kind of record that it stands in.
    pub const fn record(self) -> &'static str {
        match self {
            Self::Arguments => "intent",
            Self::Result => "outcome",
        }
    }

    /// The member of that record.
    pub const fn member(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::Result => "result",
        }
    }

    /// What the ciphertext is bound to (associated data): the ledger's name, the kind of record, the call and the member, with
    /// line feeds between. It does not open in any other place.
    pub fn place(self, ledger: &str, call: CallId) -> String {
        format!("{ledger}\n{}\n{call}\n{}", self.record(), self.member())
    }
}

/// Sees to it that a principal has a key for bodies of a class, for the data path, which finds it where it finds the others.
pub trait BodyKeyMaker: Send + Sync + std::fmt::Debug {
    /// Makes the key, unless there is one, and makes it known. The caller does not wait for it without end: what was begun
    /// goes on when the future is dropped.
    fn make(
        &self,
        principal: PrincipalId,
        class: RetentionClass,
    ) -> Pin<Box<dyn Future<Output = Result<(), BodyKeyUnavailable>> + Send>>;
}

/// A key for bodies cannot be had now; why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key for bodies cannot be had now")]
pub struct BodyKeyUnavailable;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_body_differs() {
        let call = CallId::from_bits;
        let place = BodyPart::Arguments.place("bailiwick-ledger/ab", call(1));
        assert_eq!(place, "bailiwick-ledger/ab\nintent\ncall_00000000000000000000000000000001\narguments");
        for other in [
            BodyPart::Result.place("bailiwick-ledger/ab", call(1)),
            BodyPart::Arguments.place("bailiwick-ledger/ab", call(2)),
            BodyPart::Arguments.place("bailiwick-ledger/abc", call(1)),
        ] {
            assert_ne!(other, place);
        }
    }

    #[test]
    fn classes_are_names_and_the_standard_one_is_one() {
        assert_eq!("standard".parse(), Ok(RetentionClass::default()));
        assert!(RetentionClass::default().is_standard());
        for bad in ["", "Long", "a b", "a\nb", "7-years", "x-"] {
            assert!(bad.parse::<RetentionClass>().is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<RetentionClass>("\"a b\"").is_err());
    }
}
