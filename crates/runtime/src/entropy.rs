//! The system's generator behind `model`'s port.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use bailiwick_model::Entropy;

/// Chance from aws-lc's generator, seeded by the kernel.
#[derive(Debug, Clone, Default)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The system's generator.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        // Ids, keys and nonces cannot be made without chance: going on would be worse than ending.
        self.0.fill(buffer).expect("the system's generator works, else no key can be made at all");
    }
}
