use super::*;
use proptest::prelude::*;

#[test]
fn whatever_may_be_read_as_one_is_one() {
    let paths = Paths::new(["/admin/", "/accounts/login", "/*/draft-*"]);
    for (path, expected) in [
        ("/admin", Some("/admin/")),
        ("/admin/", Some("/admin/")),
        ("/ADMIN/x", Some("/admin/")),
        ("/accounts/login/", Some("/accounts/login")),
        ("/blog/draft-", Some("/*/draft-*")),
        ("/blog/draft-7/edit", Some("/*/draft-*")),
        ("//admin/", Some("/admin/")),
        ("/admin//x", Some("/admin/")),
        ("///admin", Some("/admin/")),
        ("/./admin/", Some("/admin/")),
        ("/x/../admin/", Some("/admin/")),
        ("/x/y/../../admin/", Some("/admin/")),
        ("/../admin", Some("/admin/")),
        ("/admin/../public", Some("/admin/")),
        ("/accounts/x/../login", Some("/accounts/login")),
        ("/%61dmin/", Some("/admin/")),
        ("/%2561dmin/", Some("/admin/")),
        ("/%252561dmin/", Some("/admin/")),
        ("/x%2f..%2fadmin", Some("/admin/")),
        ("/x/%2e%2e/admin", Some("/admin/")),
        ("/x/%2E./admin", Some("/admin/")),
        ("/%2fadmin", Some("/admin/")),
        ("/admin%2fx", Some("/admin/")),
        ("/x/..;/admin/", Some("/admin/")),
        ("/admin;a=b/", Some("/admin/")),
        ("/admin;/../x", Some("/admin/")),
        ("/admin%00x", Some("/admin/")),
        ("/admin%3fx", Some("/admin/")),
        ("/admin%23", Some("/admin/")),
        ("\\admin\\", Some("/admin/")),
        ("/x\\..\\admin", Some("/admin/")),
        ("/x/%5c../..%5cadmin", Some("/admin/")),
        ("/blog//draft-1", Some("/*/draft-*")),
        // Orders that not every server has.
        ("/a/../%61dmin/x/%2e%2e/../y", Some("/admin/")),
        ("/a/../admin/..;/x", Some("/admin/")),
        ("/a/../admin//../x", Some("/admin/")),
        ("/%2525252525252561dmin", Some("/admin/")),
        ("/x/%2e%2e/admin%2f..%2f..%2fy", Some("/admin/")),
        ("/", None),
        ("/administration", None),
        ("/adm", None),
        ("/accounts", None),
        ("/accounts/logins", None),
        ("/x/admin", None),
        ("/draft-1", None),
        ("/a/b/draft-1", None),
        ("/x/../y/admin", None),
        ("/.well-known/x", None),
        ("/caf%C3%A9/", None),
        ("/100%/x", None),
        ("/a;b", None),
        ("/%2525252525x", None),
    ] {
        assert_eq!(paths.any_reading(path), expected, "{path}");
    }
    assert_eq!(Paths::new(["/"]).any_reading("/anything"), Some("/"));
    assert_eq!(Paths::new(["/caf%C3%A9/"]).any_reading("/caf%c3%a9/x"), Some("/caf%C3%A9/"));
    assert_eq!(Paths::new(["/café"]).any_reading("/caf%c3%a9/x"), Some("/café"));
    assert_eq!(Paths::default().any_reading("/%25252525"), None);
    // What is too long to be looked at closely, or can be read in too many ways, is any.
    let long = format!("/{}", "x".repeat(LONGEST));
    assert_eq!(paths.any_reading(&long), None);
    assert_eq!(paths.any_reading(&format!("{long}%41")), Some("/admin/"));
    let many = "/a;b/%252e%252e;c/d\\%255c..//e%253b/%2e/f\\..;g//..%2f%3f/h";
    assert_eq!(paths.any_reading(many), Some("/admin/"));
}

#[test]
fn a_long_path_is_looked_at_as_far_as_it_is_cheap() {
    let paths = Paths::new(["/admin/"]);
    // A title in Chinese has one other reading.
    let title = format!("/wiki/{}", "%E6%96%87".repeat(220));
    assert!(title.len() < LONGEST);
    assert_eq!(paths.any_reading(&title), None);
    // This has dozens, of which each is nearly as long.
    let odd = "/a%25252f%2e%2e;b%5c.%2525;%3b//".repeat(59);
    assert!(odd.len() < LONGEST);
    assert_eq!(paths.any_reading(&odd), Some("/admin/"));
}

#[test]
fn only_what_all_read_alike_is_plainly_one() {
    let paths = Paths::new(["/static/"]);
    for path in ["/static/", "/static/a.css", "/Static/x/y.js", "/static/a%20b.png", "/static/.x"] {
        assert!(paths.plainly(path), "{path}");
    }
    for path in [
        "/",
        "/statics/a",
        "/x/static/a",
        "//static/a",
        "/static//a",
        "/static/../account",
        "/static/%2e%2e/account",
        "/static/..%2faccount",
        "/static;/a",
        "/%73tatic/a",
        "/static\\..\\account",
    ] {
        assert!(!paths.plainly(path), "{path}");
    }
    assert!(!Paths::default().plainly("/static/"));
}

#[test]
fn a_star_is_any_part_of_a_segment() {
    for (wanted, segment, expected) in [
        ("*", "", true),
        ("*", "abc", true),
        ("a*", "A", true),
        ("a*c", "abbc", true),
        ("a*c", "abbcd", false),
        ("*a*b*", "xxaxxbxx", true),
        ("*ab", "aab", true),
        ("*.xml", "feed.xml", true),
        ("a", "ab", false),
        ("ab", "a", false),
        ("", "", true),
    ] {
        assert_eq!(fits(wanted.as_bytes(), segment.as_bytes()), expected, "{wanted} {segment}");
    }
}

/// What servers before an app make of a path.
const SERVERS: [fn(&str) -> String; 5] = [
    // One that hands it on as it is.
    |path| path.to_string(),
    // Envoy, and browsers: dots, encoded or not, are taken out.
    |path| dots_out(&path.replace("%2e", ".").replace("%2E", "."), false),
    // nginx: decoded, slashes merged, dots taken out.
    |path| dots_out(&text(&decoded(path.as_bytes())), true),
    // Tomcat: parameters cut off each segment, then decoded, then dots.
    |path| {
        let cut = path.split('/').map(|piece| piece.split(';').next().unwrap_or_default());
        dots_out(&text(&decoded(cut.collect::<Vec<_>>().join("/").as_bytes())), false)
    },
    // IIS: decoded, and backslashes are slashes.
    |path| dots_out(&text(&decoded(path.as_bytes())).replace('\\', "/"), true),
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// RFC 3986 section 5.2.4, with slashes merged before or not.
fn dots_out(path: &str, merges: bool) -> String {
    let mut out: Vec<&str> = Vec::new();
    for piece in path.strip_prefix('/').unwrap_or(path).split('/') {
        match piece {
            ".." => drop(out.pop()),
            "." => {}
            "" if merges => {}
            piece => out.push(piece),
        }
    }
    format!("/{}", out.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Two servers of any kind before an app that decodes once, as WSGI has it.
    #[test]
    fn no_two_servers_make_a_way_to_what_is_not_seen(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "/", "/", "//", "/admin", "/%61dmin", "/x", "/..", "/.", "/%2e%2e", "%2f", "%2F..",
            ";a", ";", "\\", "%5c..", "%252e%252e", "%25", "/adm%2569n", "%3b", "/y",
        ]), 1..7),
        one in prop::sample::select(&SERVERS[..]),
        other in prop::sample::select(&SERVERS[..]),
    ) {
        let path = format!("/{}", pieces.concat());
        let seen = text(&decoded(other(&one(&path)).as_bytes()));
        let is_admins = seen == "/admin" || seen.starts_with("/admin/");
        let found = Paths::new(["/admin/"]).any_reading(&path).is_some();
        prop_assert!(!is_admins || found, "{} is {}", path, seen);
    }
}

/// A path under `/admin/`, and what an attacker may make of it without changing what it
/// is to a server that decodes once, merges slashes and resolves dots.
fn disguised() -> impl Strategy<Value = String> {
    let letter = |c: char| {
        let encoded = format!("%{:02x}", c as u32);
        let twice = encoded.replace('%', "%25");
        let upper = c.to_ascii_uppercase().to_string();
        prop::sample::select(vec![c.to_string(), encoded, twice, upper])
    };
    let name: Vec<_> = "admin".chars().map(letter).collect();
    let before = prop::sample::select(vec!["/", "//", "/./", "/x/../", "/%2e/", "/x/%2e%2e/"]);
    let after = prop::sample::select(vec!["", "/", "//", ";a", "/x", "/../admin/", "%2f", "%00"]);
    (before, name, after)
        .prop_map(|(before, name, after)| format!("{before}{}{after}", name.concat()))
}

proptest! {
    #[test]
    fn no_disguise_helps(path in disguised()) {
        let paths = Paths::new(["/accounts/", "/admin/"]);
        prop_assert_eq!(paths.any_reading(&path), Some("/admin/"));
    }

    #[test]
    fn a_plain_path_is_what_it_looks_like(path in "(/[a-z]{1,6}){0,4}/?") {
        let paths = Paths::new(["/admin/", "/a*/b"]);
        let below = |entry: &str| path == entry || path.starts_with(&format!("{entry}/"));
        let segments: Vec<&str> = path.split('/').collect();
        let globbed = segments.len() > 2 && segments[1].starts_with('a') && segments[2] == "b";
        let expected = below("/admin") || globbed;
        prop_assert_eq!(paths.any_reading(&path).is_some(), expected);
    }
}
