//! Handles that servers hand out (task ids, `requestState`), bound to the principal they were handed to.
//!
//! A server behind a shared credential cannot tell the gateway's callers apart, so a handle that one caller learns
//! must be worth nothing to another. What the client gets is an AEAD box over the handle, bound to the principal
//! and what it was made for; it opens for no one else and for nothing else.

use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::{PrincipalId, ServerId};
use bailiwick_runtime::keys::Sealer;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// What a handle belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handle {
    /// The handle as the server knows it.
    pub(crate) own: String,
    pub(crate) server: ServerId,
    pub(crate) kind: DefinitionKind,
    pub(crate) key: String,
}

/// The purposes, so that a handle of one kind never passes for another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Task,
    RequestState,
    Cursor,
}

impl Purpose {
    fn bind(self, principal: PrincipalId) -> Vec<u8> {
        let purpose: &[u8] = match self {
            Self::Task => b"bailiwick task 1 ",
            Self::RequestState => b"bailiwick request state 1 ",
            Self::Cursor => b"bailiwick cursor 1 ",
        };
        [purpose, &principal.to_bits().to_be_bytes()].concat()
    }
}

/// The text that the principal gets for a handle.
pub(crate) fn seal<T: Serialize>(
    sealer: &Sealer,
    purpose: Purpose,
    principal: PrincipalId,
    handle: &T,
) -> Option<String> {
    let plain = serde_json::to_vec(handle).ok()?;
    Some(URL_SAFE_NO_PAD.encode(sealer.seal(&purpose.bind(principal), &plain)))
}

/// The handle behind a text that this principal showed.
pub(crate) fn open<T: for<'de> Deserialize<'de>>(
    sealer: &Sealer,
    purpose: Purpose,
    principal: PrincipalId,
    text: &str,
) -> Option<T> {
    let boxed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let plain = sealer.open(&purpose.bind(principal), &boxed)?;
    serde_json::from_slice(&plain).ok()
}
