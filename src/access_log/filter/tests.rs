use super::*;
use crate::access_log::format::tests::entry;
use crate::semantics::cache_status::CacheStatus;
use std::time::Duration;

fn is_let_through(filter: &str, entry: &Entry<'_>) -> bool {
    Filter::parse(filter)
        .unwrap_or_else(|mistake| panic!("{filter}: {mistake}"))
        .lets_through(entry)
}

#[test]
fn all_conditions_have_to_hold() {
    let mut status = CacheStatus::forwarded(Forward::UriMiss);
    status.detail = Some(Reason::SetCookie);
    let entry = Entry {
        target: b"/shop/Shoes?size=43",
        status: 502,
        origin: Some(Duration::from_millis(1500)),
        purged: &["home".into(), "shoes".into()],
        agent: Some(b"Mozilla/5.0 (X11)"),
        id: Some(b"abc"),
        ..entry(&status)
    };
    for (filter, expected) in [
        ("", true),
        ("outcome=miss", true),
        ("outcome=uri-miss", true),
        ("outcome=*-miss", true),
        ("outcome=hit", false),
        ("outcome!=hit", true),
        ("outcome=pass", false),
        ("reason=set-cookie status>=500 path=/shop/*", true),
        ("reason=set-cookie status>=500 path=/blog/*", false),
        ("reason=private", false),
        ("path=/shop/shoes", true),
        ("path=/shop/shoes?*", false),
        ("target=/shop/*?size=*", true),
        ("host=a.example client=192.0.2.*", true),
        ("status=502 status!=200 status<503 status<=502 status>501", true),
        ("origin_seconds>1.4 seconds<1", true),
        ("age>0", false),
        ("ttl<0", false),
        ("stored=false collapsed=false broken!=true", true),
        ("stored=true", false),
        ("tag=shoes", true),
        ("tag=hats", false),
        ("agent=\"mozilla/5.0 (*\"  id=abc", true),
        ("referer=*", false),
        ("trace=*", false),
        ("method=get", true),
    ] {
        assert_eq!(is_let_through(filter, &entry), expected, "{filter}");
    }
}

#[test]
fn what_the_cache_has_no_part_in_is_a_pass_and_no_miss() {
    for (forward, miss) in [
        (Forward::Bypass, false),
        (Forward::Method, false),
        (Forward::Miss, true),
        (Forward::Stale, true),
        (Forward::Partial, true),
    ] {
        let status = CacheStatus::forwarded(forward);
        assert_eq!(is_let_through("outcome=miss", &entry(&status)), miss);
        assert_eq!(is_let_through("outcome=pass", &entry(&status)), !miss);
    }
}

#[test]
fn a_mistake_is_told_with_its_place() {
    for (filter, at, what) in [
        ("status>=abc", 9, "`abc` is no number"),
        ("outcome=hit staus=1", 13, "`staus` is not known; there are outcome, reason,"),
        ("ä=1", 1, "`ä` is not known"),
        ("path=ä reason=setcookie", 15, "`setcookie` is no reason"),
        ("outcome=mis", 9, "`mis` is no outcome; there are pass, hit, none, bypass,"),
        ("path>/a", 5, "path is compared by = or !="),
        ("stored=yes", 8, "`yes` is neither true nor false"),
        ("hit", 1, "`hit` is no condition"),
        ("status!500", 1, "`status!500` is no condition"),
        ("agent=\"a b", 7, "a quotation mark has no other"),
        ("seconds>inf", 9, "`inf` is no number"),
    ] {
        let mistake = Filter::parse(filter).expect_err("a mistake");
        assert_eq!(mistake.at, at, "{filter}: {mistake}");
        assert!(mistake.what.starts_with(what), "{mistake}");
    }
    let many = "status=1 ".repeat(17);
    assert_eq!(Filter::parse(&many).expect_err("too many").at, 145);
    assert!(Filter::parse(&format!("path={}", "x".repeat(1020))).is_err());
}

#[test]
fn a_star_stands_for_anything() {
    for (glob, text, expected) in [
        ("", "", true),
        ("*", "", true),
        ("**", "abc", true),
        ("a*", "abc", true),
        ("*c", "abc", true),
        ("*b", "abc", false),
        ("a*c", "ac", true),
        ("a*a", "a", false),
        ("a*b*c", "aXbXbc", true),
        ("a*bb*c", "abc", false),
        ("*b*b*", "ab", false),
        ("A*C", "abc", true),
        ("*.css*", "/main.css?v=1", true),
    ] {
        assert_eq!(Glob(glob.into()).matches(text.as_bytes()), expected, "{glob} {text}");
    }
}
