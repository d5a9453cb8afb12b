//! Fields that speak to this cache and to no other (RFC 9213), read before
//! `Cache-Control`: if one of them is there and says something, `Cache-Control`
//! and `Expires` say nothing.
//!
//! They are structured fields, read strictly: one that cannot be parsed counts
//! as absent. Three other fields may be listed beside them, each in its own
//! syntax: `Surrogate-Control` (Edge Architecture Specification 1.0),
//! `X-Accel-Expires` (nginx) and `X-LiteSpeed-Cache-Control` (LiteSpeed).

use super::cache_control::{Argument, members};
use super::directives::{ResponseDirectives, Scope, Value};
use super::fields::is_there;
use super::time::DeltaSeconds;
use http::header::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use std::time::{Duration, SystemTime};

const SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");
const X_ACCEL_EXPIRES: HeaderName = HeaderName::from_static("x-accel-expires");
const X_LITESPEED_CACHE_CONTROL: HeaderName = HeaderName::from_static("x-litespeed-cache-control");

/// Those that are for this cache alone by their own definition.
const OWN: [HeaderName; 3] = [SURROGATE_CONTROL, X_ACCEL_EXPIRES, X_LITESPEED_CACHE_CONTROL];

/// The directives for this cache: those of the first of the `targeted` fields
/// that says something, else those of `Cache-Control`.
///
/// ```
/// use http::{HeaderMap, HeaderName, HeaderValue};
/// use larder::semantics::{directives::Value, targeted, time::DeltaSeconds};
/// use std::time::SystemTime;
///
/// let targets = [HeaderName::from_static("cdn-cache-control")];
/// let mut fields = HeaderMap::new();
/// fields.append("cache-control", HeaderValue::from_static("no-store"));
/// fields.append("cdn-cache-control", HeaderValue::from_static("max-age=60"));
/// let read = targeted::directives(&fields, &targets, SystemTime::UNIX_EPOCH);
/// assert_eq!(read.max_age, Value::Given(DeltaSeconds::new(60)));
/// assert!(!read.no_store);
///
/// fields.insert("cdn-cache-control", HeaderValue::from_static("max-age = 60"));
/// assert!(targeted::directives(&fields, &targets, SystemTime::UNIX_EPOCH).no_store);
/// ```
pub fn directives(
    fields: &HeaderMap,
    targeted: &[HeaderName],
    received_at: SystemTime,
) -> ResponseDirectives {
    targeted
        .iter()
        .filter(|name| is_there(fields, name))
        .find_map(|name| match name {
            name if *name == SURROGATE_CONTROL => surrogate_control(fields),
            name if *name == X_ACCEL_EXPIRES => x_accel_expires(fields, received_at),
            name if *name == X_LITESPEED_CACHE_CONTROL => x_litespeed_cache_control(fields),
            name => structured(fields, name),
        })
        .map(|read| ResponseDirectives { present: true, targeted: true, ..read })
        .unwrap_or_else(|| ResponseDirectives::of(fields))
}

/// Whether a field is for this cache alone by its own definition, so that no client gets it.
pub fn is_own(name: &HeaderName) -> bool {
    OWN.contains(name)
}

/// Removes those of the `targeted` fields that are for this cache alone by
/// their own definition, and gives them back; the others are for every cache on
/// the way (RFC 9213 section 2.2).
pub fn take_own(fields: &mut HeaderMap, targeted: &[HeaderName]) -> HeaderMap {
    let mut own = HeaderMap::new();
    for name in targeted.iter().filter(|name| is_own(name)) {
        super::fields::move_lines(fields, name, &mut own);
    }
    own
}

/// A dictionary of directives (RFC 9213 section 2.1); `None` if it is none, or
/// empty.
fn structured(fields: &HeaderMap, name: &HeaderName) -> Option<ResponseDirectives> {
    let lines: Vec<&[u8]> = fields.get_all(name).iter().map(|line| line.as_bytes()).collect();
    let dictionary = Parser::new(&lines.join(&b", "[..])).parse::<Dictionary>().ok()?;
    if dictionary.is_empty() {
        return None;
    }
    let mut read = ResponseDirectives::default();
    for (key, entry) in &dictionary {
        if let Some(argument) = argument(key.as_str(), entry) {
            read.take(key.as_str().as_bytes(), &argument);
        }
    }
    Some(read)
}

/// The argument that a member stands for; `None` if the member says that its
/// directive is not given. A value of another type than the directive's is
/// malformed: it is not coerced (RFC 9213 section 2.1).
fn argument(key: &str, entry: &ListEntry) -> Option<Argument> {
    let ListEntry::Item(item) = entry else {
        return Some(Argument::Malformed);
    };
    match &item.bare_item {
        BareItem::Boolean(given) => given.then_some(Argument::None),
        BareItem::Integer(number) if !is_qualified(key) => {
            Some(Argument::Text(number.to_string().into_bytes()))
        }
        BareItem::String(names) if is_qualified(key) => {
            Some(Argument::Text(names.as_str().as_bytes().to_vec()))
        }
        _ => Some(Argument::Malformed),
    }
}

/// Whether a directive's value is a list of fields, and no number.
fn is_qualified(key: &str) -> bool {
    matches!(key, "private" | "no-cache")
}

/// `max-age=3600+60, no-store, content="ESI/1.0"`, each perhaps with
/// `;surrogate`: then it is for that surrogate only. The seconds after the plus
/// are those for which a stale response may be used.
fn surrogate_control(fields: &HeaderMap) -> Option<ResponseDirectives> {
    let mut read = ResponseDirectives::default();
    let mut says_something = false;
    for line in fields.get_all(SURROGATE_CONTROL) {
        for member in members(line.as_bytes()) {
            let (name, value) = match &member.argument {
                Argument::None => (for_us(member.name), None),
                Argument::Text(text) => (Some(member.name), for_us(text)),
                Argument::Malformed => (Some(member.name), Some(&b"?"[..])),
            };
            let name = name.unwrap_or_default().to_ascii_lowercase();
            match (name.as_slice(), value) {
                (b"no-store", _) => (read.no_store, says_something) = (true, true),
                (b"max-age", Some(value)) => {
                    says_something = true;
                    take_extended(&mut read, value);
                }
                _ => {}
            }
        }
    }
    says_something.then_some(read)
}

/// What stands before `;surrogate`; `None` if that is another one.
fn for_us(text: &[u8]) -> Option<&[u8]> {
    let mut parts = text.splitn(2, |b| *b == b';');
    let before = parts.next()?;
    let own = |name: &[u8]| name == super::cache_status::NAME.as_bytes();
    parts.next().is_none_or(own).then_some(before)
}

fn take_extended(read: &mut ResponseDirectives, value: &[u8]) {
    let mut spans = value.splitn(2, |b| *b == b'+');
    let span = |text: &[u8]| DeltaSeconds::parse(text).map_or(Value::Unusable, Value::Given);
    read.max_age = spans.next().map_or(Value::Unusable, span);
    if let Some(extension) = spans.next().map(span) {
        (read.stale_while_revalidate, read.stale_if_error) = (extension, extension);
    }
}

/// Seconds, or `@` and a time in seconds since 1970; 0 is not to be stored;
/// `off`, as if it were not there.
fn x_accel_expires(fields: &HeaderMap, received_at: SystemTime) -> Option<ResponseDirectives> {
    let value = fields.get(X_ACCEL_EXPIRES)?.as_bytes().trim_ascii();
    let mut read = ResponseDirectives::default();
    if value.eq_ignore_ascii_case(b"off") {
        return None;
    }
    read.max_age = match value.strip_prefix(b"@") {
        None => DeltaSeconds::parse(value).map_or(Value::Unusable, Value::Given),
        Some(at) => seconds_until(at, received_at).map_or(Value::Unusable, Value::Given),
    };
    read.no_store = value == b"0";
    Some(read)
}

/// `max-age=300,public,esi=on`, as `Cache-Control` is written. `no-cache` means what
/// `no-store` does; `shared` is a visitor's own cache, on whichever of their
/// devices.
fn x_litespeed_cache_control(fields: &HeaderMap) -> Option<ResponseDirectives> {
    let mut read = ResponseDirectives::default();
    let mut says_something = false;
    for line in fields.get_all(X_LITESPEED_CACHE_CONTROL) {
        for member in members(line.as_bytes()) {
            says_something = true;
            match member.name.to_ascii_lowercase().as_slice() {
                b"no-cache" => read.no_store = true,
                b"shared" => read.private = Scope::Whole,
                name => read.take(name, &member.argument),
            }
        }
    }
    says_something.then_some(read)
}

/// The time left until this many seconds after 1970.
fn seconds_until(at: &[u8], now: SystemTime) -> Option<DeltaSeconds> {
    let at: u64 = std::str::from_utf8(at).ok()?.parse().ok()?;
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at))?;
    Some(DeltaSeconds::new(at.duration_since(now).unwrap_or_default().as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::{NOON, at, fields};

    fn read(lines: &[(&'static str, &str)]) -> ResponseDirectives {
        let targets = ["larder-cache-control", "cdn-cache-control", "surrogate-control"];
        let mut targets = targets.map(HeaderName::from_static).to_vec();
        targets.extend([X_ACCEL_EXPIRES, X_LITESPEED_CACHE_CONTROL]);
        directives(&fields(lines), &targets, at(NOON))
    }

    fn given(seconds: u64) -> Value<DeltaSeconds> {
        Value::Given(DeltaSeconds::new(seconds))
    }

    #[test]
    fn the_first_that_says_something_counts_alone() {
        let cc = ("cache-control", "max-age=1, private");
        // RFC 9213 section 2.2.
        let both =
            read(&[cc, ("cdn-cache-control", "s-maxage=5"), ("larder-cache-control", "max-age=9")]);
        assert_eq!((both.max_age, both.s_maxage), (given(9), Value::Absent));
        assert_eq!((both.private, both.targeted), (Scope::Absent, true));
        let second = read(&[cc, ("cdn-cache-control", "max-age=5"), ("larder-cache-control", "")]);
        assert_eq!(second.max_age, given(5));
        // Members that mean nothing to this cache are something all the same.
        let unknown = read(&[cc, ("cdn-cache-control", "foo, bar=1")]);
        assert_eq!((unknown.max_age, unknown.private), (Value::Absent, Scope::Absent));
        // Lines are one list (RFC 9651 section 4.2).
        let lines = read(&[("cdn-cache-control", "max-age=5"), ("cdn-cache-control", "no-store")]);
        assert!(lines.no_store && lines.max_age == given(5));
    }

    #[test]
    fn what_cannot_be_parsed_counts_as_absent() {
        for bad in [
            "",
            "max-age=1, &&&",
            "max-age =1",
            "max-age= 1",
            "MAX-AGE=1",
            "max-age=1;",
            "a=\"",
            ",",
        ] {
            let read = read(&[("cache-control", "no-store"), ("cdn-cache-control", bad)]);
            assert!(read.no_store && !read.targeted, "{bad}");
        }
    }

    #[test]
    fn types_are_not_coerced() {
        for (value, expected) in [
            ("max-age=60", given(60)),
            ("max-age=60;a=b", given(60)),
            ("max-age=99999999999", Value::Given(DeltaSeconds::MAX)),
            ("max-age=1, max-age=2", given(2)), // RFC 9651 section 4.2.2: the last
            ("max-age=\"60\"", Value::Unusable),
            ("max-age=60.0", Value::Unusable),
            ("max-age=-1", Value::Unusable),
            ("max-age=a", Value::Unusable),
            ("max-age", Value::Unusable),
            ("max-age=(60)", Value::Unusable),
        ] {
            assert_eq!(read(&[("cdn-cache-control", value)]).max_age, expected, "{value}");
        }
        let flags = read(&[("cdn-cache-control", "no-store=?0, must-revalidate, public=1")]);
        assert!(!flags.no_store && flags.must_revalidate && !flags.public);
        let named = read(&[("cdn-cache-control", "private=\"x-a\", no-cache=x-b")]);
        assert_eq!(named.private, Scope::Fields(vec![HeaderName::from_static("x-a")]));
        assert_eq!(named.no_cache, Scope::Whole);
        for number in ["private=1, no-cache=0", "private=-1, no-cache=12"] {
            let numbered = read(&[("cdn-cache-control", number)]);
            assert_eq!((numbered.private, numbered.no_cache), (Scope::Whole, Scope::Whole));
        }
    }

    #[test]
    fn surrogate_control_in_its_own_syntax() {
        let sc = |value: &'static str| {
            read(&[("cache-control", "private"), ("surrogate-control", value)])
        };
        let extended = sc("max-age=60+30, content=\"ESI/1.0\"");
        assert_eq!((extended.max_age, extended.stale_while_revalidate), (given(60), given(30)));
        assert_eq!(extended.private, Scope::Absent);
        assert!(sc("no-store;larder").no_store);
        assert_eq!(sc("max-age=5, max-age=9;larder").max_age, given(9));
        assert_eq!(sc("max-age=x").max_age, Value::Unusable);
        for nothing in [
            "max-age=5;other",
            "no-store;other",
            "content=\"ESI/1.0\"",
            "content=\"a, max-age=60, b\"",
            "",
        ] {
            assert_eq!(sc(nothing).private, Scope::Whole, "{nothing}");
        }
    }

    #[test]
    fn x_accel_expires_in_its_own_syntax() {
        let absolute = format!("@{}", NOON + 30);
        for (value, expected) in [
            ("60", given(60)),
            (absolute.as_str(), given(30)),
            ("@1", given(0)),
            ("-1", Value::Unusable),
            ("soon", Value::Unusable),
            ("@", Value::Unusable),
        ] {
            assert_eq!(read(&[("x-accel-expires", value)]).max_age, expected, "{value}");
        }
        assert!(read(&[("x-accel-expires", "0")]).no_store);
        assert!(read(&[("x-accel-expires", "off"), ("cache-control", "no-store")]).no_store);
    }

    #[test]
    fn x_litespeed_cache_control_in_its_own_syntax() {
        let lc = |value: &'static str| {
            read(&[("cache-control", "no-store"), ("x-litespeed-cache-control", value)])
        };
        let public = lc("max-age=300,public,esi=on");
        assert_eq!((public.max_age, public.public, public.no_store), (given(300), true, false));
        assert_eq!(lc("private,max-age=300").private, Scope::Whole);
        assert_eq!(lc("shared,max-age=300").private, Scope::Whole);
        assert!(lc("no-cache").no_store && lc("no-store").no_store);
        assert_eq!(lc("public,max-age=soon").max_age, Value::Unusable);
        assert!(!lc("").targeted);
    }

    #[test]
    fn only_what_is_for_this_cache_alone_is_taken_off() {
        let mut map = fields(&[("cdn-cache-control", "a"), ("surrogate-control", "b")]);
        let targets = [HeaderName::from_static("cdn-cache-control"), SURROGATE_CONTROL];
        assert_eq!(take_own(&mut map, &targets), fields(&[("surrogate-control", "b")]));
        assert_eq!(map, fields(&[("cdn-cache-control", "a")]));
        let mut map = fields(&[("surrogate-control", "b")]);
        assert!(take_own(&mut map, &[]).is_empty());
        assert!(!map.is_empty());
    }
}
