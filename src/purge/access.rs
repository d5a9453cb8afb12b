//! Who may do what not everybody may: purge, or make the cache ask again.

use http::header::{self, HeaderMap};
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// The networks and the token that permit it.
#[derive(Clone, Default)]
pub struct Access {
    /// Networks that may, as long as nobody claims to have forwarded the request.
    pub networks: Vec<IpNet>,
    /// Who bears this token may, from anywhere.
    pub token: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("networks", &self.networks).finish_non_exhaustive()
    }
}

impl Access {
    /// Whether a request from this address that bears this token may. What a
    /// forwarding field says of the client is never believed here: a TLS
    /// terminator on the same host must not turn every visitor into loopback.
    pub fn permits(&self, peer: IpAddr, forwarded: bool, given: Option<&[u8]>) -> bool {
        if let (Some(token), Some(given)) = (&self.token, given) {
            return bool::from(token.as_bytes().ct_eq(given));
        }
        !forwarded && self.networks.iter().any(|net| net.contains(&peer.to_canonical()))
    }
}

/// The token of `Authorization: Bearer` (RFC 6750 section 2.1).
pub fn bearer(fields: &HeaderMap) -> Option<&[u8]> {
    let value = fields.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn loopback_may_unless_somebody_forwarded_and_a_token_may_from_anywhere() {
        let networks = vec!["127.0.0.0/8".parse().expect("a network")];
        let access = Access { networks, token: Some("secret".into()) };
        let bearing = |token: &str| {
            let mut fields = HeaderMap::new();
            let value = HeaderValue::from_str(token).expect("a value");
            fields.insert(header::AUTHORIZATION, value);
            fields
        };
        let none = HeaderMap::new();
        for (peer, forwarded, fields, permitted) in [
            ("127.0.0.1", false, &none, true),
            ("::ffff:127.0.0.1", false, &none, true),
            ("127.0.0.1", true, &none, false),
            ("192.0.2.1", false, &none, false),
            ("192.0.2.1", true, &bearing("Bearer secret"), true),
            ("192.0.2.1", true, &bearing("bearer  secret"), true),
            ("192.0.2.1", false, &bearing("Bearer secre"), false),
            ("127.0.0.1", false, &bearing("Bearer wrong"), false),
            ("127.0.0.1", true, &bearing("Basic secret"), false),
        ] {
            let peer: IpAddr = peer.parse().expect("an address");
            assert_eq!(
                access.permits(peer, forwarded, bearer(fields)),
                permitted,
                "{peer} {fields:?}"
            );
        }
    }
}
