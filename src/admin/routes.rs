//! Which request is for whom, and who may make it.

use super::problem::{self, Kind, Problem};
use super::{
    Admin, Configured, browser, dashboard, events, explain, follow, inspect, metrics, observed,
    openapi, purge, purges, reload, reply, stored,
};
use crate::metrics::{Leave, Trouble};
use crate::proxy::Shared;
use crate::purge::{Access, Grant, bearer};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use std::net::SocketAddr;

/// Every path, as the description writes it, and its methods.
pub(super) const ROUTES: [(&str, &str); 20] = [
    ("/", "GET, HEAD"),
    ("/dashboard/{name}", "GET, HEAD"),
    ("/livez", "GET, HEAD"),
    ("/healthz", "GET, HEAD"),
    ("/readyz", "GET, HEAD"),
    ("/openapi.json", "GET, HEAD"),
    ("/problems/{name}", "GET, HEAD"),
    ("/metrics", "GET, HEAD"),
    ("/v1/purge", "POST"),
    ("/v1/purges", "GET, HEAD"),
    ("/v1/purges/{number}", "GET, HEAD"),
    ("/v1/purges/{number}/undo", "POST"),
    ("/v1/stats", "GET, HEAD"),
    ("/v1/explain", "GET, HEAD"),
    ("/v1/observed", "GET, HEAD"),
    ("/v1/log", "GET"),
    ("/v1/events", "GET, HEAD"),
    ("/v1/stored", "GET, HEAD"),
    ("/v1/stored/one", "GET, HEAD"),
    ("/v1/reload", "POST"),
];

/// A path that there is.
struct Route<'a> {
    template: &'static str,
    methods: &'static str,
    /// What stands in place of the part in braces; empty if there is none.
    named: &'a str,
}

fn find(path: &str) -> Option<Route<'_>> {
    ROUTES.iter().find_map(|(template, methods)| {
        let mut named = "";
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(Route { template, methods, named }),
                (Some(part), Some(text)) if part.starts_with('{') && !text.is_empty() => {
                    named = text;
                }
                (Some(part), Some(text)) if part == text => {}
                _ => return None,
            }
        }
    })
}

impl Admin {
    /// Answers a request from the connection with this peer.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<reply::Sent> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_string();
        let route = find(&path);
        if let Some(route) = &route
            && let Some(reply) = self.open(route)
        {
            let is_allowed = is_allowed(route, &head.method);
            return if is_allowed { reply } else { refuse_method(route) }.map(Either::Left);
        }
        let Configured { shared, access } = self.current.borrow().clone();
        let grant = match admit(&shared, &access, &head, peer) {
            Ok(grant) => grant,
            Err(problem) => return problem.answer().map(Either::Left),
        };
        let Some(route) = route else {
            let paths = ROUTES.map(|(path, methods)| format!("{methods} {path}")).join(", ");
            let detail = format!("there are {paths}");
            return reply::problem(Kind::NotFound, detail).map(Either::Left);
        };
        if !is_allowed(&route, &head.method) {
            return refuse_method(&route).map(Either::Left);
        }
        let asker = Asker { shared: &shared, grant, peer };
        match route.template {
            "/v1/log" if asker.grant.sees_all() => {
                return follow::answer(self, &asker, head.uri.query());
            }
            "/v1/events" if asker.grant.sees_all() => {
                return events::answer(self, &asker, head.uri.query());
            }
            _ => {}
        }
        self.granted(&route, &asker, &head, body).await.map(Either::Left)
    }

    /// What anybody may ask for.
    fn open(&self, route: &Route<'_>) -> Option<Response<Full<Bytes>>> {
        Some(match route.template {
            "/" => dashboard::page(),
            "/dashboard/{name}" => dashboard::file(route.named),
            "/livez" | "/healthz" => inspect::alive(),
            "/readyz" => inspect::ready(*self.closing.borrow()),
            "/openapi.json" => openapi::answer(),
            "/problems/{name}" => match Kind::named(route.named) {
                Some(kind) => problem::explained(kind),
                None => reply::problem(Kind::NotFound, "there is no problem of this name"),
            },
            _ => return None,
        })
    }

    async fn granted(
        &self,
        route: &Route<'_>,
        asker: &Asker<'_>,
        head: &Parts,
        body: Incoming,
    ) -> Response<Full<Bytes>> {
        match route.template {
            "/v1/purge" => purge::answer(asker, &self.keys, &head.headers, body).await,
            "/v1/purges" => purges::list(asker, head.uri.query()),
            "/v1/purges/{number}" => purges::one(asker, route.named),
            "/v1/purges/{number}/undo" => purges::undo(asker, route.named).await,
            "/metrics" if asker.grant.sees_all() => metrics::answer(asker.shared),
            "/v1/stats" if asker.grant.sees_all() => inspect::stats(asker.shared),
            "/v1/explain" if asker.grant.sees_all() => {
                explain::answer(asker.shared, head.uri.query())
            }
            "/v1/observed" if asker.grant.sees_all() => observed::answer(asker.shared),
            "/v1/stored" if asker.grant.sees_all() => {
                stored::list(asker, &self.walks, head.uri.query()).await
            }
            "/v1/stored/one" if asker.grant.sees_all() => {
                stored::one(asker.shared, head.uri.query())
            }
            "/v1/reload" if asker.grant.is_everything() => {
                reload::answer(self.reloader.as_ref()).await
            }
            _ => asker.refused("the scope of this token does not cover this"),
        }
    }
}

/// Lets a request in, or refuses it.
fn admit(
    shared: &Shared,
    access: &Access,
    head: &Parts,
    peer: SocketAddr,
) -> Result<Grant, Problem> {
    // A page that a browser shows may send requests to loopback.
    if browser::is_of_another_site(&head.headers) {
        let detail = "requests from pages of other sites are refused";
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    if access.tokens.is_empty() && !is_local(&head.headers) {
        // So may a name that somebody points at loopback.
        let detail = "without a token, Host has to be an address or localhost";
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    let forwarded = crate::message::is_forwarded(&head.headers);
    access.grant(peer.ip(), forwarded, bearer(&head.headers)).ok_or_else(|| {
        if let Some(Leave { unlogged }) = shared.met(Trouble::Admin) {
            let path = head.uri.path();
            tracing::warn!(%peer, path, unlogged, "an admin request was refused");
        }
        let detail = "a token is needed (Authorization: Bearer ...), from an allowed network; \
                      or a connection from this machine that nobody forwarded, if there are \
                      no tokens";
        Problem::new(Kind::Unauthorized, detail)
    })
}

/// Who asks, for what they may, and what they may ask about.
pub(super) struct Asker<'a> {
    pub shared: &'a Shared,
    pub grant: Grant,
    pub peer: SocketAddr,
}

impl Asker<'_> {
    /// 403, and a line in the log.
    pub fn refused(&self, detail: &str) -> Response<Full<Bytes>> {
        let Asker { shared, peer, grant } = self;
        shared.met(Trouble::Admin);
        // Who bears a token is known: each is written down.
        tracing::warn!(%peer, by = %grant.who, detail, "an admin request was refused");
        reply::problem(Kind::Forbidden, detail)
    }
}

fn is_allowed(route: &Route<'_>, method: &Method) -> bool {
    route.methods.split(", ").any(|allowed| allowed == method.as_str())
}

fn refuse_method(route: &Route<'_>) -> Response<Full<Bytes>> {
    reply::not_allowed(route.methods)
}

/// Whether `Host` is an address or `localhost`.
fn is_local(fields: &HeaderMap) -> bool {
    let host = fields.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    bare.eq_ignore_ascii_case("localhost") || is_address(bare) || host.parse::<SocketAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_by_its_parts() {
        for (path, expected) in [
            ("/livez", Some(("/livez", ""))),
            ("/v1/purges", Some(("/v1/purges", ""))),
            ("/v1/purges/12", Some(("/v1/purges/{number}", "12"))),
            ("/v1/purges/12/undo", Some(("/v1/purges/{number}/undo", "12"))),
            ("/v1/purges/", None),
            ("/v1/purges//undo", None),
            ("/v1/purges/12/undo/", None),
            ("/v1/purges/12/other", None),
            ("/v1", None),
            ("/", Some(("/", ""))),
            ("/dashboard/main.js", Some(("/dashboard/{name}", "main.js"))),
            ("/dashboard/", None),
            ("", None),
            ("/{number}", None),
        ] {
            let found = find(path).map(|route| (route.template, route.named));
            assert_eq!(found, expected, "{path}");
        }
    }
}
