//! An origin that is who it has to be.

use super::{Trust, origin};
use crate::harness::{Connection, Larder, Secured, Server, request, wait_until};

#[test]
fn a_page_comes_over_tls_and_is_stored() {
    let (trust, origin) = (Trust::new(), origin());
    let secured = Secured::in_front_of(origin.address, trust.server());
    let larder = trust.larder(&secured.named_url(), &[]);
    let page = larder.get("/kept");
    assert_eq!((page.status, page.text().as_str()), (200, "/kept"));
    assert_eq!(page.cache_status(), "larder; fwd=uri-miss; stored");
    assert!(larder.get("/kept").is_hit());
    let seen = origin.last();
    assert_eq!(seen.field("host"), Some("site.test"), "the client's");
    assert_eq!(seen.field("x-forwarded-proto"), Some("http"), "the client's side counts");
    let shaken = &secured.handshakes()[0];
    assert_eq!(shaken.name.as_deref(), Some("localhost"));
    assert_eq!(shaken.protocol.as_deref(), Some("http/1.1"));
    assert!(!shaken.client_shown && shaken.failed.is_none());
}

#[test]
fn one_handshake_serves_many_requests_and_a_new_connection_resumes() {
    let (trust, origin) = (Trust::new(), origin());
    let secured = Secured::in_front_of(origin.address, trust.server());
    let larder = trust.larder(&secured.url(), &[]);
    let mut client = Connection::open(larder.proxy);
    for number in 0..50 {
        client.ask(&format!("/{number}"), "");
        assert_eq!(client.answer("GET").expect("an answer").status, 200);
    }
    assert_eq!((origin.count(), secured.handshakes().len()), (50, 1));
    // Now each request has a connection of its own.
    let larder = trust.larder(&secured.url(), &[("LARDER_ORIGIN__IDLE_TIMEOUT", "0s")]);
    for number in 0..5 {
        assert_eq!(larder.get(&format!("/{number}")).status, 200);
    }
    let resumed: Vec<bool> = secured.handshakes()[1..].iter().map(|h| h.resumed).collect();
    assert_eq!(resumed, [false, true, true, true, true]);
}

#[test]
fn the_name_is_that_of_the_address_or_the_one_that_is_set() {
    let (trust, origin) = (Trust::new(), origin());
    let other = Server::with(&trust.authority.issue(&["app.internal"]));
    let secured = Secured::in_front_of(origin.address, trust.server());
    let larder = trust.larder(&secured.url(), &[]);
    assert_eq!(larder.get("/").status, 200, "an address in the certificate");
    assert_eq!(secured.handshakes()[0].name, None, "addresses are not told as names");
    let secured = Secured::in_front_of(origin.address, other);
    let larder = trust.larder(&secured.url(), &[("LARDER_ORIGIN__TLS_NAME", "app.internal")]);
    assert_eq!(larder.get("/").status, 200);
    assert_eq!(secured.handshakes()[0].name.as_deref(), Some("app.internal"));
}

#[test]
fn both_versions_are_spoken() {
    let (trust, origin) = (Trust::new(), origin());
    for version in rustls::ALL_VERSIONS {
        let secured = Secured::in_front_of(origin.address, trust.server().only(version));
        let larder = trust.larder(&secured.url(), &[]);
        for path in ["/kept", "/other"] {
            assert_eq!(larder.get(path).status, 200, "{version:?}");
        }
    }
}

#[test]
fn the_systems_authorities_are_believed_without_any_of_our_own() {
    let (trust, origin) = (Trust::new(), origin());
    let secured = Secured::in_front_of(origin.address, trust.server());
    let system = [("SSL_CERT_FILE", trust.file.as_str()), ("SSL_CERT_DIR", "")];
    let larder = Larder::with_env(secured.url(), &[], &system);
    assert_eq!(larder.get("/").status, 200);
}

#[test]
fn a_self_signed_certificate_is_its_own_authority() {
    let (trust, origin) = (Trust::new(), origin());
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    let own = crate::harness::Issued { certificate, key: key.serialize_pem() };
    let (file, _) = own.files(trust.directory.path(), "own");
    let secured = Secured::in_front_of(origin.address, Server::with(&own));
    let larder =
        Larder::with_env(secured.named_url(), &[], &[("LARDER_ORIGIN__TLS_CA", file.as_str())]);
    assert_eq!(larder.get("/").status, 200);
}

#[test]
fn a_certificate_is_shown_to_who_asks_for_one() {
    let (trust, origin) = (Trust::new(), origin());
    let (chain, key) = trust.authority.issue(&["larder"]).files(trust.directory.path(), "larder");
    let env = [("LARDER_ORIGIN__TLS_CERT", chain.as_str()), ("LARDER_ORIGIN__TLS_KEY", &key)];
    for version in rustls::ALL_VERSIONS {
        let server = trust.server().only(version);
        let server = server.asking_for_certificates_of(&trust.authority);
        let secured = Secured::in_front_of(origin.address, server);
        let larder = trust.larder(&secured.url(), &env);
        assert_eq!(larder.get("/").status, 200, "{version:?}");
        assert!(secured.handshakes()[0].client_shown);
    }
}

#[test]
fn addresses_of_every_kind_stand_side_by_side() {
    let (trust, behind, plain, local) = (Trust::new(), origin(), origin(), origin());
    let secured = Secured::in_front_of(behind.address, trust.server());
    let socket = trust.directory.path().join("app.sock");
    local.behind_unix_socket(&socket);
    let to = format!("{},{},unix:{}", secured.url(), plain.address, socket.display());
    let larder = trust.larder(&to, &[("LARDER_ORIGIN__HEALTH_PATH", "/health")]);
    let all = [&behind, &plain, &local];
    wait_until("each has been checked", || all.iter().all(|o| o.asked_for("/health") > 0));
    for number in 0..60 {
        assert_eq!(larder.get(&format!("/{number}")).status, 200);
    }
    assert!(all.iter().all(|origin| origin.count() > 5), "{:?}", all.map(|o| o.count()));
}

#[test]
fn a_request_that_changes_something_goes_over_tls_too() {
    let (trust, origin) = (Trust::new(), origin());
    let secured = Secured::in_front_of(origin.address, trust.server());
    let larder = trust.larder(&secured.url(), &[]);
    let answer = request(larder.proxy, "POST", "/form", &[], b"name=value");
    assert_eq!(answer.status, 200);
    assert_eq!(origin.last().body, b"name=value");
}
