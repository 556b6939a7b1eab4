//! Moments as lines carry them: RFC 3339, UTC, six decimals, 27 bytes; made cheaply.
//!
//! Two moments of this form compare as their texts do. The part down to the second is kept between lines,
//! since thousands of records share one.

use bailiwick_model::Timestamp;

/// The length of a written moment.
pub(crate) const LENGTH: usize = 27;

/// Writes moments.
#[derive(Debug)]
pub(crate) struct Stamp {
    second: i64,
    text: [u8; LENGTH],
}

impl Stamp {
    pub(crate) fn new() -> Self {
        Self { second: 0, text: *b"1970-01-01T00:00:00.000000Z" }
    }

    /// The written form of a moment between the years 0 and 9999; others stay at the last one written.
    pub(crate) fn write(&mut self, moment: Timestamp) -> &[u8; LENGTH] {
        let second = moment.as_secs();
        if second != self.second {
            let text = moment.to_string();
            let Ok(bytes) = text.as_bytes().try_into() else { return &self.text };
            self.text = bytes;
            self.second = second;
        }
        let mut micros = moment.as_micros().rem_euclid(1_000_000).unsigned_abs();
        for digit in self.text[20..26].iter_mut().rev() {
            *digit = b'0' + u8::try_from(micros % 10).unwrap_or(0);
            micros /= 10;
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stamps_are_what_a_timestamp_writes(
            moments in prop::collection::vec(0i64..4_000_000_000_000_000, 1..5),
            later in 0i64..2_000_000,
        ) {
            let mut stamp = Stamp::new();
            for moment in moments {
                for micros in [moment, moment + later] {
                    let moment = Timestamp::from_micros(micros);
                    let expected = moment.to_string();
                    prop_assert_eq!(stamp.write(moment).as_slice(), expected.as_bytes());
                }
            }
        }
    }
}
