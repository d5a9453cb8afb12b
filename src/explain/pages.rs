//! What to do about a reason: sections of its page in `docs/reasons/`.

use crate::semantics::reason::Reason;
use serde::Serialize;

/// What to do about something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// For any app.
    pub any: Option<&'static str>,
    /// For Django.
    pub django: Option<&'static str>,
    /// For Flask.
    pub flask: Option<&'static str>,
}

impl Fix {
    /// What its page says.
    pub fn of(reason: Reason) -> Fix {
        let page = page(reason);
        Fix {
            any: section(page, "What to do"),
            django: section(page, "In Django"),
            flask: section(page, "In Flask"),
        }
    }
}

macro_rules! pages {
    ($($reason:ident $code:literal)*) => {
        /// The page of a reason, as it stands in the repository.
        pub fn page(reason: Reason) -> &'static str {
            match reason {
                $(Reason::$reason =>
                    include_str!(concat!("../../docs/reasons/", $code, ".md")),)*
            }
        }
    };
}

pages! {
    Method "method"
    Status "status"
    Provoked "provoked"
    Pretence "pretence"
    Part "part"
    NotUnderstood "must-understand"
    NoStore "no-store"
    Private "private"
    Authorization "authorization"
    SetCookie "set-cookie"
    VaryAny "vary-any"
    EventStream "event-stream"
    IdentityCookie "identity-cookie"
    IdentityField "identity-field"
    NoLifetime "no-lifetime"
    TooLarge "too-large"
    Upgrade "upgrade"
    RequestBody "request-body"
    Range "range"
    Head "head"
    RequestNoStore "request-no-store"
    Precondition "precondition"
    BypassCookie "bypass-cookie"
    BypassPath "bypass-path"
    QuerySize "query-size"
    CameTooLate "came-too-late"
    TooManyTries "too-many-tries"
    EarlyRefresh "early-refresh"
    StaleWhileRevalidate "stale-while-revalidate"
    SoftPurge "soft-purge"
    MaxStale "max-stale"
    StaleIfError "stale-if-error"
    StaleIfSlow "stale-if-slow"
    StaleWhenDown "stale-when-down"
    OnlyIfCached "only-if-cached"
    Connect "connect"
    ConnectTimeout "connect-timeout"
    Tls "tls"
    NoSocket "no-socket"
    NoMemory "no-memory"
    OriginBusy "origin-busy"
    QueueFull "queue-full"
    OriginPerIp "origin-per-ip"
    FirstByteTimeout "first-byte-timeout"
    TotalTimeout "total-timeout"
    BrokenResponse "broken-response"
    UnaskedUpgrade "unasked-upgrade"
    UnaskedNotModified "unasked-304"
    UnaskedPart "unasked-206"
    UnaskedCoding "unasked-coding"
    Unfillable "unfillable"
    BrokenUpload "broken-upload"
    Internal "internal"
}

/// The text below a heading of the second order.
fn section(page: &'static str, title: &str) -> Option<&'static str> {
    let mut parts = page.split("\n## ").skip(1);
    let part = parts.find_map(|part| part.strip_prefix(title)?.strip_prefix('\n'))?;
    Some(part.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_page() {
        for reason in Reason::all() {
            let title = page(reason).lines().next();
            assert_eq!(title, Some(format!("# {reason}").as_str()));
            assert!(Fix::of(reason).any.is_some(), "{reason}");
        }
    }
}
