//! The times of access logs, as seconds since the epoch.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `15/Jan/2027:08:00:00 +0000`
pub(super) fn common(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(':')?;
    let (time, zone) = rest.split_once(' ')?;
    let mut parts = date.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let (sign, zone) = zone.split_at_checked(1)?;
    let (hours, minutes) = zone.split_at_checked(2)?;
    let east = number(hours)? * 3600 + number(minutes)? * 60;
    let local = seconds([number(year)?, month as i64, number(day)?], time)?;
    let seconds = match sign {
        "+" => local - east,
        "-" => local + east,
        _ => return None,
    };
    u64::try_from(seconds).ok()
}

/// `2027-01-15T08:00:00.123Z`
pub(super) fn rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut parts = date.split('-');
    let date = [number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?];
    let time = time.split('.').next()?;
    u64::try_from(seconds(date, time)?).ok()
}

fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Of year, month and day, and `08:00:00`.
fn seconds([year, month, day]: [i64; 3], time: &str) -> Option<i64> {
    let mut parts = time.split(':').map(number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let is_good = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    // Days from the first of March of the year 0 to the epoch.
    let days = days - 719_468;
    is_good.then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_time_are_read() {
        for (common_form, rfc, expected) in [
            ("01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00Z", 0),
            ("15/Jan/2027:08:00:00 +0000", "2027-01-15T08:00:00.123Z", 1_800_000_000),
            ("29/Feb/2000:23:59:59 +0000", "2000-02-29T23:59:59Z", 951_868_799),
            ("01/Mar/2100:00:00:00 +0000", "2100-03-01T00:00:00.000Z", 4_107_542_400),
        ] {
            assert_eq!(common(common_form), Some(expected), "{common_form}");
            assert_eq!(rfc3339(rfc), Some(expected), "{rfc}");
        }
        assert_eq!(common("15/Jan/2027:10:30:00 +0230"), Some(1_800_000_000));
        assert_eq!(common("15/Jan/2027:05:00:00 -0300"), Some(1_800_000_000));
        for text in [
            "",
            "t",
            "15/Foo/2027:08:00:00 +0000",
            "15/Jan/2027:25:00:00 +0000",
            "1:2 3",
            "1/Jan/1:1:1:1 +\u{e4}",
        ] {
            assert_eq!(common(text), None, "{text}");
        }
        for text in
            ["", "2027-01-15", "2027-13-15T08:00:00Z", "2027-01-15T08:00Z", "1969-12-31T23:59:59Z"]
        {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_date_of_larders_log_comes_back(seconds in 0_u64..4_000_000_000) {
            let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            proptest::prop_assert_eq!(rfc3339(&crate::access_log::rfc3339(at)), Some(seconds));
        }
    }
}
