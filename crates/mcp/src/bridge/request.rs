//! Requests and notifications from one era to the other.

use crate::headers::meta;
use crate::{Era, Patch};

/// What a modern request says about its client; the values are JSON text.
#[derive(Debug, Clone, Copy)]
pub struct ClientMeta<'a> {
    /// The version to speak.
    pub era: Era,
    /// The client's capabilities: an object.
    pub capabilities: &'a str,
    /// The client's name and version: an object.
    pub info: Option<&'a str>,
    /// The level that the session set by `logging/setLevel`: a string with its quotes.
    pub log_level: Option<&'a str>,
}

/// Makes a legacy client's request self-describing.
pub fn request_to_modern<'p>(patch: &mut Patch<'p>, client: &ClientMeta<'p>) {
    patch.meta.set_string(meta::PROTOCOL_VERSION, client.era.as_str());
    patch.meta.set(meta::CLIENT_CAPABILITIES, client.capabilities.as_bytes());
    if let Some(info) = client.info {
        patch.meta.set(meta::CLIENT_INFO, info.as_bytes());
    }
    if let Some(level) = client.log_level {
        patch.meta.set(meta::LOG_LEVEL, level.as_bytes());
    }
}

/// Takes what only modern servers understand out of a request; progress token and trace context stay.
pub fn request_to_legacy(patch: &mut Patch<'_>) {
    for key in [meta::PROTOCOL_VERSION, meta::CLIENT_CAPABILITIES, meta::CLIENT_INFO, meta::LOG_LEVEL] {
        patch.meta.remove(key);
    }
}

/// Takes the listen stream's mark off a notification for a legacy client.
pub fn notification_to_legacy(patch: &mut Patch<'_>) {
    patch.meta.remove(meta::SUBSCRIPTION_ID);
}
