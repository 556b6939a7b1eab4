//! The plumbing of the process: the system's [`clock`] and [`entropy`], tracked [`tasks`], [`shutdown`],
//! [`telemetry`], [`keys`] on disk, the [`egress`] guard, the one [`outbound`] HTTP client behind it, and
//! the [`serve`] loop in front.
//!
//! Knows nothing of MCP, policy or settings files: everything comes as plain arguments from the binary.

pub mod client_address;
pub mod clock;
pub mod egress;
pub mod entropy;
pub mod keys;
pub mod lanes;
pub mod outbound;
pub mod serve;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;

pub use client_address::{ClientAddress, Scheme, client_address};
pub use clock::SystemClock;
pub use egress::{EgressRules, Forbidden};
pub use entropy::SystemEntropy;
pub use keys::{
    BodySealer, BodySealers, DigestKey, KeyDir, KeyError, Sealer, SecretKey, SigningKey, Unsealed, base64url,
    from_base64url, verify_signature,
};
pub use lanes::Lanes;
pub use outbound::{Outbound, OutboundError, OutboundSettings};
pub use serve::{Listener, PeerInfo, ServeLimits, Tls};
pub use shutdown::{Shutdown, Signal};
pub use tasks::{StillRunning, Tasks};

#[cfg(test)]
mod fixtures;
