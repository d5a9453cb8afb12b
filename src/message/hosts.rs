//! The hosts that are served here, if the operator names them.

/// Names of hosts, in lower case and without ports; `*.` stands for whatever is in front of
/// the rest. None is any.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Vec<Box<str>>);

impl Hosts {
    /// Those with these names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Hosts {
        Hosts(names.into_iter().map(Box::from).collect())
    }

    /// Whether a host is served, at whichever port.
    pub(super) fn have(&self, host: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let name = match host.rsplit_once(':') {
            Some((name, port)) if is_port(port) => name,
            _ => host,
        };
        let is_it = |wanted: &str| match wanted.strip_prefix('*') {
            Some(rest) => name.strip_suffix(rest).is_some_and(|front| !front.is_empty()),
            None => name == wanted,
        };
        self.0.iter().any(|wanted| is_it(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::options;
    use crate::message::{Options, Peer, Plain};

    #[test]
    fn a_host_is_served_at_whichever_port() {
        assert!(Hosts::default().have("a.test"), "any is");
        let hosts = Hosts::new(["a.test", "*.b.test", "[::1]"]);
        for host in ["a.test", "a.test:8080", "x.b.test", "x.y.b.test:1", "[::1]", "[::1]:80"] {
            assert!(hosts.have(host), "{host}");
        }
        for host in ["b.test", ".b.test", "xb.test", "a.test.", "x.a.test", "a.test.evil", "[::2]"]
        {
            assert!(!hosts.have(host), "{host}");
        }
    }

    #[test]
    fn only_what_is_for_a_host_that_is_served_is_plain() {
        let options = Options { hosts: Hosts::new(["a.test"]), ..options() };
        for (line, peer, is_plain) in [
            ("Host: a.test:8080", "192.0.2.1:5", true),
            ("Host: b.test", "192.0.2.1:5", false),
            ("Host: b.test\r\nX-Forwarded-Host: a.test", "192.0.2.1:5", false),
            ("Host: b.test\r\nX-Forwarded-Host: a.test", "10.0.0.1:5", true),
            ("Host: a.test\r\nX-Forwarded-Host: b.test", "10.0.0.1:5", false),
        ] {
            let head = format!("GET / HTTP/1.1\r\n{line}\r\n\r\n");
            let peer = Peer::new(peer.parse().expect("an address"));
            assert_eq!(Plain::read(head.as_bytes(), &peer, &options).is_some(), is_plain, "{line}");
        }
    }
}
