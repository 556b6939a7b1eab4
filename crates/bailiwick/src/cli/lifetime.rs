//! How long a key or grant shall live: `90d`, `12h`, `30m`.

use std::time::Duration;

/// Reads a lifetime.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and a unit, such as 90d, 12h or 30m".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    let number: u64 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    number.checked_mul(seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_a_unit() {
        for (text, seconds) in [
            ("90d", Some(7_776_000)),
            ("12h", Some(43_200)),
            ("30m", Some(1_800)),
            ("5", None),
            ("0d", None),
            ("", None),
            ("-1d", None),
            ("1dd", None),
        ] {
            assert_eq!(parse(text).ok().map(|d| d.as_secs()), seconds, "{text}");
        }
    }
}
