//! When each key was last used: noted on every request, written to the store once in a while.
//!
//! The data path only sets a value in a map behind one of 16 locks; a background task drains the map and
//! touches the keys. The map holds verified keys only, so strangers cannot grow it.

use bailiwick_model::{KeyId, QuickMap, Timestamp};
use parking_lot::Mutex;

const SHARDS: usize = 16;

/// Uses of keys since the last drain.
#[derive(Debug, Default)]
pub struct LastUse {
    shards: [Mutex<QuickMap<KeyId, Timestamp>>; SHARDS],
}

impl LastUse {
    /// Notes that a key was used. An earlier moment changes nothing, so that what could not be written down may be
    /// noted again.
    pub fn note(&self, key: KeyId, now: Timestamp) {
        // The low bits of an id are chance, so keys spread evenly.
        let shard = usize::try_from(key.to_bits() % SHARDS as u128).unwrap_or_default();
        if let Some(shard) = self.shards.get(shard) {
            let mut shard = shard.lock();
            let last = shard.entry(key).or_insert(now);
            *last = now.max(*last);
        }
    }

    /// Takes all that was noted, each key once with its latest use.
    pub fn drain(&self) -> Vec<(KeyId, Timestamp)> {
        self.shards.iter().flat_map(|shard| std::mem::take(&mut *shard.lock())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_uses_of_a_key_are_one_entry_with_the_latest_moment() {
        let uses = LastUse::default();
        for at in 1..=100 {
            uses.note(KeyId::from_bits(7), Timestamp::from_micros(at));
        }
        uses.note(KeyId::from_bits(8), Timestamp::from_micros(1));
        let mut drained = uses.drain();
        drained.sort();
        assert_eq!(
            drained,
            [
                (KeyId::from_bits(7), Timestamp::from_micros(100)),
                (KeyId::from_bits(8), Timestamp::from_micros(1))
            ]
        );
        assert!(uses.drain().is_empty());
        uses.note(KeyId::from_bits(7), Timestamp::from_micros(101));
        uses.note(KeyId::from_bits(7), Timestamp::from_micros(100));
        assert_eq!(uses.drain(), [(KeyId::from_bits(7), Timestamp::from_micros(101))]);
    }
}
