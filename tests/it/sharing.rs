//! What one visitor got because of who they are is never given to another; what
//! is for everybody is.

use crate::harness::{Larder, Origin, Seen, reply, request};

#[test]
fn variants_are_kept_apart_and_each_is_stored() {
    let origin = Origin::answering(|seen| {
        let language = seen.field("accept-language").unwrap_or("none");
        let fields = ["Cache-Control: max-age=60", "Vary: Accept-Language, X-Theme"];
        reply(200, &fields, &format!("{language} {}", seen.field("x-theme").unwrap_or("none")))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let requests: [&[(&str, &str)]; 5] = [
        &[],
        &[("Accept-Language", "de")],
        &[("Accept-Language", "en")],
        &[("Accept-Language", "en"), ("X-Theme", "dark")],
        &[("X-Theme", "dark")],
    ];
    for (number, fields) in requests.iter().enumerate() {
        let why = if number == 0 { "uri-miss" } else { "vary-miss" };
        let miss = larder.get_with("/", fields);
        assert_eq!(miss.cache_status(), format!("larder; fwd={why}; stored"), "{fields:?}");
    }
    for fields in requests {
        let hit = larder.get_with("/", fields);
        let value = |name| fields.iter().find(|(n, _)| *n == name).map_or("none", |(_, v)| v);
        assert_eq!(hit.text(), format!("{} {}", value("Accept-Language"), value("X-Theme")));
        assert!(hit.is_hit());
    }
    assert!(larder.get_with("/", &[("X-Unnamed", "1")]).is_hit());
    assert_eq!(origin.count(), requests.len());
}

#[test]
fn many_variants_are_all_stored_up_to_the_bound() {
    let origin = Origin::answering(|seen| {
        let fields = ["Cache-Control: max-age=60", "Vary: X-Number"];
        reply(200, &fields, seen.field("x-number").unwrap_or_default())
    });
    let env = [("LARDER_CACHE__MAX_VARIANTS", "20")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let ask = |number: u32| larder.get_with("/", &[("X-Number", &number.to_string())]);
    for _ in 0..2 {
        for number in 0..20 {
            assert_eq!(ask(number).text(), number.to_string());
        }
    }
    assert_eq!(origin.count(), 20);
    assert_eq!(larder.stat("/variants_displaced"), 0);
    for newest in 20..25 {
        assert_eq!(ask(newest).text(), newest.to_string());
        assert!((newest - 19..=newest).all(|number| ask(number).is_hit()), "{newest}");
        assert_eq!(larder.stat("/variants_displaced"), u64::from(newest) - 19);
    }
    assert!(!ask(4).is_hit(), "the oldest went");
}

#[test]
fn a_page_that_is_asked_for_stays_through_a_flood_of_variants() {
    let origin =
        Origin::answering(|_| reply(200, &["Cache-Control: max-age=600", "Vary: Cookie"], "page"));
    let env = [("LARDER_CACHE__MAX_VARIANTS", "4")];
    let larder = Larder::with_env(origin.address, &["--cookies", "sessionid"], &env);
    larder.get("/");
    for number in 0..20 {
        larder.get_with("/", &[("Cookie", &format!("sessionid=junk{number}"))]);
        assert!(larder.get("/").is_hit(), "after {number} of them");
    }
}

#[test]
fn vary_on_everything_is_never_reused() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60", "Vary: *"], "x"));
    let larder = Larder::in_front_of(origin.address, &[]);
    for count in 1..=3 {
        assert_eq!(larder.get("/").cache_status(), "larder; fwd=uri-miss; detail=vary-any");
        assert_eq!(origin.count(), count);
    }
}

#[test]
fn what_may_not_be_shared_is_not_stored() {
    type Fields<'a> = &'a [(&'a str, &'a str)];
    let bearer: Fields<'_> = &[("Authorization", "Basic YTpi")];
    let cases: &[(&str, Fields<'_>, &[&str], &str)] = &[
        ("/no-store", &[], &["Cache-Control: no-store, max-age=60"], "detail=no-store"),
        (
            "/NO-STORE",
            &[],
            &["Cache-Control: NO-STORE", "Cache-Control: max-age=60"],
            "detail=no-store",
        ),
        ("/private", &[], &["Cache-Control: private, max-age=60"], "detail=private"),
        ("/Private", &[], &["Cache-Control: Private=\"Vary\", max-age=60"], "detail=private"),
        ("/cookie", &[], &["Cache-Control: max-age=60", "Set-Cookie: id=1"], "detail=set-cookie"),
        ("/auth", bearer, &["Cache-Control: max-age=60"], "detail=authorization"),
        (
            "/auth-must",
            bearer,
            &["Cache-Control: max-age=60, must-revalidate"],
            "detail=authorization",
        ),
        ("/auth-public", bearer, &["Cache-Control: max-age=60, public"], "stored"),
        ("/auth-shared", bearer, &["Cache-Control: s-maxage=60"], "stored"),
    ];
    let answers: Vec<(String, Vec<String>)> = cases
        .iter()
        .map(|case| (case.0.into(), case.2.iter().map(|line| line.to_string()).collect()))
        .collect();
    let origin = Origin::answering(move |seen| {
        let (_, fields) = answers.iter().find(|(path, _)| *path == seen.target).expect("a case");
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let who = seen.field("authorization").unwrap_or("nobody");
        reply(200, &fields, &format!("for {who}"))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for (path, fields, lines, outcome) in cases {
        let first = larder.get_with(path, fields);
        assert_eq!(first.cache_status(), format!("larder; fwd=uri-miss; {outcome}"), "{path}");
        // A cookie reaches the one that it is for.
        let sets = lines.iter().any(|line| line.starts_with("Set-Cookie"));
        assert_eq!(first.field("set-cookie"), sets.then_some("id=1"));
        let second = larder.get(path);
        assert_eq!(second.is_hit(), *outcome == "stored", "{path}");
        if *outcome != "stored" {
            assert_eq!(second.text(), "for nobody", "{path}");
        }
    }
}

#[test]
fn an_anonymous_page_is_for_the_authorized_if_it_says_so() {
    let origin = Origin::answering(|seen| {
        let cache = if seen.target == "/public" { "public, max-age=60" } else { "max-age=60" };
        let who = seen.field("authorization").unwrap_or("nobody");
        reply(200, &[&format!("Cache-Control: {cache}"), "Vary: Authorization"], who)
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    for path in ["/public", "/plain"] {
        assert_eq!(larder.get(path).text(), "nobody");
        for user in ["Bearer a", "Bearer b"] {
            assert_eq!(larder.get_with(path, &[("Authorization", user)]).text(), user, "{path}");
        }
        assert_eq!(larder.get(path).text(), "nobody");
    }
}

/// A site that greets its members, and does not say how long that is good for.
fn members(seen: &Seen) -> String {
    let cookies = seen.field("cookie").unwrap_or_default();
    let member =
        cookies.split("; ").find_map(|c| c.strip_prefix("sessionid=")).unwrap_or("stranger");
    let fields: &[&str] = match seen.target.as_str() {
        "/vary" => &["Cache-Control: max-age=60", "Vary: Cookie"],
        _ => &[],
    };
    reply(200, fields, &format!("hello {member}"))
}

#[test]
fn only_named_cookies_tell_visitors_apart() {
    let origin = Origin::answering(members);
    let more = ["--cookies", "sessionid", "--default-ttl", "60s"];
    let larder = Larder::in_front_of(origin.address, &more);
    let ask = |path: &str, cookie: &str| larder.get_with(path, &[("Cookie", cookie)]);
    for path in ["/vary", "/plain"] {
        assert_eq!(larder.get(path).text(), "hello stranger");
        for cookie in ["_ga=1", "_ga=2; theme=dark", "sessionid2=x"] {
            let answer = ask(path, cookie);
            assert_eq!((answer.is_hit(), answer.text().as_str()), (true, "hello stranger"));
        }
    }
    for name in ["ada", "bob"] {
        let cookie = format!("_ga=1; sessionid={name}");
        assert_eq!(ask("/vary", &cookie).text(), format!("hello {name}"));
        let again = ask("/vary", &format!("sessionid={name}; _ga=9"));
        assert_eq!((again.is_hit(), again.text()), (true, format!("hello {name}")));
    }
    // Without Vary the default lifetime is not for those who say who they are.
    for _ in 0..2 {
        let personal = ask("/plain", "sessionid=ada");
        assert_eq!(personal.text(), "hello ada");
        assert_eq!(personal.cache_status(), "larder; fwd=request; detail=identity-cookie");
    }
    assert_eq!(ask("/other", "sessionid=ada").text(), "hello ada");
    assert_eq!(larder.get("/other").text(), "hello stranger", "nothing of hers was stored");
    assert_eq!(larder.get("/plain").text(), "hello stranger");
}

#[test]
fn every_cookie_tells_visitors_apart_unless_they_are_named() {
    let origin = Origin::answering(members);
    let larder = Larder::in_front_of(origin.address, &["--default-ttl", "60s"]);
    larder.get("/vary");
    assert!(larder.get("/vary").is_hit());
    assert!(!larder.get_with("/vary", &[("Cookie", "_ga=1")]).is_hit());
    assert!(larder.get_with("/vary", &[("Cookie", "_ga=1")]).is_hit());
    larder.get("/plain");
    assert!(!larder.get_with("/plain", &[("Cookie", "_ga=1")]).is_hit());
}

/// A site that says whose key it was shown, and for how long that is good where it is asked
/// to.
fn keyholders(seen: &Seen, name: &str) -> String {
    let fields: &[&str] = match seen.target.as_str() {
        "/stated" => &["Cache-Control: max-age=60"],
        "/tagged" => &["ETag: \"a\""],
        _ => &[],
    };
    reply(200, fields, &format!("hello {}", seen.field(name).unwrap_or("stranger")))
}

#[test]
fn what_a_key_has_opened_is_kept_for_nobody_by_a_guess() {
    for name in ["x-api-key", "X-Auth-Token", "X-Auth-Request-User", "X-SSL-Client-S-DN"] {
        let lower = name.to_ascii_lowercase();
        let origin = Origin::answering(move |seen| keyholders(seen, &lower));
        let larder = Larder::in_front_of(origin.address, &["--default-ttl", "60s"]);
        let ask = |path| larder.get_with(path, &[(name, "alice")]);
        for path in ["/", "/tagged"] {
            for _ in 0..2 {
                let answer = ask(path);
                assert_eq!(answer.text(), "hello alice");
                assert_eq!(answer.cache_status(), "larder; fwd=uri-miss; detail=identity-field");
            }
            assert_eq!(larder.get(path).text(), "hello stranger", "{name}");
            assert!(larder.get(path).is_hit(), "a guess is for strangers");
            let answer = ask(path);
            assert_eq!(answer.text(), "hello alice");
            assert_eq!(answer.cache_status(), "larder; fwd=request; detail=identity-field");
            // Who shows an empty one shows none.
            assert!(larder.get_with(path, &[(name, "")]).is_hit(), "{name}");
        }
        // The app says it itself: it is for all.
        assert_eq!(ask("/stated").cache_status(), "larder; fwd=uri-miss; stored");
        assert!(larder.get("/stated").is_hit());
    }
}

#[test]
fn fields_that_the_operator_names_identify() {
    let origin = Origin::answering(|seen| keyholders(seen, "x-tenant"));
    let env = [("LARDER_CACHE__IDENTITY_FIELDS", "X-Tenant, DNT")];
    let larder = Larder::with_env(origin.address, &["--default-ttl", "60s"], &env);
    // One of them is a field that a plain request may bear.
    for name in ["X-Tenant", "DNT"] {
        let path = format!("/{name}");
        let answer = larder.get_with(&path, &[(name, "1")]);
        assert_eq!(answer.cache_status(), "larder; fwd=uri-miss; detail=identity-field");
        larder.get(&path);
        assert!(larder.get(&path).is_hit());
        let answer = larder.get_with(&path, &[(name, "1")]);
        assert_eq!(answer.cache_status(), "larder; fwd=request; detail=identity-field");
    }
}

#[test]
fn requests_with_a_bypass_cookie_go_to_the_origin() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "page"));
    let env = [("LARDER_CACHE__BYPASS_COOKIES", "staff")];
    let larder = Larder::with_env(origin.address, &[], &env);
    larder.get("/");
    let staff = larder.get_with("/", &[("Cookie", "a=b; staff=1")]);
    assert_eq!(staff.cache_status(), "larder; fwd=bypass; detail=bypass-cookie");
    assert!(larder.get_with("/", &[("Cookie", "staffing=1")]).is_hit());
    assert_eq!(origin.count(), 2);
}

#[test]
fn a_get_with_a_body_is_handed_on_whole_and_its_answer_is_not_stored() {
    let origin = Origin::answering(|seen| {
        let body = String::from_utf8_lossy(&seen.body).into_owned();
        reply(200, &["Cache-Control: max-age=60"], &format!("you said {body}"))
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let fat = request(larder.proxy, "GET", "/", &[], b"poison");
    assert_eq!(fat.text(), "you said poison");
    assert_eq!(fat.cache_status(), "larder; fwd=bypass; detail=request-body");
    assert_eq!(larder.get("/").text(), "you said ");
    assert!(larder.get("/").is_hit());
    assert_eq!(request(larder.proxy, "GET", "/", &[], b"x").text(), "you said x");
}
