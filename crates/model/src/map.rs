//! The map of the data path.

use std::collections::HashMap;

/// A [`HashMap`] whose hash takes a few nanoseconds for the short keys of the data path: names, ids, prefixes. Each
/// map has a seed of its own, so that keys that collide cannot be made up from outside; it is no cryptographic hash,
/// so what strangers can fill without bound has no place in one.
pub type QuickMap<K, V> = HashMap<K, V, foldhash::quality::RandomState>;
