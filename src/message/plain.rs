//! A GET in plain words: what browsers ask for a page with, nothing in it that only
//! the whole reading of a request settles.
//!
//! It is read from the bytes of a head that [`HeadReader`](super::HeadReader) has let
//! through, and allocates nothing. Whatever isn't plain is
//! [`Presented`](super::Presented)'s to read; both come to the same target, client and
//! fields, which `tests/it/glance.rs` holds against each other.

use super::head::{is_in_targets, trimmed};
use super::{Options, Peer, sender, traces};
use crate::key::{Host, Scheme, Sought};
use crate::semantics::fields::list;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::net::IpAddr;

/// What a field has to do with the answer to a plain request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Host,
    Connection,
    /// It says who the visitor is.
    Identifies,
    /// It may make the answer a 304.
    Condition,
    /// It matters if a response nominates it by `Vary`, and else not.
    Selects,
    /// The request is found again by it. The app may be told something else, so that a
    /// response that nominates it can't be judged here.
    Traces,
    /// It demands something of what is stored.
    Demands,
    /// Only trusted proxies may say it.
    SaidByProxies,
    /// Nobody may.
    Unkeyed,
    /// Who knows?
    Other,
}

/// The longest name that plays a role, in bytes.
const LONGEST: usize = 32;

fn role(name: &[u8]) -> Role {
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..name.len()) else { return Role::Other };
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    match &*lower {
        b"host" => Role::Host,
        b"connection" => Role::Connection,
        b"cookie" => Role::Identifies,
        b"if-none-match" | b"if-modified-since" => Role::Condition,
        b"cache-control" | b"pragma" => Role::Demands,
        b"accept"
        | b"accept-charset"
        | b"accept-encoding"
        | b"accept-language"
        | b"dnt"
        | b"from"
        | b"origin"
        | b"priority"
        | b"purpose"
        | b"referer"
        | b"save-data"
        | b"sec-gpc"
        | b"sec-purpose"
        | b"upgrade-insecure-requests"
        | b"user-agent"
        | b"x-correlation-id"
        | b"x-requested-with" => Role::Selects,
        lower if lower.starts_with(b"sec-ch-") || lower.starts_with(b"sec-fetch-") => Role::Selects,
        lower => match std::str::from_utf8(lower) {
            Ok(name) if sender::is_said_by_proxies(name) => Role::SaidByProxies,
            Ok(name) if sender::is_unkeyed(name) => Role::Unkeyed,
            Ok(name) if traces::is_trace(name) => Role::Traces,
            _ => Role::Other,
        },
    }
}

/// A GET that is read at a glance.
#[derive(Clone, Debug)]
pub struct Plain<'a> {
    /// What it is for.
    pub sought: Sought<'a>,
    /// It bears cookies.
    pub bears_cookies: bool,
    /// It bears `If-None-Match` or `If-Modified-Since`.
    pub is_conditional: bool,
    /// It bears `Cache-Control` or `Pragma`.
    pub demands: bool,
    /// Its cookies are left out: it is for what is the same for everybody.
    drops_cookies: bool,
    /// The field lines.
    lines: &'a [u8],
}

impl<'a> Plain<'a> {
    /// Reads a whole head; `None` if it isn't plain: another method or version, an
    /// absolute target, a parameter that is ignored, a host that isn't written as it is
    /// keyed, a field that may mean anything else than what is known of it here, or one
    /// that is too long.
    pub fn read(head: &'a [u8], peer: &Peer, options: &Options) -> Option<Plain<'a>> {
        let line = memchr::memchr(b'\n', head)?;
        let target = head[..line].strip_prefix(b"GET ")?.strip_suffix(b" HTTP/1.1\r")?;
        let is_plain = target.first() == Some(&b'/')
            && target.len() <= options.max_target
            && target.iter().all(|byte| is_in_targets(*byte));
        let path_and_query = std::str::from_utf8(target).ok().filter(|_| is_plain)?;
        if options.ignored_parameters.are_in(path_and_query) {
            return None;
        }

        let (mut host, mut proto, mut forwarded_host) = (None, None, None);
        let (mut bears_cookies, mut is_conditional, mut demands) = (false, false, false);
        let mut chain = FOR + peer.written.len();
        let is_proxy = options.trusts(peer.ip());
        let lines = &head[line + 1..];
        for (name, value) in fields(lines) {
            if options.is_too_long(name.len(), value.len()) {
                return None;
            }
            match role(name) {
                Role::Host if host.is_none() => host = Some(value),
                Role::Connection if value.eq_ignore_ascii_case(b"keep-alive") => {}
                // Several lines are made one for the app.
                Role::Identifies if !bears_cookies => bears_cookies = true,
                Role::Condition => is_conditional = true,
                Role::Demands => demands = true,
                Role::SaidByProxies if is_proxy => match name.len() {
                    PROTO if proto.is_none() => proto = Some(value),
                    HOST if forwarded_host.is_none() => forwarded_host = Some(value),
                    FOR => chain += list(value).map(|hop| hop.len() + ", ".len()).sum::<usize>(),
                    _ => return None,
                },
                Role::Selects | Role::Traces | Role::SaidByProxies | Role::Unkeyed => {}
                Role::Host | Role::Connection | Role::Identifies | Role::Other => return None,
            }
        }
        if chain > options.max_field {
            return None;
        }
        // Whatever stands there is refused if it is no host, whoever is believed.
        let host = Host::canonical(host?)?;
        let host = match forwarded_host {
            Some(forwarded) => Host::canonical(forwarded)?,
            None => host,
        };
        if !options.hosts.have(host) {
            return None;
        }
        let scheme = match proto {
            Some(proto) => Scheme::parse(std::str::from_utf8(proto).ok()?)?,
            None => Scheme::Http,
        };
        let sought = Sought::new(scheme, host, path_and_query)?;
        let drops_cookies = bears_cookies && options.static_paths.plainly(sought.path());
        let bears_cookies = bears_cookies && !drops_cookies;
        Some(Plain { sought, bears_cookies, is_conditional, demands, drops_cookies, lines })
    }

    /// Whether a field is read here as the app would see it: what a response
    /// nominates must be.
    pub fn shows(name: &HeaderName) -> bool {
        matches!(role(name.as_str().as_bytes()), Role::Selects | Role::Identifies)
    }

    /// The cookies that count, the conditions, and the fields that are wanted by these names.
    /// `None` if that can't be told.
    pub fn fields(&self, wanted: impl Fn(&HeaderName) -> bool) -> Option<HeaderMap> {
        let mut map = HeaderMap::new();
        for (name, value) in fields(self.lines) {
            let role = role(name);
            if !matches!(role, Role::Identifies | Role::Condition | Role::Selects) {
                continue;
            }
            if role == Role::Identifies && self.drops_cookies {
                continue;
            }
            let name = HeaderName::from_bytes(name).ok()?;
            if role != Role::Selects || wanted(&name) {
                map.append(name, HeaderValue::from_bytes(value).ok()?);
            }
        }
        Some(map)
    }

    /// The value of the first field with this name.
    pub fn field(&self, wanted: &HeaderName) -> Option<&'a [u8]> {
        let mut fields = fields(self.lines);
        let wanted = wanted.as_str().as_bytes();
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    }

    /// The value of the field with this name, if there is one such field.
    pub fn only_field(&self, wanted: &HeaderName) -> Option<&'a [u8]> {
        let wanted = wanted.as_str().as_bytes();
        let mut fields = fields(self.lines).filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let (first, other) = (fields.next()?.1, fields.next());
        other.is_none().then_some(first)
    }

    /// Its id, as the app would be told it: a new one unless a trusted proxy has said one.
    pub fn request_id(&self, peer: &Peer, options: &Options) -> HeaderValue {
        let given = || {
            let id = self.only_field(&traces::REQUEST_ID).filter(|id| traces::is_id(id))?;
            HeaderValue::from_bytes(id).ok()
        };
        let is_proxy = options.trusts(peer.ip());
        given().filter(|_| is_proxy).unwrap_or_else(traces::new_request_id)
    }

    /// The client's address, as far as it is known.
    pub fn client(&self, peer: &Peer, options: &Options) -> IpAddr {
        if !options.trusts(peer.ip()) {
            return peer.ip();
        }
        let chain: Vec<&str> = fields(self.lines)
            .filter(|(name, _)| name.len() == FOR && role(name) == Role::SaidByProxies)
            .flat_map(|(_, value)| list(value))
            .filter_map(|hop| std::str::from_utf8(hop).ok())
            .collect();
        sender::client(&chain, peer.ip(), options)
    }
}

// The lengths of what proxies say tell which it is.
const FOR: usize = "x-forwarded-for".len();
const PROTO: usize = "x-forwarded-proto".len();
const HOST: usize = "x-forwarded-host".len();

/// Name and value of each line; the empty line at the end is none.
fn fields(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest)?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], trimmed(&line[colon + 1..])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::CacheKey;
    use crate::message::tests::options;
    use crate::message::{HeadLimits, HeadReader, Presented};
    use equivalent::Equivalent;
    use http::Request;
    use http::header::REFERER;
    use proptest::prelude::*;

    const LINES: &[&str] = &[
        "Host: a.test",
        "host:\ta.test:8080 ",
        "Host: A.test",
        "Host: a.test:80",
        "Host: a.test:443",
        "Host: user@a.test",
        "Accept: text/html",
        "ACCEPT: */*",
        "Accept-Encoding: gzip, br",
        "Cookie: a=b",
        "cookie: c; d=\u{e4}",
        "If-None-Match: \"a\"",
        "Connection: keep-alive",
        "Connection: cookie",
        "Connection: close",
        "Upgrade: websocket",
        "TE: trailers",
        "Range: bytes=0-1",
        "Authorization: x",
        "X-Forwarded-For: 192.0.2.7, 10.0.0.9",
        "X-Forwarded-For: nobody",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Proto: HTTP",
        "X-Forwarded-Proto: gopher",
        "X-Forwarded-Host: b.test",
        "X-Forwarded-Host: b.test, c.test",
        "X-Forwarded-Port: 1",
        "X-Real-IP: 192.0.2.8",
        "Forwarded: for=192.0.2.9",
        "X_Forwarded_For: 192.0.2.6",
        "Via: 1.1 larder, 1.1 larder, 1.1 larder, 1.1 larder",
        "Content-Length: 0",
        "Expect: 100-continue",
        "Sec-Fetch-Mode: cors",
        "X-Tenant: a",
        "X-Request-Id: a-1",
        "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    ];

    const FIRST: &[&str] = &[
        "GET / HTTP/1.1",
        "GET /a?b=c%20 HTTP/1.1",
        "GET //x?y?z HTTP/1.1",
        "GET /static/a?utm_source=x HTTP/1.1",
        "GET /static/a?b HTTP/1.1",
        "GET /static/%2e%2e/a HTTP/1.1",
        "GET ?a HTTP/1.1",
        "GET * HTTP/1.1",
        "GET http://c.test/d HTTP/1.1",
        "GET /\u{e4} HTTP/1.1",
        "GET / HTTP/1.0",
        "HEAD / HTTP/1.1",
        "POST / HTTP/1.1",
    ];

    /// The whole reading of the same head, by hyper's parser.
    fn whole(head: &str, peer: &Peer) -> Presented {
        let mut space = [httparse::EMPTY_HEADER; 32];
        let mut read = httparse::Request::new(&mut space);
        read.parse(head.as_bytes()).expect("a head");
        let mut request = Request::builder()
            .method(read.method.expect("a method"))
            .uri(read.path.expect("a target"));
        for field in &*read.headers {
            request = request.header(field.name, field.value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        Presented::read(parts, peer, &options()).expect("what is plain is let in")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn what_is_plain_is_what_the_whole_reading_finds(
            first in prop::sample::select(&FIRST[..6]),
            odd in prop::option::weighted(0.2, prop::sample::select(FIRST)),
            host in prop::option::weighted(0.9, prop::sample::select(&LINES[..2])),
            lines in prop::collection::vec(prop::sample::select(LINES), 0..5),
            is_proxy: bool,
        ) {
            let first = odd.unwrap_or(first);
            let lines: Vec<&str> = host.into_iter().chain(lines).collect();
            let head = format!("{first}\r\n{}\r\n\r\n", lines.join("\r\n"));
            let limits = HeadLimits { bytes: 1000, fields: 20 };
            let is_let_in = HeadReader::default().read(head.as_bytes(), &limits).is_ok();
            let peer = if is_proxy { "10.0.0.1:5" } else { "192.0.2.1:5" };
            let peer = Peer::new(peer.parse().expect("an address"));
            let plain = Plain::read(head.as_bytes(), &peer, &options());
            if let Some(plain) = plain.filter(|_| is_let_in) {
                let presented = whole(&head, &peer);
                prop_assert!(plain.sought.equivalent(&CacheKey::new(presented.target.clone())));
                prop_assert_eq!(plain.client(&peer, &options()), presented.client);
                if is_proxy && plain.field(&traces::REQUEST_ID).is_some_and(traces::is_id) {
                    let id = plain.request_id(&peer, &options());
                    let is_one = lines.iter().filter(|line| line.starts_with("X-Req")).count() == 1;
                    prop_assert!(!is_one || id == presented.fields[traces::REQUEST_ID]);
                }
                prop_assert_eq!(presented.method, "GET");
                prop_assert!(!presented.has_body && !presented.wants_websocket);
                let mut shown = plain.fields(|_| true).expect("fields");
                for name in presented.fields.keys() {
                    let values: Vec<_> = presented.fields.get_all(name).iter().collect();
                    let own: Vec<_> = shown.get_all(name).iter().collect();
                    match role(name.as_str().as_bytes()) {
                        Role::Identifies | Role::Condition | Role::Selects => {
                            prop_assert_eq!(own, values);
                        }
                        Role::Other => prop_assert!(false, "{} is in doubt", name),
                        _ => prop_assert!(own.is_empty()),
                    }
                }
                for name in presented.fields.keys() {
                    shown.remove(name);
                }
                prop_assert!(shown.is_empty(), "{:?}", shown);
            }
        }
    }

    #[test]
    fn what_browsers_send_is_plain() {
        let head = "GET /a HTTP/1.1\r\nHost: a.test\r\nUser-Agent: Mozilla/5.0\r\n\
            Accept: text/html\r\nAccept-Language: en\r\nAccept-Encoding: gzip\r\n\
            Referer: http://a.test/\r\nConnection: keep-alive\r\nCookie: a=b\r\n\
            Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nPriority: u=0\r\n\r\n";
        let peer = Peer::new("192.0.2.1:5".parse().expect("an address"));
        let plain = Plain::read(head.as_bytes(), &peer, &options()).expect("plain");
        assert!(plain.bears_cookies && !plain.is_conditional && !plain.demands);
        assert_eq!(plain.fields(|_| false).expect("fields").len(), 1);
        assert_eq!(plain.field(&REFERER).expect("a value"), b"http://a.test/");
        let long = head.replace("a=b", &"x".repeat(60));
        assert!(Plain::read(long.as_bytes(), &peer, &options()).is_none(), "it is refused");
    }
}
