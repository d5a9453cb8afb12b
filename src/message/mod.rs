//! A request as it is presented to the cache: parsed, refused where two parties
//! could read it differently, and normalised, so that what is keyed is what the
//! app sees.

mod check;
mod chunks;
mod framing;
mod head;
mod hosts;
mod notes;
mod plain;
mod sender;
mod traces;

pub use chunks::{ChunkReader, Misplaced, Part};
pub use framing::{Framing, stated_length};
pub use head::{Head, HeadLimits, HeadReader};
pub use hosts::Hosts;
pub use notes::Notes;
pub use plain::Plain;
pub use sender::{Peer, is_forwarded};
pub use traces::{
    NewTraces, REQUEST_ID, TRACEPARENT, TRACESTATE, TraceContext, by_chance, new_request_id,
    trace_id,
};

use crate::error::Refusal;
use crate::interim::Interims;
use crate::key::{Host, Scheme, Target};
use crate::semantics::fields::{has_member, remove_hop_by_hop};
use crate::semantics::identity::Visitor;
use crate::semantics::parameters::IgnoredParameters;
use crate::semantics::paths::Paths;
use crate::semantics::policy::Policy;
use crate::semantics::query::QueryContent;
use crate::semantics::request_directives::RequestDirectives;
use crate::semantics::storable::Asked;
use http::header::{self, HeaderMap, HeaderValue};

use http::request::Parts;
use http::{Method, StatusCode, Uri, Version};
use ipnet::IpNet;
use sender::Sender;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

/// What the reading of requests needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The hosts that are served.
    pub hosts: Hosts,
    /// Networks whose word about the client is believed.
    pub trusted: Vec<IpNet>,
    /// The longest request target, in bytes.
    pub max_target: usize,
    /// The longest field in bytes, as the line that the app is sent.
    pub max_field: usize,
    /// The largest request body, in bytes.
    pub max_body: u64,
    /// The host of a request of HTTP/1.0 that names none.
    pub default_host: Host,
    /// Parameters of queries that the app has no use for.
    pub ignored_parameters: IgnoredParameters,
    /// Paths of files that are the same for everybody.
    pub static_paths: Paths,
    /// What becomes of a request that belongs to no trace.
    pub new_traces: NewTraces,
}

impl Options {
    /// Whether the word of this address about the client is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&address))
    }

    /// Whether a field with a name and a value of so many bytes is too long.
    fn is_too_long(&self, name: usize, value: usize) -> bool {
        name + ": ".len() + value + "\r\n".len() > self.max_field
    }
}

/// A request that has been let in.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The method.
    pub method: Method,
    /// Scheme, host, path and query: what is keyed, and what the app sees.
    pub target: Target,
    /// The request target as the app is to see it: path and query as they came,
    /// or `*`.
    pub uri: Uri,
    /// The fields as the app is to see them: without those of this hop, with
    /// `Host` and `X-Forwarded-*` set.
    pub fields: HeaderMap,
    /// The version the client speaks.
    pub version: Version,
    /// The client's address, as far as it is known.
    pub client: IpAddr,
    /// The address at the other end of the connection.
    pub peer: SocketAddr,
    /// Somebody claims to have forwarded the request.
    pub forwarded: bool,
    /// A body comes with it.
    pub has_body: bool,
    /// It asks for a WebSocket.
    pub wants_websocket: bool,
    /// Its client takes trailers.
    pub takes_trailers: bool,
    /// What it demands of a stored response: nothing, until somebody says that
    /// this client may.
    pub demands: RequestDirectives,
    /// The content of a QUERY, once it has been read whole.
    pub query: Option<Arc<QueryContent>>,
    /// The place in a trace from which the origin is asked, if the request is recorded;
    /// nowhere as it is read.
    pub traced: Option<TraceContext>,
    /// Whom its fetch tells of interim responses; nobody as it is read.
    pub interims: Interims,
    /// What becomes known of it meanwhile.
    pub notes: Arc<Notes>,
    /// What has been left out of it because the operator says that it makes no difference.
    pub left_out: LeftOut,
    /// What it says of its visitor, once somebody has [asked](Presented::visitor).
    pub(crate) visitor: OnceLock<Visitor>,
}

/// What has been left out of a request, neither keyed nor sent to the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Parameters of the query, as they were written.
    pub parameters: Vec<String>,
    /// All cookies. By them a form is filled that such a page may have all the same, and
    /// nothing else is done.
    pub cookies: Option<HeaderValue>,
}

impl Presented {
    /// Reads a request head.
    ///
    /// # Errors
    /// A [`Refusal`] with the status that the RFCs give for what is wrong; the
    /// connection has to be closed after it.
    pub fn read(parts: Parts, peer: &Peer, options: &Options) -> Result<Presented, Refusal> {
        let Parts { method, uri, version, headers: mut fields, .. } = parts;
        check::method(&method)?;
        check::sizes(&uri, &fields, options)?;
        let has_body = check::framing(&mut fields, version, options)?;
        check::expectation(&mut fields)?;
        check::hops(&fields)?;
        let forwarded = is_forwarded(&fields);
        let host = read_host(&uri, &fields, version, options)?;
        let wants_websocket = wants_websocket(&method, &fields, version);
        if wants_websocket && has_body {
            return Err(Refusal::bad_request("a request for a WebSocket has no body"));
        }
        // One of HTTP/1.0 is sent no chunks, and so no trailers (RFC 9112 section 6.1).
        let takes_trailers =
            version > Version::HTTP_10 && has_member(&fields, &header::TE, "trailers");
        sender::drop_ambiguous_names(&mut fields);
        if !has_body && [Method::GET, Method::HEAD].contains(&method) {
            sender::drop_descriptions(&mut fields);
        }
        remove_hop_by_hop(&mut fields);
        // Those of a request are dropped (RFC 9112 section 7.1.2).
        fields.remove(header::TRAILER);
        join_cookies(&mut fields, options)?;
        let sender = Sender::settle(&mut fields, host, peer, options)?;
        if !options.hosts.have(sender.host.as_str()) {
            let status = StatusCode::MISDIRECTED_REQUEST;
            return Err(Refusal::new(status, "this host is not served here"));
        }

        let uri = origin_form(uri)?;
        let asterisk = uri.path() == "*";
        if asterisk && method != Method::OPTIONS {
            return Err(Refusal::bad_request("only OPTIONS may be about \"*\""));
        }
        let path = uri.path_and_query().filter(|_| !asterisk).map_or("/", |path| path.as_str());
        let target = Target::new(sender.scheme, sender.host, path)
            .map_err(|_| Refusal::bad_request("the request target must begin with \"/\""))?;
        let mut presented = Presented {
            method,
            target,
            uri,
            fields,
            version,
            client: sender.client,
            peer: peer.address(),
            forwarded,
            has_body,
            wants_websocket,
            takes_trailers,
            demands: RequestDirectives::default(),
            query: None,
            traced: None,
            interims: Interims::default(),
            notes: Arc::default(),
            left_out: LeftOut::default(),
            visitor: OnceLock::new(),
        };
        presented.leave_out(options);
        if has_body {
            presented.detach()?;
        }
        Ok(presented)
    }

    /// What it says of its visitor. It is read once: many steps ask.
    pub fn visitor(&self, policy: &Policy) -> Visitor {
        *self.visitor.get_or_init(|| Visitor::of(&self.fields, policy))
    }

    /// What of it matters for storing its response.
    pub fn asked(&self, policy: &Policy) -> Asked<'_> {
        Asked::of(&self.method, self.target.path(), &self.fields, self.visitor(policy))
    }

    /// Copies what is a part of the buffer that the head was read into: as long as that is
    /// held, another one is needed for the body that is on its way.
    fn detach(&mut self) -> Result<(), Refusal> {
        let malformed = || Refusal::bad_request("the request is malformed");
        for value in self.fields.values_mut() {
            *value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| malformed())?;
        }
        self.uri = self.uri.to_string().parse().map_err(|_| malformed())?;
        Ok(())
    }

    /// Leaves out of a request that the cache may answer what the operator says makes no
    /// difference: parameters of its query, and cookies where files are. What is not there is
    /// neither keyed nor seen by the app, so that no answer can depend on it. A request of
    /// another method says it all to the app: it may be about a form.
    pub fn leave_out(&mut self, options: &Options) {
        let may_be_answered = [Method::GET, Method::HEAD, Method::QUERY].contains(&self.method);
        if !may_be_answered || self.wants_websocket {
            return;
        }
        let ignored = &options.ignored_parameters;
        let as_sent = self.target.path_and_query();
        if let Some(without) = ignored.without(as_sent)
            && let (Ok(target), Ok(uri)) = (self.target.with_path(&without), without.parse())
        {
            self.left_out.parameters = ignored.in_query_of(as_sent).map(String::from).collect();
            (self.target, self.uri) = (target, uri);
        }
        if options.static_paths.plainly(self.target.path())
            && let Some(cookies) = self.fields.remove(header::COOKIE)
        {
            self.left_out.cookies = Some(cookies);
            self.visitor = OnceLock::new();
        }
    }

    /// A GET that nobody sent: larder's own, with these fields.
    pub fn of_our_own(target: Target, mut fields: HeaderMap) -> Presented {
        let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let chain = sender::written(client.to_string());
        sender::tell(&mut fields, target.scheme(), target.host(), chain);
        fields.insert(REQUEST_ID, new_request_id());
        let agent = HeaderValue::from_static(concat!("larder/", env!("CARGO_PKG_VERSION")));
        fields.entry(header::USER_AGENT).or_insert(agent);
        Presented {
            method: Method::GET,
            uri: target.path_and_query().parse().unwrap_or_else(|_| Uri::from_static("/")),
            target,
            fields,
            version: Version::HTTP_11,
            client,
            peer: SocketAddr::new(client, 0),
            forwarded: false,
            has_body: false,
            wants_websocket: false,
            takes_trailers: false,
            demands: RequestDirectives::default(),
            query: None,
            traced: None,
            interims: Interims::default(),
            notes: Arc::default(),
            left_out: LeftOut::default(),
            visitor: OnceLock::new(),
        }
    }
}

/// Path and query alone, or `*`. An absolute target may leave out the path; the
/// origin is sent one (RFC 9112 section 3.2.1).
fn origin_form(uri: Uri) -> Result<Uri, Refusal> {
    let malformed = |_| Refusal::bad_request("the request target is malformed");
    match uri.into_parts().path_and_query {
        None => Ok(Uri::from_static("/")),
        Some(path) if path.as_str().starts_with('?') => {
            format!("/{}", path.as_str()).parse().map_err(malformed)
        }
        Some(path) => Ok(Uri::from(path)),
    }
}

/// The host that the request is for: that of an absolute target, else the one
/// `Host` field (RFC 9112 section 3.2).
fn read_host(
    uri: &Uri,
    fields: &HeaderMap,
    version: Version,
    options: &Options,
) -> Result<Host, Refusal> {
    let mut lines = fields.get_all(header::HOST).iter();
    let field = match (lines.next(), lines.next()) {
        (Some(_), Some(_)) => return Err(Refusal::bad_request("Host is given twice")),
        (Some(line), None) => {
            let host = line.to_str().ok().and_then(|text| Host::parse(text).ok());
            Some(host.ok_or_else(|| Refusal::bad_request("Host is not a host"))?)
        }
        (None, _) if version == Version::HTTP_10 => None,
        (None, _) => return Err(Refusal::bad_request("Host is missing")),
    };
    if uri.scheme().is_none() && uri.authority().is_some() {
        // "GET page": a host alone is a target for CONNECT only.
        return Err(Refusal::bad_request("the request target must begin with \"/\""));
    }
    if uri.scheme_str().is_some_and(|scheme| Scheme::parse(scheme).is_none()) {
        return Err(Refusal::bad_request("the scheme is neither http nor https"));
    }
    match uri.authority() {
        Some(authority) => Host::parse(authority.as_str())
            .map_err(|_| Refusal::bad_request("the target's host is not a host")),
        None => Ok(field.unwrap_or_else(|| options.default_host.clone())),
    }
}

/// Writes the cookies of several lines as one line, so that the app reads them as
/// larder does (RFC 9113 section 8.2.3): WSGI would put commas between the lines,
/// and the first cookie's value would go on into the second.
fn join_cookies(fields: &mut HeaderMap, options: &Options) -> Result<(), Refusal> {
    let lines = fields.get_all(header::COOKIE);
    if lines.iter().nth(1).is_none() {
        return Ok(());
    }
    let lines = lines.iter().map(HeaderValue::as_bytes);
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    let joined = lines.join(&b"; "[..]);
    if options.is_too_long(header::COOKIE.as_str().len(), joined.len()) {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Refusal::new(status, "the cookies are too long"));
    }
    let joined = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined));
    fields.insert(header::COOKIE, joined.map_err(|_| Refusal::bad_request("malformed cookies"))?);
    Ok(())
}

fn wants_websocket(method: &Method, fields: &HeaderMap, version: Version) -> bool {
    *method == Method::GET
        && version == Version::HTTP_11
        && has_member(fields, &header::CONNECTION, "upgrade")
        && has_member(fields, &header::UPGRADE, "websocket")
}

#[cfg(test)]
mod tests;
