//! Who sent a request, and what the app is told about it: which fields are
//! believed, which are replaced, and which nobody may send.

use super::{Options, traces};
use crate::error::Refusal;
use crate::key::{Host, Scheme};
use crate::semantics::fields::{media_type, members, remove_if};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Names as a list for the tests and as a `match`, which is decided by length
/// and a comparison: each field of each request is asked.
macro_rules! names {
    ($($name:literal,)*) => {
        #[cfg(test)]
        pub(super) const UNKEYED: &[&str] = &[$($name),*];

        fn is_listed(name: &str) -> bool {
            matches!(name, $($name)|*)
        }
    };
}

// Fields that an app may build its pages from and that are not part of the key.
// Nobody may send them: what one says would be shown to all.
names! {
    "cf-connecting-ip",
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "front-end-https",
    "larder-fill",
    "proxy",
    "remote-user",
    "true-client-ip",
    "x-accel-mapping",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-forward-for",
    "x-forwarded",
    "x-host",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-http-path-override",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-originating-ip",
    "x-override-url",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-remote-user",
    "x-rewrite-url",
    "x-scheme",
    "x-script-name",
    "x-sendfile-type",
    "x-url-scheme",
}

/// Whether a field is one of these, or another of the `X-Forwarded` family.
pub(super) fn is_unkeyed(name: &str) -> bool {
    is_listed(name) || (name.starts_with("x-forwarded-") && !is_said_by_proxies(name))
}

/// Whether a client could speak for somebody else by a field: only a trusted
/// proxy may send it.
pub(super) fn is_said_by_proxies(name: &str) -> bool {
    matches!(name, "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-host")
}

/// Whether the fields claim that somebody forwarded the request.
pub fn is_forwarded(fields: &HeaderMap) -> bool {
    fields.contains_key(header::VIA)
        || fields.keys().any(|name| is_said_by_proxies(name.as_str()) || is_unkeyed(name.as_str()))
}

/// WSGI reads `_` in a field name as `-`: such a name could pass for another.
pub(super) fn drop_ambiguous_names(fields: &mut HeaderMap) {
    remove_if(fields, |name| name.as_str().contains('_'));
}

/// Fields that describe a content where there is none: all but the media type, without
/// its parameters. Django reads the query by the `charset` that a request states, and
/// nobody's `Vary` speaks of that.
pub(super) fn drop_descriptions(fields: &mut HeaderMap) {
    remove_if(fields, |name| {
        name.as_str().starts_with("content-") && *name != header::CONTENT_TYPE
    });
    if fields.contains_key(header::CONTENT_TYPE) {
        let media_type = HeaderValue::from_bytes(media_type(fields));
        media_type.map(|plain| fields.insert(header::CONTENT_TYPE, plain)).ok();
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    address: SocketAddr,
    /// Its IP address, as `X-Forwarded-For` says it.
    pub(super) written: HeaderValue,
}

impl Peer {
    /// The peer with this address; to be made once for all its requests.
    pub fn new(address: SocketAddr) -> Peer {
        Peer { address, written: written(address.ip().to_canonical().to_string()) }
    }

    /// Its address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address; that of IPv4 as such.
    pub fn ip(&self) -> IpAddr {
        self.address.ip().to_canonical()
    }
}

/// A value of what was read from field values, or is an address.
pub(super) fn written(text: impl AsRef<str>) -> HeaderValue {
    let value = HeaderValue::from_bytes(text.as_ref().as_bytes());
    value.unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Who sent the request, and what the app is told about it.
pub(super) struct Sender {
    pub scheme: Scheme,
    pub host: Host,
    pub client: IpAddr,
}

impl Sender {
    /// Believes a trusted proxy, replaces what anybody else says, and writes
    /// the result into the fields.
    ///
    /// # Errors
    /// 431 if what proxies say, in one line, is longer than a field may be.
    pub fn settle(
        fields: &mut HeaderMap,
        host: Host,
        peer: &Peer,
        options: &Options,
    ) -> Result<Sender, Refusal> {
        let address = peer.ip();
        let is_proxy = options.trusts(address);
        remove_if(fields, |name| {
            is_unkeyed(name.as_str()) || (!is_proxy && is_said_by_proxies(name.as_str()))
        });
        // Of several lines the last is the proxy's own; the others may be its client's.
        let said = |name: &HeaderName| fields.get_all(name).iter().next_back()?.to_str().ok();
        let scheme = said(&X_FORWARDED_PROTO).and_then(Scheme::parse).unwrap_or(Scheme::Http);
        let host = said(&X_FORWARDED_HOST).and_then(|h| Host::parse(h).ok()).unwrap_or(host);
        // The app sees the host that is keyed: it may write it into its pages.
        let host = host.without_default_port(scheme);
        let chain: Vec<&str> = members(fields, &X_FORWARDED_FOR)
            .filter_map(|hop| std::str::from_utf8(hop).ok())
            .collect();
        let client = client(&chain, address, options);
        let chain = match chain.as_slice() {
            [] => peer.written.clone(),
            chain => written(format!("{}, {address}", chain.join(", "))),
        };
        if X_FORWARDED_FOR.as_str().len() + chain.len() > options.max_field {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Err(Refusal::new(status, "X-Forwarded-For is too long"));
        }
        tell(fields, scheme, host.as_str(), chain);
        traces::settle(fields, is_proxy, options.new_traces);
        Ok(Sender { scheme, host, client })
    }
}

/// The last in a chain of proxies who is not one of them; `address` is who wrote the
/// chain.
pub(super) fn client(chain: &[&str], address: IpAddr, options: &Options) -> IpAddr {
    let mut client = address;
    for hop in chain.iter().rev().map_while(|hop| hop.parse::<IpAddr>().ok()) {
        client = hop.to_canonical();
        if !options.trusts(client) {
            break;
        }
    }
    client
}

/// Tells the app whom the request is from, and what for.
pub(super) fn tell(fields: &mut HeaderMap, scheme: Scheme, host: &str, chain: HeaderValue) {
    let host = match fields.get(header::HOST) {
        Some(value) if value.as_bytes() == host.as_bytes() => value.clone(),
        _ => written(host),
    };
    fields.insert(X_FORWARDED_FOR, chain);
    fields.insert(X_FORWARDED_PROTO, HeaderValue::from_static(scheme.as_str()));
    fields.insert(X_FORWARDED_HOST, host.clone());
    fields.insert(header::HOST, host);
}
