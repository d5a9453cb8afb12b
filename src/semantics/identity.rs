//! Request fields besides `Authorization` and cookies that say who a visitor is: keys of
//! APIs, tokens, and what proxies and platforms that let visitors in tell the app of them.
//!
//! RFC 9111 knows `Authorization` alone. An app that says for how long an answer is good
//! is believed whoever asks; but where it says nothing, nobody guesses for a visitor who
//! has shown a key.

use http::header::{HeaderMap, HeaderName};

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

/// Beginnings of others, without the `x-` that all of these have.
const FAMILIES: [&str; 17] = [
    "amz-security-",
    "amzn-mtls-clientcert",
    "amzn-oidc-",
    "auth-request-",
    "authenticated-",
    "authentik-",
    "client-cert",
    "consumer-",
    "credential-",
    "goog-api-key",
    "goog-authenticated-user-",
    "goog-iap-",
    "ms-client-principal",
    "ms-token-",
    "pomerium-",
    "vouch-",
    "webauth-",
];

/// Whether a field is known to say who a visitor is. What says whether a certificate was
/// shown is there without one too.
fn is_credential(name: &str) -> bool {
    let bytes = name.as_bytes();
    match bytes {
        [b'x', b'-', b's', b's', b'l', ..] | [b's', b's', b'l', b'-', ..] => {
            let of_client = name.strip_prefix("x-").unwrap_or(name).strip_prefix("ssl-client-");
            of_client.is_some_and(|rest| rest != "verify") || is_listed(name)
        }
        [b'x', b'-', ..] => {
            is_listed(name) || FAMILIES.iter().any(|family| name[2..].starts_with(family))
        }
        [b'c', b'f', b'-', ..] => name.starts_with("cf-access-"),
        [b'r', b'e', b'm', b'o', ..] => {
            matches!(name, "remote-email" | "remote-groups" | "remote-name")
        }
        [b't', b'a', b'i', b'l', ..] => name.starts_with("tailscale-user-"),
        [b'a' | b'c' | b'j' | b'o' | b'p', ..] => is_listed(name),
        _ => false,
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
