//! An origin that is not who it has to be, or can't be spoken to: 502, nothing
//! sent, nothing stored.

use super::{IN_VAIN, Trust, origin};
use crate::harness::{
    Authority, Connection, Gate, Origin, Secured, Server, get, reply, request, wait_until,
};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// It is answered with 502, every time, and the log says why.
fn refused(trust: &Trust, address: SocketAddr, why: &str) {
    let larder = trust.larder(&format!("https://{address}"), &[("LARDER_ORIGIN__HOLD", "0s")]);
    for _ in 0..2 {
        let page = larder.get("/kept");
        assert_eq!((page.status, page.cache_status()), (502, IN_VAIN), "{why}");
        assert_eq!(page.field("cache-control"), Some("no-store"));
        let post = request(larder.proxy, "POST", "/kept", &[], b"x");
        assert_eq!((post.status, post.cache_status()), (502, "larder; fwd=method; detail=tls"));
    }
    larder.says(&format!("no TLS connection: {why}"));
    assert_eq!(larder.stat("/memory/targets"), 0);
}

#[test]
fn a_certificate_that_proves_nothing_is_502() {
    let (trust, origin) = (Trust::new(), origin());
    let names = ["localhost", "127.0.0.1"];
    let ours = &trust.authority;
    let day = rcgen::date_time_ymd;
    let over = ours.issue_but(&names, |params| params.not_after = day(2020, 1, 1));
    // As `openssl req -x509` makes them.
    let authority = ours.issue_but(&names, |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    let early = ours.issue_but(&names, |params| params.not_before = day(4000, 1, 1));
    for (issued, why) in [
        (Authority::new().issue(&names), "invalid peer certificate: UnknownIssuer"),
        (ours.issue(&["localhost"]), "invalid peer certificate: certificate not valid for name"),
        (over, "invalid peer certificate: certificate expired"),
        (early, "invalid peer certificate: certificate not valid yet"),
        (authority, "invalid peer certificate: it is that of an authority (CA:TRUE)"),
    ] {
        let secured = Secured::in_front_of(origin.address, Server::with(&issued));
        refused(&trust, secured.address, why);
        assert!(secured.handshakes().iter().all(|handshake| handshake.failed.is_some()));
    }
    assert_eq!(origin.count(), 0, "nothing was sent");
}

#[test]
fn a_server_that_speaks_something_else_is_502() {
    let (trust, origin) = (Trust::new(), origin());
    let plain = Origin::raw(|_, mut stream| {
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(reply(400, &[], "what was that?").as_bytes());
    });
    refused(&trust, plain.address, "received corrupt message of type InvalidContentType");
    let h2 = Secured::in_front_of(origin.address, trust.server().speaking("h2"));
    refused(&trust, h2.address, "received fatal alert: NoApplicationProtocol");
    let old = Origin::raw(|_, mut stream| {
        // A ServerHello of TLS 1.1: version, random, no session, a cipher, no compression.
        let hello = [&[3, 2][..], &[7; 32], &[0], &[0xc0, 0x13], &[0]].concat();
        let length = hello.len() as u8;
        let record = [&[22, 3, 2, 0, length + 4, 2, 0, 0, length][..], &hello].concat();
        let _ = stream.write_all(&record);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    refused(&trust, old.address, "peer is incompatible: ServerDoesNotSupportTls12Or13");
    assert_eq!(origin.count(), 0);
}

#[test]
fn a_server_that_ends_in_the_handshake_is_as_good_as_away() {
    let trust = Trust::new();
    let closing = Origin::raw(|_, mut stream| {
        let _ = stream.read(&mut [0; 1024]);
    });
    refused(&trust, closing.address, "tls handshake eof");
    // With a time to hold, a request waits for it to come back.
    let (gate, origin) = (Gate::closed(), origin());
    let secured = Secured::in_front_of(origin.address, trust.server());
    let (has_tried, behind) = (gate.clone(), secured.address);
    let restarted = Arc::new(AtomicBool::new(false));
    let restarting = Arc::clone(&restarted);
    let front = Origin::raw(move |_, outside| match restarting.load(Ordering::SeqCst) {
        true => super::pipe(outside, behind),
        false => has_tried.open(),
    });
    let larder = trust.larder(&format!("https://{}", front.address), &[]);
    let mut client = Connection::open(larder.proxy);
    client.ask("/", "");
    gate.pass();
    restarted.store(true, Ordering::SeqCst);
    assert_eq!(client.answer("GET").expect("an answer").status, 200);
}

#[test]
fn a_handshake_that_stalls_is_504() {
    let trust = Trust::new();
    let gate = Gate::closed();
    let waits = gate.clone();
    let stalling = Origin::raw(move |_, _stream| waits.pass());
    let env = [("LARDER_ORIGIN__CONNECT_TIMEOUT", "300ms")];
    let larder = trust.larder(&format!("https://{}", stalling.address), &env);
    let page = larder.get("/");
    assert_eq!(page.status, 504);
    assert_eq!(page.cache_status(), "larder; fwd=uri-miss; detail=connect-timeout");
    gate.open();
}

#[test]
fn a_client_without_the_right_certificate_is_told_so_and_gets_502() {
    let (trust, origin) = (Trust::new(), origin());
    let (chain, key) = Authority::new().issue(&["other"]).files(trust.directory.path(), "other");
    let others = [("LARDER_ORIGIN__TLS_CERT", chain.as_str()), ("LARDER_ORIGIN__TLS_KEY", &key)];
    for version in rustls::ALL_VERSIONS {
        let server = trust.server().only(version);
        let server = server.asking_for_certificates_of(&trust.authority);
        let secured = Secured::in_front_of(origin.address, server);
        for (shown, alert) in [(&[][..], "CertificateRequired"), (&others, "UnknownCA")] {
            let larder = trust.larder(&secured.url(), shown);
            let page = larder.get("/kept");
            assert_eq!((page.status, page.cache_status()), (502, IN_VAIN), "{version:?} {alert}");
            larder.says("no TLS connection: received fatal alert: ");
            assert_eq!(larder.stat("/memory/targets"), 0);
        }
    }
    assert_eq!(origin.count(), 0);
}

#[test]
fn what_one_upstream_can_not_be_trusted_with_goes_to_another() {
    let (trust, good, bad) = (Trust::new(), origin(), origin());
    let secured = Secured::in_front_of(good.address, trust.server());
    let other = Server::with(&Authority::new().issue(&["127.0.0.1"]));
    let wrong = Secured::in_front_of(bad.address, other);
    let larder = trust.larder(&format!("{},{}", wrong.url(), secured.url()), &[]);
    for number in 0..40 {
        let post = request(larder.proxy, "POST", &format!("/{number}"), &[], b"x");
        assert_eq!(post.status, 200, "nothing was sent, so a POST too goes to the other");
    }
    assert_eq!((good.count(), bad.count()), (40, 0));
    larder.says("an upstream fails and is left out upstream=https://");
    assert!(wrong.handshakes().len() <= 6, "five, and it is left out");
}

#[test]
fn a_check_of_an_upstream_that_can_not_be_trusted_is_a_bad_one() {
    let (trust, behind) = (Trust::new(), origin());
    let secured = Secured::in_front_of(behind.address, trust.server());
    let wrong = Server::with(&Authority::new().issue(&["127.0.0.1"]));
    let env =
        [("LARDER_ORIGIN__HEALTH_PATH", "/health"), ("LARDER_ORIGIN__HEALTH_INTERVAL", "20ms")];
    let other = origin();
    let larder = trust.larder(&format!("{},{}", secured.url(), other.address), &env);
    let state = || {
        let answer = get(larder.admin, "/v1/stats", &[("Host", "localhost")]);
        answer.text().contains("ejected")
    };
    wait_until("it is well", || behind.asked_for("/health") > 1 && !state());
    secured.becomes(&wrong);
    wait_until("it is left out", state);
    secured.becomes(&trust.server());
    wait_until("it is back", || !state());
}

#[test]
fn what_is_stored_stands_in_while_tls_fails() {
    let (trust, origin) = (Trust::new(), origin());
    let secured = Secured::in_front_of(origin.address, trust.server());
    let larder = trust.larder(&secured.url(), &[("LARDER_ORIGIN__IDLE_TIMEOUT", "0s")]);
    assert_eq!(larder.get("/kept").status, 200);
    secured.becomes(&Server::with(&Authority::new().issue(&["127.0.0.1"])));
    wait_until("it is stale, and nobody can be asked", || {
        let page = larder.get("/kept");
        assert_eq!((page.status, page.text().as_str()), (200, "/kept"));
        page.cache_status().ends_with("detail=stale-when-down")
    });
    assert_eq!(larder.get("/never-seen").cache_status(), IN_VAIN);
    secured.becomes(&trust.server());
    assert_eq!(larder.get("/kept").cache_status(), "larder; fwd=stale; stored");
}
