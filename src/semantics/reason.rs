//! Why a request was treated as it was: one list for `Cache-Status; detail=`, logs,
//! metrics, documents and the operator's pages. `docs/reasons/` has a page for each.

use std::fmt;

/// What a reason is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The response is not stored: the clauses that
    /// [`storable::decide`](super::storable::decide) goes through.
    NotStored,
    /// The cache has no part in the request, or the request went alone.
    Passed,
    /// A stored response was answered, and there is more to say about that.
    Served,
    /// No answer came from the origin, or none could be given.
    Failed,
}

impl Kind {
    /// The kind in a word, for logs and documents.
    pub fn token(self) -> &'static str {
        match self {
            Kind::NotStored => "not-stored",
            Kind::Passed => "passed",
            Kind::Served => "served",
            Kind::Failed => "failed",
        }
    }
}

/// Makes the enum and its table, so that a reason stands in one place.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $kind:ident, $sentence:literal;)*) => {
        /// Why a request was treated as it was, beyond what
        /// [`Outcome`](super::cache_status::Outcome) says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        /// What is said about each, in the order of the reasons.
        const TABLE: &[(Reason, &str, Kind, &str)] =
            &[$((Reason::$name, $code, Kind::$kind, $sentence),)*];
    };
}

reasons! {
    /// The request's method is neither GET nor QUERY.
    Method, "method", NotStored, "only answers to GET and QUERY are stored";
    /// The status is not stored: 304, or a 206 that was not asked for.
    Status, "status", NotStored, "a response with this status is not stored";
    /// The status speaks of how it was asked for, not of what was asked for.
    Provoked, "provoked", NotStored,
        "the status may be due to this request's own oddities: others need not get it";
    /// The path pretends to be something else than the response is, and nothing states a lifetime.
    Pretence, "pretence", NotStored,
        "the path has an extension that the type belies, an encoded delimiter, dots or a \
        parameter, and the response states no lifetime";
    /// It answers a request for a part, and is not one whose place is known.
    Part, "part", NotStored, "it answers a range, and is not one part whose place is known";
    /// `must-understand` with a status that this cache does not know.
    NotUnderstood, "must-understand", NotStored,
        "must-understand stands beside a status that is not known";
    /// `no-store`.
    NoStore, "no-store", NotStored, "the response says no-store";
    /// `private`.
    Private, "private", NotStored, "the response says private: it is for one visitor";
    /// The request was authorized, and nothing allows to share the answer.
    Authorization, "authorization", NotStored,
        "the request bears Authorization, and the response says neither public nor s-maxage";
    /// The response sets a cookie.
    SetCookie, "set-cookie", NotStored, "the response sets a cookie, which is for one visitor";
    /// `Vary: *`.
    VaryAny, "vary-any", NotStored, "the response says Vary: *";
    /// It is a stream of events, which has no end and is about what happens now.
    EventStream, "event-stream", NotStored, "the response is a stream of events, which has no end";
    /// The request bore an identifying cookie, and nothing states a lifetime.
    IdentityCookie, "identity-cookie", NotStored,
        "the request bears a cookie that identifies its visitor, and the response states no \
        lifetime, nor that it is public";
    /// The request bore a key or the like, and nothing states a lifetime.
    IdentityField, "identity-field", NotStored,
        "the request bears a key, or another field that identifies its visitor, and the response \
        states no lifetime, nor that it is public";
    /// Nothing states a lifetime, and there is no validator.
    NoLifetime, "no-lifetime", NotStored,
        "the response states no lifetime and has no validator";
    /// The body is larger than the largest that is kept.
    TooLarge, "too-large", NotStored, "the body is larger than max_object";
    /// A WebSocket, which is a tunnel.
    Upgrade, "upgrade", Passed, "a WebSocket is a tunnel between its client and the app";
    /// A GET or HEAD with a body.
    RequestBody, "request-body", Passed, "a GET with a body is none of the cache's business";
    /// Parts that the cache does not fetch: several, on a condition, or of an answer to QUERY.
    Range, "range", Passed,
        "several parts at a time, or parts of an answer to QUERY, are not fetched for the cache";
    /// The head alone was asked for, and no whole answer is stored.
    Head, "head", Passed, "a request for the head alone brings nothing that could be stored";
    /// The request says `no-store`, and its client may demand that.
    RequestNoStore, "request-no-store", Passed,
        "the request says no-store, and its client may demand that";
    /// A condition that only the origin can judge.
    Precondition, "precondition", Passed, "only the app can judge If-Match and the like";
    /// The request bears a cookie of `bypass_cookies`.
    BypassCookie, "bypass-cookie", Passed, "the request bears a cookie of bypass_cookies";
    /// The path is one of `bypass_paths`, or may be read as one.
    BypassPath, "bypass-path", Passed, "the path is one of bypass_paths, or below one";
    /// The content of a QUERY is larger than is held.
    QuerySize, "query-size", Passed, "the content of the QUERY is larger than limits.query";
    /// What another one's fetch brought was stale when it came.
    CameTooLate, "came-too-late", Passed,
        "what it waited for was not fresh any more, or half gone, when it came";
    /// What it waited for was for others, again and again.
    TooManyTries, "too-many-tries", Passed,
        "what it waited for was for others several times, so it went alone";
    /// Fresh, and fetched again behind because its end is near.
    EarlyRefresh, "early-refresh", Served,
        "it is asked for often and near its end, so it is fetched again meanwhile";
    /// Stale, and validated behind.
    StaleWhileRevalidate, "stale-while-revalidate", Served,
        "it is stale, and being validated meanwhile";
    /// Purged softly, and validated behind.
    SoftPurge, "soft-purge", Served, "it was purged softly, and is being validated meanwhile";
    /// Stale, which the request allows.
    MaxStale, "max-stale", Served, "it is stale, and the request's max-stale allows that";
    /// The origin answered with an error, and a stale response stands in.
    StaleIfError, "stale-if-error", Served,
        "the app answered with an error; the stale page stands in";
    /// The origin takes its time, and a stale response stands in.
    StaleIfSlow, "stale-if-slow", Served, "the app takes its time; the stale page stands in";
    /// The origin can't be reached, and a stale response stands in.
    StaleWhenDown, "stale-when-down", Served,
        "the app could not be reached; the stale page stands in";
    /// The request says `only-if-cached`, and nothing stored can be used.
    OnlyIfCached, "only-if-cached", Failed,
        "the request says only-if-cached, and nothing that is stored can be used";
    /// No connection to the origin could be made.
    Connect, "connect", Failed, "the app could not be reached";
    /// None could be made in time.
    ConnectTimeout, "connect-timeout", Failed, "the app did not accept the connection in time";
    /// One side did not show the other who it is, or did not speak TLS.
    Tls, "tls", Failed, "the app could not be reached safely: TLS failed";
    /// larder has no descriptor left for a connection.
    NoSocket, "no-socket", Failed, "larder has no file descriptor left for a connection to the app";
    /// larder has no memory left for what would come.
    NoMemory, "no-memory", Failed, "larder has no memory left for what would come";
    /// Every connection was in use for as long as a request may wait.
    OriginBusy, "origin-busy", Failed,
        "every connection to the app was in use for as long as a request may wait";
    /// As many requests wait for the origin as may.
    QueueFull, "queue-full", Failed,
        "every connection to the app was in use, and as many requests waited as may";
    /// As many of the client's requests are at the origin as may be of one address.
    OriginPerIp, "origin-per-ip", Failed,
        "as many requests of this address are at the app as may be";
    /// No head of a response came in time.
    FirstByteTimeout, "first-byte-timeout", Failed, "the app did not begin to answer in time";
    /// The whole took longer than it may.
    TotalTimeout, "total-timeout", Failed, "the app and the wait for it took too long altogether";
    /// The connection ended, or what came was not HTTP.
    BrokenResponse, "broken-response", Failed,
        "the app broke off its answer, or what it sent was not HTTP";
    /// The origin changed to another protocol, which nobody had asked for.
    UnaskedUpgrade, "unasked-upgrade", Failed,
        "the app changed to another protocol, which nobody had asked for";
    /// It answered 304, though no condition was made.
    UnaskedNotModified, "unasked-304", Failed, "the app answered 304, though no condition was made";
    /// It answered 206, though no range was asked for.
    UnaskedPart, "unasked-206", Failed, "the app answered 206, though no range was asked for";
    /// Its body is in a transfer coding that nobody had asked for.
    UnaskedCoding, "unasked-coding", Failed,
        "the app answered in a transfer coding that nobody had asked for";
    /// A page with placeholders that can't be filled.
    Unfillable, "unfillable", Failed,
        "the app left placeholders in its answer that can't be filled: nobody is to see them";
    /// The request's body did not come, or was too large.
    BrokenUpload, "broken-upload", Failed,
        "the request's body did not come whole and in time, or was too large";
    /// Something in larder went wrong.
    Internal, "internal", Failed, "something in larder went wrong; the log says what";
}

impl Reason {
    /// How many there are.
    pub const COUNT: usize = TABLE.len();

    /// A short stable name, for `Cache-Status; detail=`, logs, metrics and documents.
    pub fn code(self) -> &'static str {
        TABLE[self.index()].1
    }

    /// What it is about.
    pub fn kind(self) -> Kind {
        TABLE[self.index()].2
    }

    /// The reason in a sentence, for people.
    pub fn sentence(self) -> &'static str {
        TABLE[self.index()].3
    }

    /// Its place among [all](Reason::all).
    pub fn index(self) -> usize {
        self as usize
    }

    /// The reason lies in the response, not in who asked for it.
    pub fn is_about_the_response(self) -> bool {
        use Reason::{Authorization, IdentityCookie, IdentityField, Method, Part, Provoked};
        let is_about_who_asked = matches!(self, Authorization | IdentityCookie | IdentityField);
        self.kind() == Kind::NotStored
            && !is_about_who_asked
            && !matches!(self, Method | Part | Provoked)
    }

    /// A stored response was answered though it was stale.
    pub fn is_stale_answer(self) -> bool {
        self.kind() == Kind::Served && self != Reason::EarlyRefresh
    }

    /// The reason with this code, if there is one.
    pub fn from_code(code: &str) -> Option<Reason> {
        Reason::all().find(|reason| reason.code() == code)
    }

    /// Every reason.
    pub fn all() -> impl Iterator<Item = Reason> {
        TABLE.iter().map(|row| row.0)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        for (at, reason) in Reason::all().enumerate() {
            assert_eq!(reason.index(), at, "{reason}");
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
            let is_token = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(reason.code().chars().all(is_token), "{reason}");
            assert!(!reason.sentence().is_empty() && !reason.sentence().ends_with('.'));
        }
    }
}
