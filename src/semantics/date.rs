//! HTTP dates (RFC 9110 section 5.6.7): three forms, and no other.
//!
//! Names of days and months and `GMT` are read in any case; everything else is
//! as strict as the grammar. What is no date must not make anything fresh.

use http::header::{HeaderMap, HeaderName};
use std::time::{Duration, SystemTime};

const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

const DAYS: [&[u8]; 7] =
    [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// Reads a date. `now` settles the century of a year of two digits, in the form
/// of RFC 850: one that seems more than 50 years ahead is past.
///
/// ```
/// use larder::semantics::date::http_date;
/// use std::time::SystemTime;
///
/// let now = SystemTime::UNIX_EPOCH;
/// let date = http_date(b"Sun, 06 Nov 1994 08:49:37 GMT", now);
/// assert!(date.is_some());
/// assert_eq!(http_date(b"SUNDAY, 06-nov-94 08:49:37 gmt", now), date);
/// assert_eq!(http_date(b"Sun Nov  6 08:49:37 1994", now), date);
/// assert_eq!(http_date(b"Sun, 6 Nov 1994 08:49:37 GMT", now), None);
/// ```
pub fn http_date(text: &[u8], now: SystemTime) -> Option<SystemTime> {
    let text = text.to_ascii_lowercase();
    let mut rest = Reader(&text);
    let day_name = rest.letters();
    let short = DAYS.iter().any(|day| &day[..3] == day_name);
    if short && rest.literal(b", ").is_some() {
        rest.fixdate()
    } else if short {
        rest.asctime()
    } else if DAYS.contains(&day_name) {
        rest.rfc850(now)
    } else {
        None
    }
}

/// The date in a field, if the field is there and is one.
pub fn date_in(fields: &HeaderMap, name: &HeaderName, now: SystemTime) -> Option<SystemTime> {
    http_date(fields.get(name)?.as_bytes(), now)
}

/// What is left of a date; each step takes what the grammar wants, or fails.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// `06 Nov 1994 08:49:37 GMT`
    fn fixdate(&mut self) -> Option<SystemTime> {
        let day = self.digits(2)?;
        self.literal(b" ")?;
        let month = self.month()?;
        self.literal(b" ")?;
        let year = self.digits(4)?;
        self.literal(b" ")?;
        let time = self.time()?;
        self.literal(b" gmt")?;
        self.end(year, month, day, time)
    }

    /// `, 06-Nov-94 08:49:37 GMT`
    fn rfc850(&mut self, now: SystemTime) -> Option<SystemTime> {
        self.literal(b", ")?;
        let day = self.digits(2)?;
        self.literal(b"-")?;
        let month = self.month()?;
        self.literal(b"-")?;
        let short_year = self.digits(2)?;
        self.literal(b" ")?;
        let time = self.time()?;
        self.literal(b" gmt")?;
        let latest = now + Duration::from_secs(50 * 31_556_952);
        match self.end(2000 + short_year, month, day, time) {
            Some(date) if date <= latest => Some(date),
            _ => self.end(1900 + short_year, month, day, time),
        }
    }

    /// ` Nov  6 08:49:37 1994`
    fn asctime(&mut self) -> Option<SystemTime> {
        self.literal(b" ")?;
        let month = self.month()?;
        self.literal(b" ")?;
        let day = match self.literal(b" ") {
            Some(()) => self.digits(1)?,
            None => self.digits(2)?,
        };
        self.literal(b" ")?;
        let time = self.time()?;
        self.literal(b" ")?;
        let year = self.digits(4)?;
        self.end(year, month, day, time)
    }

    fn letters(&mut self) -> &'a [u8] {
        let length = self.0.iter().take_while(|b| b.is_ascii_lowercase()).count();
        let (letters, rest) = self.0.split_at(length);
        self.0 = rest;
        letters
    }

    fn literal(&mut self, wanted: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    fn digits(&mut self, count: usize) -> Option<u64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0')))
    }

    /// The month, from 1.
    fn month(&mut self) -> Option<u64> {
        let name = self.letters();
        (1..).zip(MONTHS).find(|(_, month)| *month == name).map(|(number, _)| number)
    }

    /// Seconds since midnight; 60 is a leap second.
    fn time(&mut self) -> Option<u64> {
        let hour = self.digits(2)?;
        self.literal(b":")?;
        let minute = self.digits(2)?;
        self.literal(b":")?;
        let second = self.digits(2)?;
        (hour < 24 && minute < 60 && second <= 60).then_some((hour * 60 + minute) * 60 + second)
    }

    /// The date, if nothing is left over and there is such a day. Before 1970
    /// is as long ago as 1970.
    fn end(&self, year: u64, month: u64, day: u64, time: u64) -> Option<SystemTime> {
        let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let days_in_month = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if !self.0.is_empty() || day == 0 || day > days_in_month {
            return None;
        }
        if year < 1970 {
            return Some(SystemTime::UNIX_EPOCH);
        }
        // Years begin in March here, so that the leap day is the last.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = 365 * year + year / 4 - year / 100 + year / 400;
        let days = days + (153 * month + 2) / 5 + day - 1;
        const TO_1970: u64 = 719_468;
        let seconds = (days - TO_1970) * 86_400 + time;
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<u64> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000); // 2027
        let date = http_date(text.as_bytes(), now)?;
        Some(date.duration_since(SystemTime::UNIX_EPOCH).expect("not before").as_secs())
    }

    #[test]
    fn three_forms_in_any_case() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "SUN, 06 NOV 1994 08:49:37 gMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(read(date), Some(784_111_777), "{date}");
        }
        assert_eq!(read("Thu Aug 18 02:01:18 2050"), read("Thu, 18 Aug 2050 02:01:18 GMT"));
        assert_eq!(read("Thu, 29 Feb 2024 23:59:60 GMT"), Some(1_709_251_200));
        assert_eq!(read("Mon, 01 Jan 1900 00:00:00 GMT"), Some(0));
        assert_eq!(read("Fri, 31 Dec 9999 23:59:59 GMT"), Some(253_402_300_799));
    }

    #[test]
    fn two_digits_are_at_most_fifty_years_ahead() {
        assert_eq!(read("Thursday, 18-Aug-50 02:01:18 GMT"), read("Thu, 18 Aug 2050 02:01:18 GMT"));
        assert_eq!(read("Friday, 18-Aug-78 02:01:18 GMT"), read("Fri, 18 Aug 1978 02:01:18 GMT"));
    }

    #[test]
    fn everything_else_is_no_date() {
        for text in [
            "",
            "0",
            "now",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT",
            "Sun, 06  Nov  1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Xxx, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0u64..253_402_300_799) {
            let date = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let text = httpdate::fmt_http_date(date);
            prop_assert_eq!(http_date(text.as_bytes(), SystemTime::UNIX_EPOCH), Some(date));
        }
    }
}
