use super::sender::UNKEYED;
use super::*;
use http::Request;

pub(super) fn options() -> Options {
    Options {
        trusted: vec!["10.0.0.0/8".parse().expect("a network")],
        max_target: 100,
        max_field: 60,
        max_body: 1000,
        default_host: Host::parse("default.example").expect("a host"),
        ignored_parameters: IgnoredParameters::new(["utm_*"]),
        static_paths: Paths::new(["/static/"]),
        hosts: Hosts::default(),
        new_traces: NewTraces::None,
    }
}

fn read(method: &str, uri: &str, lines: &[(&str, &str)]) -> Result<Presented, Refusal> {
    read_from("192.0.2.1:5000", method, uri, lines)
}

fn read_from(
    peer: &str,
    method: &str,
    uri: &str,
    lines: &[(&str, &str)],
) -> Result<Presented, Refusal> {
    let mut builder = Request::builder().method(method).uri(uri);
    for (name, value) in lines {
        builder = builder.header(*name, *value);
    }
    let (parts, ()) = builder.body(()).expect("a request").into_parts();
    let peer = Peer::new(peer.parse().expect("an address"));
    Presented::read(parts, &peer, &options())
}

fn status(method: &str, uri: &str, lines: &[(&str, &str)]) -> u16 {
    read(method, uri, lines).err().map_or(200, |refusal| refusal.status.as_u16())
}

/// Whatever is left out of a request, what is keyed is what the app is asked for.
#[test]
fn what_is_keyed_is_what_the_app_sees() {
    let host = ("host", "a.example");
    let cookie = ("cookie", "a=b");
    for (method, uri, target, parameters, cookies) in [
        ("GET", "/a?utm_a=1&b", "/a?b", &["utm_a"][..], false),
        ("HEAD", "/a?utm_a", "/a", &["utm_a"], false),
        ("QUERY", "/static/a?%75tm_a", "/static/a", &["%75tm_a"], true),
        ("GET", "/static/a?b&utm", "/static/a?b&utm", &[], true),
        ("GET", "/static/../a", "/static/../a", &[], false),
        ("GET", "http://a.example?utm_a=1", "/", &["utm_a"], false),
        ("POST", "/static/a?utm_a=1", "/static/a?utm_a=1", &[], false),
        ("PURGE", "/a?utm_a=1", "/a?utm_a=1", &[], false),
    ] {
        let read = read(method, uri, &[host, cookie]).expect("a good request");
        assert_eq!(read.target.path_and_query(), target, "{method} {uri}");
        assert_eq!(read.uri.to_string(), target, "{method} {uri}");
        assert_eq!(read.left_out.parameters, parameters, "{method} {uri}");
        let left_out = read.left_out.cookies.filter(|value| value == cookie.1);
        assert_eq!(left_out.is_some(), cookies, "{method} {uri}");
        assert_eq!(read.fields.contains_key("cookie"), !cookies, "{method} {uri}");
    }
    let upgrade = [host, cookie, ("connection", "upgrade"), ("upgrade", "websocket")];
    let read = read("GET", "/static/a?utm_a=1", &upgrade).expect("a good request");
    assert_eq!(
        (read.uri.to_string().as_str(), read.left_out),
        ("/static/a?utm_a=1", LeftOut::default())
    );
}

proptest::proptest! {
    #[test]
    fn no_target_is_keyed_as_another_than_it_is_sent(
        target in "/(static/)?[a-z%.;/]{0,6}(\\?([a-c&=;?%+]|utm_a|%75tm_b|utm){0,12})?",
        method in proptest::sample::select(vec!["GET", "HEAD", "QUERY", "POST", "PURGE"]),
    ) {
        if let Ok(read) = read(method, &target, &[("host", "a.example"), ("cookie", "a=b")]) {
            proptest::prop_assert_eq!(read.target.path_and_query(), read.uri.to_string());
            let ignored = options().ignored_parameters;
            let is_read = matches!(method, "GET" | "HEAD" | "QUERY");
            proptest::prop_assert!(!is_read || !ignored.are_in(read.target.path_and_query()));
        }
    }
}

#[test]
fn what_two_parties_could_read_differently_is_refused() {
    let host = ("host", "a.example");
    let long = "x".repeat(70);
    let options = "a,".repeat(20);
    let option = ("connection", options.as_str());
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);
    let cases: &[Case<'_>] = &[
        ("GET", "/", &[host], 200),
        ("GET", "/", &[], 400),
        ("GET", "/", &[host, host], 400),
        ("GET", "/", &[("host", "a b")], 400),
        ("GET", "/", &[("host", "user@a.example")], 400),
        ("GET", "http://b.example/", &[host], 200),
        ("GET", "http://user@b.example/", &[host], 400),
        ("GET", "*", &[host], 400),
        ("OPTIONS", "*", &[host], 200),
        ("TRACE", "/", &[host], 405),
        ("Get", "/", &[host], 501),
        ("OWN", "/", &[host], 200),
        ("GET", "/", &[host, option, option, option, option, option, option], 200),
        ("GET", "/", &[host, option, option, option, option, option, option, option], 400),
        ("GET", "page", &[host], 400),
        ("GET", "ftp://a.example/", &[host], 400),
        ("POST", "/", &[host, ("content-length", "5")], 200),
        ("POST", "/", &[host, ("content-length", "+5")], 400),
        ("POST", "/", &[host, ("content-length", "5, 5")], 400),
        ("POST", "/", &[host, ("content-length", "5"), ("content-length", "5")], 400),
        ("POST", "/", &[host, ("content-length", "9223372036854775808")], 400),
        ("POST", "/", &[host, ("content-length", "1001")], 413),
        ("POST", "/", &[host, ("transfer-encoding", "chunked")], 200),
        ("POST", "/", &[host, ("transfer-encoding", "gzip, chunked")], 501),
        ("POST", "/", &[host, ("expect", "100-continue")], 200),
        ("POST", "/", &[host, ("expect", "tea")], 417),
        ("GET", "/", &[host, ("x", long.as_str())], 431),
        ("GET", "/", &[host, ("via", "1.1 larder, 1.1 larder, 1.1 larder")], 200),
        ("GET", "/", &[host, ("via", "1.1 larder, 1.1 larder, 1.1 larder, 1.0 larder")], 508),
    ];
    for (method, uri, lines, expected) in cases {
        assert_eq!(status(method, uri, lines), *expected, "{method} {uri} {lines:?}");
    }
    assert_eq!(status("GET", &format!("/{}", "x".repeat(100)), &[host]), 414);
}

#[test]
fn an_absolute_target_replaces_the_host() {
    let request = read("GET", "http://B.example:80/x?y", &[("host", "a.example")]).expect("let in");
    assert_eq!(request.target.to_string(), "http://b.example/x?y");
    assert_eq!(request.fields["host"], "b.example");
}

#[test]
fn what_describes_a_content_that_is_not_there_is_left_out() {
    let lines = [
        ("host", "a.example"),
        ("content-type", "text/plain; charset=cp037"),
        ("content-language", "de"),
        ("content-length", "0"),
    ];
    for method in ["GET", "HEAD"] {
        let fields = read(method, "/?a=b", &lines).expect("let in").fields;
        assert_eq!(fields["content-type"], "text/plain", "{method}");
        let others = ["content-language", "content-length"];
        assert!(others.iter().all(|name| !fields.contains_key(*name)), "{method}");
    }
    let fields = read("POST", "/", &lines).expect("let in").fields;
    assert_eq!(fields["content-type"], "text/plain; charset=cp037");
    let lines = [lines[0], lines[1], ("content-length", "1")];
    let fields = read("GET", "/", &lines).expect("let in").fields;
    assert_eq!(fields["content-type"], "text/plain; charset=cp037");
}

#[test]
fn of_several_lines_of_a_proxy_the_last_counts() {
    let lines = [
        ("host", "a.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-host", "b.example:443"),
    ];
    let request = read_from("10.0.0.1:5000", "GET", "/", &lines).expect("let in");
    assert_eq!(request.target.to_string(), "https://b.example/");
    assert_eq!(request.fields["host"], "b.example");
}

#[test]
fn a_stranger_speaks_for_himself_only() {
    let lines = [
        ("host", "a.example"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-real-ip", "1.2.3.4"),
        ("forwarded", "for=1.2.3.4"),
        ("x_forwarded_for", "1.2.3.4"),
    ];
    let request = read("GET", "/", &lines).expect("let in");
    assert_eq!(request.target.to_string(), "http://a.example/");
    assert_eq!(request.client.to_string(), "192.0.2.1");
    assert!(request.forwarded);
    assert_eq!(request.fields["x-forwarded-for"], "192.0.2.1");
    assert_eq!(request.fields["x-forwarded-proto"], "http");
    assert_eq!(request.fields["x-forwarded-host"], "a.example");
    for gone in ["x-real-ip", "forwarded", "x_forwarded_for"] {
        assert!(!request.fields.contains_key(gone), "{gone}");
    }
}

#[test]
fn a_trusted_proxy_is_believed() {
    let lines = [
        ("host", "inner:6081"),
        ("x-forwarded-for", "6.6.6.6, 1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example"),
    ];
    let request = read_from("10.1.1.1:99", "GET", "/p", &lines).expect("let in");
    assert_eq!(request.target.to_string(), "https://shop.example/p");
    assert_eq!(request.client.to_string(), "1.2.3.4");
    assert_eq!(request.fields["x-forwarded-for"], "6.6.6.6, 1.2.3.4, 10.1.1.1");
    assert_eq!(request.fields["host"], "shop.example");
    let through_two = [("host", "a"), ("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.7")];
    let request = read_from("10.1.1.1:99", "GET", "/p", &through_two).expect("let in");
    assert_eq!(request.client.to_string(), "1.2.3.4");
}

#[test]
fn what_proxies_say_is_one_line_and_has_the_length_of_one() {
    let lines = |count: usize| {
        let mut lines = vec![("host", "a.example")];
        lines.extend([("x-forwarded-for", "1.2.3.4")].repeat(count));
        let request = read_from("10.1.1.1:99", "GET", "/p", &lines);
        request
            .map(|request| request.fields["x-forwarded-for"].len())
            .map_err(|r| r.status.as_u16())
    };
    assert_eq!(lines(3), Ok(35));
    assert_eq!(lines(4), Ok(44));
    assert_eq!(lines(5), Err(431));
}

#[test]
fn what_is_not_keyed_reaches_no_app_not_even_from_a_trusted_proxy() {
    let family = ["x-forwarded-prefix", "x-forwarded-ssl"];
    for name in UNKEYED.iter().chain(&family) {
        let lines = [("host", "a"), (*name, "evil")];
        let request = read_from("10.1.1.1:99", "GET", "/p", &lines).expect("let in");
        assert!(!request.fields.contains_key(*name), "{name}");
        assert!(request.forwarded, "{name}");
    }
}

#[test]
fn a_websocket_is_recognised_and_no_other_upgrade() {
    let asked = |method: &str, upgrade: &str| {
        let lines = [("host", "a"), ("connection", "keep-alive, Upgrade"), ("upgrade", upgrade)];
        read(method, "/", &lines).expect("let in").wants_websocket
    };
    assert!(asked("GET", "websocket"));
    let with_body = [
        ("host", "a"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("content-length", "5"),
    ];
    assert_eq!(status("GET", "/", &with_body), 400);
    assert!(!asked("GET", "h2c"));
    assert!(!asked("POST", "websocket"));
}

#[test]
fn a_proxy_that_writes_more_than_ascii_is_written_down_too() {
    let request = Request::builder().uri("/").header("host", "a.example");
    let strange = HeaderValue::from_bytes("é".as_bytes()).expect("a value");
    let (parts, ()) = request.header("x-forwarded-for", strange).body(()).unwrap().into_parts();
    let peer = Peer::new("10.0.0.1:1".parse().expect("an address"));
    let request = Presented::read(parts, &peer, &options()).expect("a request");
    let lines: Vec<&[u8]> =
        request.fields.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    assert_eq!(lines, ["é, 10.0.0.1".as_bytes()]);
}

#[test]
fn cookies_are_one_line_to_the_app() {
    let cookies = |lines: &[&str]| {
        let mut all = vec![("host", "a.example")];
        all.extend(lines.iter().map(|line| ("cookie", *line)));
        let presented = read("GET", "/", &all).map_err(|refusal| refusal.status.as_u16())?;
        let lines = presented.fields.get_all("cookie").iter();
        Ok(lines.map(|line| line.to_str().expect("text").to_string()).collect::<Vec<_>>())
    };
    assert_eq!(cookies(&[]), Ok(vec![]));
    assert_eq!(cookies(&["a=1"]), Ok(vec!["a=1".to_string()]));
    // WSGI would make `a=1,b=2` of them: one cookie.
    assert_eq!(cookies(&["a=1", "b=2; c=3"]), Ok(vec!["a=1; b=2; c=3".to_string()]));
    assert_eq!(cookies(&["a=1", "", "b=2"]), Ok(vec!["a=1; b=2".to_string()]));
    // Nobody gets around the longest field by several lines.
    assert_eq!(cookies(&[&"x".repeat(30), &"y".repeat(30)]), Err(431));
}
