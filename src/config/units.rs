//! Durations, shares and sizes as people write them.

use super::diagnose::{Wrong, wrong};
use std::time::Duration;

const DURATIONS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60 * 1_000),
    ("h", 60 * 60 * 1_000),
    ("d", 24 * 60 * 60 * 1_000),
];

const SIZES: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("KB", 1_000),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Ten years: adding a longest duration to any clock's reading can't overflow.
const LONGEST: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// A duration: `250ms`, `30s`, `5m`, `1h`, `1d`, or `0`.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let bad = || {
        wrong(
            format!("`{text}` is not a duration"),
            "a number and `ms`, `s`, `m`, `h` or `d`, such as `30s`",
        )
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let milliseconds = scaled(text, DURATIONS).ok_or_else(bad)?;
    u64::try_from(milliseconds)
        .ok()
        .map(Duration::from_millis)
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| wrong(format!("`{text}` is too long"), "at most `3650d`"))
}

/// A share in hundredths: `5%`, or `0`. More than half would not be meant.
pub(super) fn percent(text: &str) -> Result<u8, Wrong> {
    if text == "0" {
        return Ok(0);
    }
    let digits = text.strip_suffix('%').filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
    let Some(number) = digits.and_then(|digits| digits.parse::<u8>().ok()) else {
        return Err(wrong(
            format!("`{text}` is not a percentage"),
            "a whole number and `%`, such as `5%`",
        ));
    };
    match number {
        0..=50 => Ok(number),
        _ => Err(wrong(format!("`{text}` is too much"), "at most `50%`")),
    }
}

/// A size in bytes: `256MiB`, `64KiB`, `4MB`, or plain bytes, `8190`.
pub(super) fn bytes(text: &str) -> Result<u64, Wrong> {
    let bad = || {
        wrong(
            format!("`{text}` is not a size"),
            "a number of bytes, or with `KiB`, `MiB`, `GiB`, `KB`, `MB` or `GB`, such as `64KiB`",
        )
    };
    let bytes = scaled(text, SIZES).ok_or_else(bad)?;
    u64::try_from(bytes).map_err(|_| wrong(format!("`{text}` is too large"), ""))
}

/// A size in bytes in the largest unit that divides it: `4MiB`.
pub(super) fn show_bytes(bytes: u64) -> String {
    let (unit, size) = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .into_iter()
        .find(|(_, size)| bytes >= *size && bytes.is_multiple_of(*size))
        .unwrap_or(("B", 1));
    format!("{}{unit}", bytes / size)
}

/// The number times what its unit stands for; none if it isn't digits and a known unit.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u128> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    if number.is_empty() {
        return None;
    }
    // Digits that don't parse are too many; whatever they stand for is past any limit.
    let number = number.parse::<u64>().map_or(u128::MAX, u128::from);
    Some(number.saturating_mul(u128::from(*scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            ("3650d", 315_360_000_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "+1s",
            "1.5s",
            "30 s",
            " 30s",
            "30S",
            "30sec",
            "1h30m",
            "3651d",
            "99999999999999999999999s",
            "٣s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn percentages() {
        for (text, expected) in [("0", 0), ("0%", 0), ("5%", 5), ("50%", 50)] {
            assert_eq!(percent(text), Ok(expected), "{text}");
        }
        for text in ["", "%", "5", "5 %", "+5%", "-5%", "0.5%", "0.05", "51%", "300%", "٣%"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("0", 0),
            ("8190", 8190),
            ("8190B", 8190),
            ("4MB", 4_000_000),
            ("1kB", 1_000),
            ("64KiB", 65_536),
            ("256MiB", 268_435_456),
            ("2GiB", 2_147_483_648),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "MiB",
            "-1",
            "1.5MiB",
            "4 MiB",
            "4M",
            "4mib",
            "4TiB",
            "99999999999GiB",
            "99999999999999999999999",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_as_written() {
        for text in ["4MiB", "1GiB", "64KiB"] {
            assert_eq!(bytes(text).map(show_bytes), Ok(text.to_owned()));
        }
        assert_eq!(show_bytes(8190), "8190B");
        assert_eq!(show_bytes(0), "0B");
    }
}
