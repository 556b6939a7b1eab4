//! The words of the domain: who calls ([`principal`], [`key`]), what is offered ([`server`],
//! [`definition`], [`toolset`]), what is allowed ([`grant`]), what was done ([`call`], [`record`]), and
//! the ports that floors above implement ([`Clock`], [`Entropy`], [`Recorder`], [`BodyKeyMaker`]).
//!
//! Invariant: no I/O, no async runtime, no clock and no chance of its own. Every other crate may import
//! this one; it imports none of them.

pub mod body_key;
pub mod call;
pub mod capture;
pub mod clock;
pub mod definition;
pub mod destination;
pub mod entropy;
pub mod grant;
pub mod id;
pub mod key;
pub mod map;
pub mod name;
pub mod principal;
pub mod record;
pub mod recorder;
pub mod server;
pub mod time;
pub mod toolset;

pub use body_key::{BodyKey, BodyKeyMaker, BodyKeyUnavailable};
pub use capture::{Capture, RetentionClass};
pub use clock::{Clock, FrozenClock};
pub use destination::{Destination, DestinationHost};
pub use entropy::Entropy;
pub use id::{BodyKeyId, CallId, GrantId, GroupId, KeyId, PrincipalId, ServerId, TeamId, ToolsetId};
pub use map::QuickMap;
pub use name::{InvalidName, Name};
pub use record::{Receipt, Record};
pub use recorder::{RecordFailed, Recorder, Recording};
pub use time::Timestamp;

/// Counts committed changes of state. Every change of anything that a call depends on bumps it; records
/// and decisions name the generation that they were made under.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl std::fmt::Display for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
