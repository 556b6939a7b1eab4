//! The ledger as a whole: what is appended is there, what was changed is named, what breaks is survived.

mod append;
mod archive;
mod clock;
mod copy;
mod evidence;
mod faults;
mod fixture;
mod proofs;
mod pruning;
mod reading;
mod recovery;
mod rotation;
mod tamper;
mod tampering;
mod told;
mod witnesses;
