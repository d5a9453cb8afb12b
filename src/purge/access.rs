//! Who may do what not everybody may: purge, look, or make the cache ask again.

use super::selectors::{Group, Path, Prefix, Selectors};
use crate::key::Host;
use http::header::{self, HeaderMap};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use subtle::{Choice, ConstantTimeEq};

/// Who is let in: by address alone, or by a token.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Networks that may do everything without a token, as long as nobody claims
    /// to have forwarded the request.
    pub networks: Vec<IpNet>,
    /// Who bears one of these may do what goes with it.
    pub tokens: Vec<Token>,
}

/// A bearer's token: its name, its digest, and what it is good for.
#[derive(Clone)]
pub struct Token {
    name: Arc<str>,
    digest: [u8; 32],
    scope: Scope,
    /// Where it is good; `None` is everywhere.
    networks: Option<Vec<IpNet>>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// Looking: numbers, the record of purges, and what a purge would meet.
    Read,
    /// Purging by tags and nothing else.
    Tags,
    /// Purging by what names one of these hosts, each with its port unless that is
    /// the scheme's own.
    Hosts(Arc<[Box<str>]>),
}

impl Token {
    /// A token as it is sent.
    pub fn plain(name: &str, secret: &str, scope: Scope) -> Token {
        Token::digested(name, Sha256::digest(secret).into(), scope)
    }

    /// A token of which only the SHA-256 is known.
    pub fn digested(name: &str, digest: [u8; 32], scope: Scope) -> Token {
        Token { name: name.into(), digest, scope, networks: None }
    }

    fn is(&self, digest: &[u8]) -> Choice {
        self.digest.ct_eq(digest)
    }

    /// The same, good only when it comes from one of these networks, whoever
    /// claims to have forwarded it.
    pub fn only_from(mut self, networks: Vec<IpNet>) -> Token {
        self.networks = Some(networks);
        self
    }
}

/// Who was let in, and what they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The name of the token, or the address.
    pub who: Arc<str>,
    scope: Scope,
}

/// What somebody may not, in a sentence that doesn't tell what else there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied(String);

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Denied {}

impl Access {
    /// Lets a request from this address that bears this token in, or doesn't. What
    /// a forwarding field says of the client is never believed here: a TLS
    /// terminator on the same host must not turn every visitor into loopback. Who
    /// bears a wrong token is not let in by address.
    ///
    /// Takes the same time for every token of the same length: all digests are
    /// compared, each whole.
    pub fn grant(&self, peer: IpAddr, forwarded: bool, given: Option<&[u8]>) -> Option<Grant> {
        let within = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&peer.to_canonical()));
        if let Some(given) = given.filter(|_| !self.tokens.is_empty()) {
            let digest = Sha256::digest(given);
            // Not `find`, which would stop at the right one.
            let same = |found, token| match bool::from(Token::is(token, &digest)) {
                true => Some(token),
                false => found,
            };
            let token = self.tokens.iter().fold(None, same)?;
            let good_here = token.networks.as_deref().is_none_or(within);
            let grant = Grant { who: Arc::clone(&token.name), scope: token.scope.clone() };
            return good_here.then_some(grant);
        }
        let trusted = !forwarded && within(&self.networks);
        trusted.then(|| Grant { who: peer.to_canonical().to_string().into(), scope: Scope::All })
    }

    /// Whether such a request is let in at all: for what needs no more.
    pub fn permits(&self, peer: IpAddr, forwarded: bool, given: Option<&[u8]>) -> bool {
        self.grant(peer, forwarded, given).is_some()
    }
}

impl Grant {
    /// Whether all of these may be purged.
    ///
    /// # Errors
    /// [`Denied`], by the first that may not.
    pub fn allows(&self, selectors: &Selectors) -> Result<(), Denied> {
        let each = |rule: &dyn Fn(&Selectors) -> Result<(), Denied>| {
            rule(selectors)?;
            for pattern in &selectors.patterns {
                // What has to be searched for may be anywhere.
                match pattern.same() {
                    Some(same) => rule(same)?,
                    None => return Err(Denied(format!("{} may not purge patterns", self.who))),
                }
            }
            Ok(())
        };
        match &self.scope {
            Scope::All => Ok(()),
            Scope::Read => Err(self.may_only("look")),
            Scope::Tags => each(&|selectors| self.allows_tags(selectors)),
            Scope::Hosts(hosts) => each(&|selectors| self.allows_at(hosts, selectors)),
        }
    }

    fn allows_tags(&self, selectors: &Selectors) -> Result<(), Denied> {
        let Selectors { keys, tags: _, groups, hosts, paths, prefixes, patterns: _, everything } =
            selectors;
        let others = keys.len() + groups.len() + hosts.len() + paths.len() + prefixes.len();
        match others == 0 && !everything {
            true => Ok(()),
            false => Err(self.may_only("purge tags")),
        }
    }

    /// A tag, or everything, is not one host's.
    fn allows_at(&self, allowed: &[Box<str>], selectors: &Selectors) -> Result<(), Denied> {
        let Selectors { keys, tags, groups, hosts, paths, prefixes, patterns: _, everything } =
            selectors;
        if *everything || !tags.is_empty() {
            return Err(self.may_only("purge what names one of its hosts"));
        }
        let named = (keys.iter().map(|key| key.target().host()))
            .chain(groups.iter().map(Group::host))
            .chain(hosts.iter().map(Host::as_str))
            .chain(paths.iter().map(Path::host))
            .chain(prefixes.iter().map(Prefix::host));
        for host in named {
            if !allowed.iter().any(|allowed| **allowed == *host) {
                return Err(Denied(format!("{} may not purge at {host}", self.who)));
            }
        }
        Ok(())
    }

    fn may_only(&self, what: &str) -> Denied {
        Denied(format!("{} may only {what}", self.who))
    }

    /// Whether all that is recorded may be looked at, and not only what this one
    /// did.
    pub fn sees_all(&self) -> bool {
        matches!(self.scope, Scope::All | Scope::Read)
    }

    /// Whether it may be looked at what a purge of these would meet.
    ///
    /// # Errors
    /// [`Denied`], as [`Grant::allows`].
    pub fn allows_to_preview(&self, selectors: &Selectors) -> Result<(), Denied> {
        match self.scope {
            Scope::Read => Ok(()),
            _ => self.allows(selectors),
        }
    }

    /// Whether what this one did, or somebody else did, may be looked at.
    pub fn sees(&self, whose: &str) -> bool {
        self.sees_all() || *self.who == *whose
    }

    /// Whether what another one did may be undone, and the configuration be read
    /// again.
    pub fn is_everything(&self) -> bool {
        self.scope == Scope::All
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
    use crate::key::{CacheKey, Target};
    use crate::purge::{Expressions, Pattern};
    use http::HeaderValue;

    fn nets(nets: &[&str]) -> Vec<IpNet> {
        nets.iter().map(|net| net.parse().expect("a network")).collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn loopback_may_unless_somebody_forwarded_and_a_token_may_from_anywhere() {
        let tokens = vec![
            Token::plain("main", "secret", Scope::All),
            Token::plain("office", "desk", Scope::Tags).only_from(nets(&["10.0.0.0/8"])),
        ];
        let access = Access { networks: nets(&["127.0.0.0/8"]), tokens };
        let bearing = |token: &str| {
            let mut fields = HeaderMap::new();
            let value = HeaderValue::from_str(token).expect("a value");
            fields.insert(header::AUTHORIZATION, value);
            fields
        };
        let none = HeaderMap::new();
        for (peer, forwarded, fields, who) in [
            ("127.0.0.1", false, &none, Some("127.0.0.1")),
            ("::ffff:127.0.0.1", false, &none, Some("127.0.0.1")),
            ("127.0.0.1", true, &none, None),
            ("192.0.2.1", false, &none, None),
            ("192.0.2.1", true, &bearing("Bearer secret"), Some("main")),
            ("192.0.2.1", true, &bearing("bearer  secret"), Some("main")),
            ("192.0.2.1", false, &bearing("Bearer secre"), None),
            ("192.0.2.1", false, &bearing("Bearer secretsecret"), None),
            ("192.0.2.1", false, &bearing("Bearer "), None),
            ("127.0.0.1", false, &bearing("Bearer wrong"), None),
            ("127.0.0.1", true, &bearing("Basic secret"), None),
            ("10.1.2.3", true, &bearing("Bearer desk"), Some("office")),
            ("::ffff:10.1.2.3", false, &bearing("Bearer desk"), Some("office")),
            ("127.0.0.1", false, &bearing("Bearer desk"), None),
        ] {
            let granted = access.grant(ip(peer), forwarded, bearer(fields));
            assert_eq!(granted.as_ref().map(|grant| &*grant.who), who, "{peer} {fields:?}");
            assert_eq!(access.permits(ip(peer), forwarded, bearer(fields)), who.is_some());
        }
    }

    #[test]
    fn a_digest_is_as_good_as_the_token() {
        let digest: [u8; 32] = Sha256::digest("secret").into();
        let tokens = vec![Token::digested("main", digest, Scope::All)];
        let access = Access { networks: Vec::new(), tokens };
        assert!(access.permits(ip("192.0.2.1"), true, Some(b"secret")));
        // Who has read the digest has no token.
        for wrong in [&digest[..], b"sha256:2bb80d537b1da3e38bd30361aa855686", b""] {
            assert!(!access.permits(ip("192.0.2.1"), true, Some(wrong)));
        }
        assert!(!format!("{access:?}").contains("digest"));
    }

    #[test]
    fn without_tokens_a_token_says_nothing() {
        let access = Access { networks: nets(&["127.0.0.0/8"]), tokens: Vec::new() };
        assert!(access.permits(ip("127.0.0.1"), false, Some(b"whatever")));
        assert!(!access.permits(ip("192.0.2.1"), false, Some(b"whatever")));
    }

    #[test]
    fn each_scope_covers_what_it_says() {
        let hosts = Scope::Hosts([Box::from("one.test"), Box::from("two.test:8080")].into());
        let target = |url| Target::from_url(url).expect("a URL");
        let key = |url| CacheKey::new(target(url));
        let none = Selectors::default;
        let of_keys = |urls: &[&'static str]| Selectors {
            keys: urls.iter().map(|url| key(url)).collect(),
            ..none()
        };
        let prefix = |url| Prefix::from_url(url).expect("a prefix");
        let host = |name| Host::parse(name).expect("a host");
        let all = Expressions::default();
        let of_pattern = |expressions| {
            let pattern = Pattern::new(&expressions).expect("a pattern");
            Selectors { patterns: vec![pattern], ..none() }
        };
        for (selectors, tags, hosted) in [
            (none(), true, true),
            (Selectors { tags: vec!["a".into()], ..none() }, true, false),
            (of_keys(&["http://one.test/a", "https://two.test:8080/b"]), false, true),
            (of_keys(&["http://one.test/a", "http://two.test/b"]), false, false),
            (of_keys(&["http://www.one.test/a"]), false, false),
            (Selectors { prefixes: vec![prefix("http://one.test/a")], ..none() }, false, true),
            (Selectors { prefixes: vec![prefix("http://three.test/")], ..none() }, false, false),
            (
                Selectors { groups: vec![Group::at(&target("http://one.test/"), "g")], ..none() },
                false,
                true,
            ),
            (Selectors { everything: true, ..none() }, false, false),
            (
                Selectors { paths: vec![Path::of(&target("http://one.test/a"))], ..none() },
                false,
                true,
            ),
            (
                Selectors { paths: vec![Path::of(&target("http://x.test/a"))], ..none() },
                false,
                false,
            ),
            (Selectors { hosts: vec![host("one.test")], ..none() }, false, true),
            (Selectors { hosts: vec![host("x.test")], ..none() }, false, false),
            (of_pattern(Expressions { tags: Some("(^|,)a(,|$)"), ..all }), true, false),
            (of_pattern(Expressions { host: Some("^one[.]test$"), ..all }), false, true),
            (of_pattern(Expressions { host: Some("one[.]test"), ..all }), false, false),
            (of_pattern(Expressions { tags: Some("a"), ..all }), false, false),
            (of_pattern(Expressions { url: Some(".*"), ..all }), false, false),
            (Selectors { tags: vec!["a".into()], ..of_keys(&["http://one.test/a"]) }, false, false),
        ] {
            let allowed = |scope: &Scope| {
                Grant { who: "x".into(), scope: scope.clone() }.allows(&selectors).is_ok()
            };
            let all = [&Scope::All, &Scope::Read, &Scope::Tags, &hosts].map(allowed);
            assert_eq!(all, [true, false, tags, hosted], "{selectors:?}");
        }
    }
}
