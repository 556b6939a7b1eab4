//! The ledger as a whole: what is appended is there, what was changed is named, what breaks is survived.

mod append;
mod copy;
mod faults;
mod fixture;
mod reading;
mod recovery;
mod tamper;
