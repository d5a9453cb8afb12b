//! What of a request says who its visitor is: `Authorization`, cookies, and other fields
//! with keys of APIs, tokens, and what proxies and platforms that let visitors in tell the
//! app of them.
//!
//! RFC 9111 knows `Authorization` alone. An app that says for how long an answer is good
//! is believed whoever asks; but where it says nothing, nobody guesses for a visitor who
//! has shown a key.

use super::policy::Policy;
use http::header::{self, HeaderMap, HeaderName};

/// Fields that say it by themselves.
fn is_listed(name: &str) -> bool {
    matches!(
        name,
        "access-token"
            | "api-key"
            | "apikey"
            | "auth-token"
            | "client-cert"
            | "client-cert-chain"
            | "job-token"
            | "ocp-apim-subscription-key"
            | "private-token"
            | "remote-email"
            | "remote-groups"
            | "remote-name"
            | "x-access-token"
            | "x-api-key"
            | "x-api-secret"
            | "x-api-token"
            | "x-apikey"
            | "x-app-token"
            | "x-arr-clientcert"
            | "x-auth-email"
            | "x-auth-key"
            | "x-auth-token"
            | "x-auth-user"
            | "x-authorization"
            | "x-client-dn"
            | "x-email"
            | "x-functions-key"
            | "x-gitlab-token"
            | "x-id-token"
            | "x-identity-token"
            | "x-jwt"
            | "x-jwt-assertion"
            | "x-rapidapi-key"
            | "x-rapidapi-user"
            | "x-session-id"
            | "x-session-token"
            | "x-ssl-cert"
            | "x-token"
            | "x-user"
            | "x-user-email"
            | "x-user-id"
            | "x-user-name"
            | "x-user-token"
            | "x-userinfo"
            | "x-username"
            | "x-vault-token"
    )
}

/// Whether a field is one of a family that is known by how its names begin.
fn is_of_family(name: &str) -> bool {
    // Their first letters are looked at first: each field of each request is asked.
    let of_letter: &[&str] = match name.as_bytes() {
        [b'x', b'-', b'a', ..] => &[
            "x-amz-security-",
            "x-amzn-mtls-clientcert",
            "x-amzn-oidc-",
            "x-auth-request-",
            "x-authenticated-",
            "x-authentik-",
        ],
        [b'x', b'-', b'c', ..] => &["x-client-cert", "x-consumer-", "x-credential-"],
        [b'x', b'-', b'g', ..] => &["x-goog-api-key", "x-goog-authenticated-user-", "x-goog-iap-"],
        [b'x', b'-', b'm', ..] => &["x-ms-client-principal", "x-ms-token-"],
        [b'x', b'-', b'p', ..] => &["x-pomerium-"],
        [b'x', b'-', b'v', ..] => &["x-vouch-"],
        [b'x', b'-', b'w', ..] => &["x-webauth-"],
        [b'c', b'f', b'-', ..] => &["cf-access-"],
        [b't', b'a', b'i', ..] => &["tailscale-user-"],
        _ => &[],
    };
    of_letter.iter().any(|family| name.starts_with(family))
}

/// What a server that ends TLS says of its client's certificate. Whether one was shown is
/// told without one too.
fn is_of_certificate(name: &str) -> bool {
    let rest = name.strip_prefix("x-").unwrap_or(name).strip_prefix("ssl-client-");
    rest.is_some_and(|rest| rest != "verify")
}

/// Whether a field is known to say who a visitor is.
fn is_credential(name: &str) -> bool {
    is_listed(name) || is_of_family(name) || is_of_certificate(name)
}

/// What a request says of who its visitor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visitor {
    /// It bears `Authorization`.
    pub authorized: bool,
    /// It bears a cookie that identifies its visitor.
    pub identified: bool,
    /// It bears a key, or another field that says who its visitor is.
    pub credentials: bool,
}

impl Visitor {
    /// Reads it off the fields of a request.
    pub fn of(fields: &HeaderMap, policy: &Policy) -> Visitor {
        Visitor {
            authorized: fields.contains_key(header::AUTHORIZATION),
            identified: policy.cookies.identify(fields),
            credentials: shows_credentials(fields, &policy.identity_fields),
        }
    }

    /// Whether it says anything of that.
    pub fn is_known(self) -> bool {
        self.authorized || self.identified || self.credentials
    }
}

/// Whether a request shows a key, or says else who its visitor is, by a field that is known
/// for that or is one of `named`. An empty one says nothing.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use larder::semantics::identity::shows_credentials;
///
/// let mut fields = HeaderMap::new();
/// fields.append("x-requested-with", HeaderValue::from_static("fetch"));
/// assert!(!shows_credentials(&fields, &[]));
/// fields.append("x-api-key", HeaderValue::from_static("secret"));
/// assert!(shows_credentials(&fields, &[]));
/// ```
pub fn shows_credentials(fields: &HeaderMap, named: &[HeaderName]) -> bool {
    fields.iter().any(|(name, value)| !value.is_empty() && is_one_of(name, named))
}

/// Whether a field says who a visitor is.
pub fn is_one_of(name: &HeaderName, named: &[HeaderName]) -> bool {
    is_credential(name.as_str()) || named.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;

    #[test]
    fn keys_tokens_and_what_those_who_let_visitors_in_tell_are_known() {
        for name in [
            "X-Api-Key",
            "Api-Key",
            "X-Auth-Token",
            "X-Access-Token",
            "X-Auth-Request-User",
            "X-Auth-Request-Access-Token",
            "X-Amzn-Oidc-Data",
            "X-Amzn-Mtls-Clientcert",
            "Cf-Access-Jwt-Assertion",
            "X-Goog-Iap-Jwt-Assertion",
            "X-Goog-Authenticated-User-Email",
            "X-Ms-Client-Principal",
            "X-Ms-Client-Principal-Name",
            "X-SSL-Client-S-DN",
            "X-SSL-Client-Cert",
            "X-SSL-Cert",
            "SSL-Client-Cert",
            "X-Client-Cert",
            "Client-Cert",
            "Private-Token",
            "Ocp-Apim-Subscription-Key",
            "Remote-Email",
            "Tailscale-User-Login",
        ] {
            assert!(shows_credentials(&fields(&[(name, "alice")]), &[]), "{name}");
            assert!(!shows_credentials(&fields(&[(name, "")]), &[]), "{name}: empty");
        }
    }

    #[test]
    fn what_everybody_sends_says_nothing() {
        for name in [
            "Accept",
            "Accept-Language",
            "Cache-Control",
            "Connection",
            "Origin",
            "Pragma",
            "Referer",
            "Sec-Fetch-Site",
            "SSL-Client-Verify",
            "User-Agent",
            "X-Csrf-Token",
            "X-Forwarded-For",
            "X-Request-Id",
            "X-Requested-With",
            "X-SSL-Client-Verify",
            "X-User-Agent",
        ] {
            assert!(!shows_credentials(&fields(&[(name, "x")]), &[]), "{name}");
        }
        let named = [HeaderName::from_static("x-tenant")];
        assert!(shows_credentials(&fields(&[("X-Tenant", "one")]), &named));
        assert!(!shows_credentials(&fields(&[("X-Tenant", "one")]), &[]));
    }
}
