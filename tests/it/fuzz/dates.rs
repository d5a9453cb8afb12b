//! Dates: what is one is the same one to `httpdate`.

use larder::semantics::date::http_date;
use std::time::{Duration, SystemTime};

pub fn check(data: &[u8]) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let read = http_date(data, now);
    let again = http_date(&data.to_ascii_uppercase(), now);
    assert_eq!(read, again, "case means nothing");
    let Some(date) = read else { return };
    // Years have four digits, and `httpdate` begins with 1970.
    let year_10000 = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    if date < SystemTime::UNIX_EPOCH || date >= year_10000 {
        return;
    }
    let written = httpdate::fmt_http_date(date);
    assert_eq!(http_date(written.as_bytes(), now), Some(date));
    assert_eq!(httpdate::parse_http_date(&written).ok(), Some(date));
    let text = std::str::from_utf8(data).unwrap();
    // Two digits of a year stand for another century to others.
    if let (Ok(theirs), false) = (httpdate::parse_http_date(text), text.contains('-')) {
        assert_eq!(theirs, date);
    }
}
