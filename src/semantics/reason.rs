//! Why a response is not stored: the names of the clauses that
//! [`storable::decide`](super::storable::decide) goes through.

/// Why a response is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The request's method is neither GET nor QUERY.
    Method,
    /// The status is not stored: 304, or a 206 that was not asked for.
    Status,
    /// The status speaks of how it was asked for, not of what was asked for.
    Provoked,
    /// The path pretends to be something else than the response is, and nothing
    /// states a lifetime.
    Pretence,
    /// It answers a request for a part, and is not one whose place is known.
    Part,
    /// `must-understand` with a status that this cache does not know.
    NotUnderstood,
    /// `no-store`.
    NoStore,
    /// `private`.
    Private,
    /// The request was authorized, and nothing allows to share the answer.
    Authorization,
    /// The response sets a cookie.
    SetCookie,
    /// `Vary: *`.
    VaryAny,
    /// It is a stream of events, which has no end and is about what happens now.
    EventStream,
    /// The request bore an identifying cookie, and nothing states a lifetime.
    IdentityCookie,
    /// Nothing states a lifetime, and there is no validator.
    NoLifetime,
    /// The body is larger than the largest that is kept.
    TooLarge,
}

impl Reason {
    /// A short stable name, for `Cache-Status; detail=`, logs and documents.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Method => "method",
            Reason::Status => "status",
            Reason::Provoked => "provoked",
            Reason::Pretence => "pretence",
            Reason::Part => "part",
            Reason::NotUnderstood => "must-understand",
            Reason::NoStore => "no-store",
            Reason::Private => "private",
            Reason::Authorization => "authorization",
            Reason::SetCookie => "set-cookie",
            Reason::VaryAny => "vary-any",
            Reason::EventStream => "event-stream",
            Reason::IdentityCookie => "identity-cookie",
            Reason::NoLifetime => "no-lifetime",
            Reason::TooLarge => "too-large",
        }
    }

    /// The reason in a sentence, for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::Method => "only answers to GET and QUERY are stored",
            Reason::Status => "a response with this status is not stored",
            Reason::Provoked => {
                "the status may be due to this request's own oddities: others need not get it"
            }
            Reason::Pretence => {
                "the path has an extension that the type belies, an encoded delimiter, dots or a \
                 parameter, and the response states no lifetime"
            }
            Reason::Part => "it answers a range, and is not one part whose place is known",
            Reason::NotUnderstood => "must-understand stands beside a status that is not known",
            Reason::NoStore => "the response says no-store",
            Reason::Private => "the response says private: it is for one visitor",
            Reason::Authorization => {
                "the request bears Authorization, and the response says neither public nor s-maxage"
            }
            Reason::SetCookie => "the response sets a cookie, which is for one visitor",
            Reason::VaryAny => "the response says Vary: *",
            Reason::EventStream => "the response is a stream of events, which has no end",
            Reason::IdentityCookie => {
                "the request bears a cookie that identifies its visitor, and the response \
                 states no lifetime, nor that it is public"
            }
            Reason::NoLifetime => {
                "the response states no lifetime and has no validator; default_ttl gives \
                 a lifetime to those for visitors who are not identified; an answer to QUERY has \
                 to state one"
            }
            Reason::TooLarge => "the body is larger than max_object",
        }
    }

    /// The reason lies in the response, not in who asked for it.
    pub fn is_about_the_response(self) -> bool {
        use Reason::{Authorization, IdentityCookie, Method, Part, Provoked};
        !matches!(self, Method | Part | Provoked | Authorization | IdentityCookie)
    }

    /// The reason with this code, if there is one.
    pub fn from_code(code: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Every reason.
    pub const ALL: [Reason; 15] = [
        Reason::Method,
        Reason::Status,
        Reason::Provoked,
        Reason::Pretence,
        Reason::Part,
        Reason::NotUnderstood,
        Reason::NoStore,
        Reason::Private,
        Reason::Authorization,
        Reason::SetCookie,
        Reason::VaryAny,
        Reason::EventStream,
        Reason::IdentityCookie,
        Reason::NoLifetime,
        Reason::TooLarge,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
        }
    }
}
