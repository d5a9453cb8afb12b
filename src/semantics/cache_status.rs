//! What the cache did with a request: `Cache-Status` (RFC 9211), the one enum
//! for the response field, the log line and the metric.

use super::reason::Reason;
use std::fmt;

/// The name this cache goes by in `Cache-Status` and `Via`.
pub const NAME: &str = "larder";

/// Why a request was forwarded (RFC 9211 section 2.2, its closed list).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Forward {
    /// The cache was configured not to handle this request.
    Bypass,
    /// The method's semantics require it.
    Method,
    /// Nothing is stored under this URI.
    UriMiss,
    /// Something is, but no variant for this request.
    VaryMiss,
    /// No response was stored that could be used.
    Miss,
    /// A fresh response was stored that this request may not have.
    Request,
    /// The stored response was stale.
    Stale,
    /// The stored response was a part only.
    Partial,
}

impl Forward {
    /// The token on the wire.
    pub fn token(self) -> &'static str {
        match self {
            Forward::Bypass => "bypass",
            Forward::Method => "method",
            Forward::UriMiss => "uri-miss",
            Forward::VaryMiss => "vary-miss",
            Forward::Miss => "miss",
            Forward::Request => "request",
            Forward::Stale => "stale",
            Forward::Partial => "partial",
        }
    }

    /// The reason in a sentence, for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Forward::Bypass => "such requests are not the cache's business",
            Forward::Method => "answers to this method do not come from a cache",
            Forward::UriMiss => "nothing was stored for this URL",
            Forward::VaryMiss => {
                "what was stored for this URL is for requests with other fields (Vary)"
            }
            Forward::Miss => "nothing that was stored could be used",
            Forward::Request => {
                "what was stored is not for this request: it demands a newer one, or is from a \
                 visitor who is identified, for whom the default lifetime is not"
            }
            Forward::Stale => "what was stored was stale",
            Forward::Partial => "only a part was stored",
        }
    }

    /// The reason with this token, if there is one.
    pub fn from_token(token: &str) -> Option<Forward> {
        Forward::ALL.into_iter().find(|forward| forward.token() == token)
    }

    /// All of them.
    pub const ALL: [Forward; 8] = [
        Forward::Bypass,
        Forward::Method,
        Forward::UriMiss,
        Forward::VaryMiss,
        Forward::Miss,
        Forward::Request,
        Forward::Stale,
        Forward::Partial,
    ];
}

/// Answered from the store, or forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Answered without asking the origin.
    Hit,
    /// Forwarded, for this reason.
    Forwarded(Forward),
    /// Answered by larder itself: a refusal, a purge.
    Own,
}

impl Outcome {
    /// The outcome in one word, for logs and metrics.
    pub fn token(self) -> &'static str {
        match self {
            Outcome::Hit => "hit",
            Outcome::Forwarded(forward) => forward.token(),
            Outcome::Own => "none",
        }
    }
}

/// One member of `Cache-Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheStatus {
    /// Answered from the store, or forwarded and why.
    pub outcome: Outcome,
    /// Seconds for which the response stays fresh; negative if it is stale.
    pub ttl: Option<i64>,
    /// The status that the origin answered, where it is not the client's.
    pub forward_status: Option<u16>,
    /// The response was stored.
    pub stored: bool,
    /// The request was answered by another one's fetch.
    pub collapsed: bool,
    /// Placeholders in it were filled for this visitor; a parameter of larder's own.
    pub filled: bool,
    /// The key, if it is to be told.
    pub key: Option<String>,
    /// What more there is to say: why a response was not stored, say.
    pub detail: Option<Reason>,
}

impl CacheStatus {
    /// The plain member for an outcome; the rest is set by whoever knows it.
    pub fn new(outcome: Outcome) -> CacheStatus {
        CacheStatus {
            outcome,
            ttl: None,
            forward_status: None,
            stored: false,
            collapsed: false,
            filled: false,
            key: None,
            detail: None,
        }
    }

    /// A request that was forwarded for this reason.
    pub fn forwarded(forward: Forward) -> CacheStatus {
        CacheStatus::new(Outcome::Forwarded(forward))
    }
}

/// Writes a structured string (RFC 9651 section 4.1.6); what is not ASCII, as
/// percent-encoded bytes.
fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => write!(f, "\\{}", char::from(byte))?,
            b' '..=b'~' => write!(f, "{}", char::from(byte))?,
            _ => write!(f, "%{byte:02X}")?,
        }
    }
    f.write_str("\"")
}

/// Writes the member as it stands on the wire.
///
/// ```
/// use larder::semantics::cache_status::*;
/// let mut status = CacheStatus::new(Outcome::Hit);
/// status.ttl = Some(57);
/// assert_eq!(status.to_string(), "larder; hit; ttl=57");
/// status.filled = true;
/// assert_eq!(status.to_string(), "larder; hit; ttl=57; filled");
/// let mut status = CacheStatus::forwarded(Forward::UriMiss);
/// status.stored = true;
/// assert_eq!(status.to_string(), "larder; fwd=uri-miss; stored");
/// status.key = Some("http://a.example/\"é".into());
/// assert_eq!(
///     status.to_string(),
///     r#"larder; fwd=uri-miss; stored; key="http://a.example/\"%C3%A9""#
/// );
/// ```
impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        match self.outcome {
            Outcome::Hit => f.write_str("; hit")?,
            Outcome::Forwarded(forward) => write!(f, "; fwd={}", forward.token())?,
            Outcome::Own => {}
        }
        if let Some(status) = self.forward_status {
            write!(f, "; fwd-status={status}")?;
        }
        if let Some(ttl) = self.ttl {
            write!(f, "; ttl={ttl}")?;
        }
        if self.stored {
            f.write_str("; stored")?;
        }
        if self.collapsed {
            f.write_str("; collapsed")?;
        }
        if self.filled {
            f.write_str("; filled")?;
        }
        if let Some(key) = &self.key {
            f.write_str("; key=")?;
            write_string(f, key)?;
        }
        match self.detail {
            Some(detail) => write!(f, "; detail={detail}"),
            None => Ok(()),
        }
    }
}
