//! Chance as an argument. `runtime` implements [`Entropy`] with the system's generator.

use std::sync::atomic::{AtomicU64, Ordering};

/// A source of bytes that nobody can guess.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Bytes that count up: for tests that want the same ids each time. Guessable, so never for anything else.
#[derive(Debug, Default)]
pub struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        buffer.fill(0);
        for (at, byte) in count.iter().enumerate() {
            if let Some(slot) = buffer.get_mut(at + 2) {
                *slot = *byte;
            }
        }
    }
}
