//! What goes wrong at the admin port, as RFC 9457 writes it.

use super::reply;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

/// The kinds of problems. Each has a page of its own, which its `type` points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    InvalidRequest,
    TooLarge,
    TooSlow,
    KeyInUse,
    KeyReused,
    TooManyStreams,
    NotUndone,
    NotReloaded,
    NothingToReload,
    Closing,
    Internal,
}

/// A kind: its name in `type`, its status, its title, and what to do about it.
struct About {
    kind: Kind,
    name: &'static str,
    status: StatusCode,
    title: &'static str,
    advice: &'static str,
}

/// What there is to say of each, in the order of [`Kind`].
const ABOUT: [About; 15] = [
    About {
        kind: Kind::Unauthorized,
        name: "unauthorized",
        status: StatusCode::UNAUTHORIZED,
        title: "A token is needed",
        advice: "Send a token of [admin] as `Authorization: Bearer ...`, from one of \
                 admin.networks. Without any token in the configuration only this machine is let \
                 in, by a request that nobody forwarded.",
    },
    About {
        kind: Kind::Forbidden,
        name: "forbidden",
        status: StatusCode::FORBIDDEN,
        title: "Not allowed",
        advice: "The token is a good one, but its scope does not cover this; or the request comes \
                 from another site's page, or from under a name that anybody could have made up.",
    },
    About {
        kind: Kind::NotFound,
        name: "not-found",
        status: StatusCode::NOT_FOUND,
        title: "There is no such thing",
        advice: "/openapi.json has every path. Of purges the last thousand that operators made are \
                 remembered, and the last thousand that the app itself said.",
    },
    About {
        kind: Kind::MethodNotAllowed,
        name: "method-not-allowed",
        status: StatusCode::METHOD_NOT_ALLOWED,
        title: "Not with this method",
        advice: "`Allow` has the methods that go.",
    },
    About {
        kind: Kind::InvalidRequest,
        name: "invalid-request",
        status: StatusCode::BAD_REQUEST,
        title: "The request makes no sense",
        advice: "Nothing was done. `errors` has each place that is wrong, as a JSON pointer into \
                 the document that was sent.",
    },
    About {
        kind: Kind::TooLarge,
        name: "too-large",
        status: StatusCode::PAYLOAD_TOO_LARGE,
        title: "The document is too large",
        advice: "Nothing was done. Send several with fewer selectors each.",
    },
    About {
        kind: Kind::TooSlow,
        name: "too-slow",
        status: StatusCode::REQUEST_TIMEOUT,
        title: "The document did not come in time",
        advice: "Nothing was done.",
    },
    About {
        kind: Kind::KeyInUse,
        name: "key-in-use",
        status: StatusCode::CONFLICT,
        title: "The request with this key is still under way",
        advice: "Ask again with the same key and document, a little later.",
    },
    About {
        kind: Kind::KeyReused,
        name: "key-reused",
        status: StatusCode::UNPROCESSABLE_ENTITY,
        title: "The key was sent with another document",
        advice: "Nothing was done. An Idempotency-Key stands for one document.",
    },
    About {
        kind: Kind::TooManyStreams,
        name: "too-many-streams",
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: "As many listen as may",
        advice: "Ask again when somebody has gone; `Retry-After` says when to try.",
    },
    About {
        kind: Kind::NotUndone,
        name: "not-undone",
        status: StatusCode::CONFLICT,
        title: "The purge can not be undone",
        advice: "Only a soft purge can be, and only once.",
    },
    About {
        kind: Kind::NotReloaded,
        name: "not-reloaded",
        status: StatusCode::UNPROCESSABLE_ENTITY,
        title: "The configuration is wrong",
        advice: "Nothing has changed. `detail` has what `larder check` says.",
    },
    About {
        kind: Kind::NothingToReload,
        name: "nothing-to-reload",
        status: StatusCode::NOT_IMPLEMENTED,
        title: "There is no configuration file",
        advice: "This larder was started without one.",
    },
    About {
        kind: Kind::Closing,
        name: "closing",
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: "larder is closing",
        advice: "Ask the one that takes over.",
    },
    About {
        kind: Kind::Internal,
        name: "internal",
        status: StatusCode::INTERNAL_SERVER_ERROR,
        title: "Something went wrong in larder",
        advice: "The log says more.",
    },
];

impl Kind {
    fn about(self) -> &'static About {
        &ABOUT[self as usize]
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Kind> {
        ABOUT.iter().find(|about| about.name == name).map(|about| about.kind)
    }
}

/// A place in a document, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// A JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    pub detail: String,
}

/// A problem: nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub kind: Kind,
    detail: String,
    faults: Vec<Fault>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), faults: Vec::new() }
    }

    /// An invalid document, by what is wrong where; at least one.
    pub fn invalid(faults: Vec<Fault>) -> Problem {
        let detail = match faults.as_slice() {
            [first, rest @ ..] if !rest.is_empty() => {
                format!("{} (and {} more)", first.detail, rest.len())
            }
            faults => faults.first().map(|fault| fault.detail.clone()).unwrap_or_default(),
        };
        Problem { kind: Kind::InvalidRequest, detail, faults }
    }

    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The answer that says so.
    pub fn answer(&self) -> Response<Full<Bytes>> {
        let About { name, status, title, .. } = self.kind.about();
        let mut value = json!({
            "type": format!("/problems/{name}"),
            "status": status.as_u16(),
            "title": title,
            "detail": self.detail,
        });
        if !self.faults.is_empty() {
            let fault = |f: &Fault| json!({ "pointer": f.pointer, "detail": f.detail });
            value["errors"] = self.faults.iter().map(fault).collect::<Vec<Value>>().into();
        }
        let mut response = reply::with_type(*status, &value, "application/problem+json");
        if self.kind == Kind::Unauthorized {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// What a `type` points to: the problem, explained.
pub(super) fn explained(kind: Kind) -> Response<Full<Bytes>> {
    let About { name, status, title, advice, .. } = kind.about();
    reply::document(&json!({
        "type": format!("/problems/{name}"),
        "status": status.as_u16(),
        "title": title,
        "advice": advice,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_kind_is_found_by_its_name() {
        let names: HashSet<&str> = ABOUT.iter().map(|about| about.name).collect();
        assert_eq!(names.len(), ABOUT.len());
        for about in &ABOUT {
            assert_eq!(about.kind.about().name, about.name);
            assert_eq!(Kind::named(about.name), Some(about.kind));
            assert!(!about.status.is_success());
        }
        assert_eq!(Kind::named("other"), None);
    }
}
