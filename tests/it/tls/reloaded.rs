//! The files of certificates are read again by a reload, and one that is wrong
//! changes nothing.

use super::{IN_VAIN, Trust, origin};
use crate::harness::{Authority, Larder, Secured, Server, wait_until};
use crate::reload::Configured;

/// The tables for an origin that is asked over TLS, with more lines about it.
fn tables(secured: &Secured, more: &str) -> String {
    format!(
        "[origin]\nto = \"{}\"\nhold = \"0s\"\nidle_timeout = \"0s\"\n{more}\n",
        secured.named_url()
    )
}

#[test]
fn another_authority_holds_from_the_reload_on() {
    let (trust, origin) = (Trust::new(), origin());
    let other = Authority::new();
    let file = other.file(trust.directory.path(), "other.pem");
    let secured = Secured::in_front_of(origin.address, Server::with(&other.issue(&["localhost"])));
    let ca = |file: &str| tables(&secured, &format!("tls_ca = \"{file}\""));
    let house = Configured::by(&ca(&trust.file));
    assert_eq!(house.larder.get("/").cache_status(), IN_VAIN);
    let (changed, _) = Configured::told(&house.reload(&ca(&file)));
    assert!(changed.contains("origin.tls_ca: ") && changed.contains(&file), "{changed}");
    assert_eq!(house.larder.get("/").status, 200);
}

#[test]
fn a_file_that_was_renewed_under_its_name_is_taken() {
    let (trust, origin) = (Trust::new(), origin());
    let directory = trust.directory.path();
    let server = trust.server().asking_for_certificates_of(&trust.authority);
    let secured = Secured::in_front_of(origin.address, server);
    let day = rcgen::date_time_ymd(2020, 1, 1);
    let over = trust.authority.issue_but(&["larder"], |params| params.not_after = day);
    let (chain, key) = over.files(directory, "larder");
    let tables = tables(
        &secured,
        &format!("tls_ca = '{}'\ntls_cert = '{chain}'\ntls_key = '{key}'", trust.file),
    );
    let house = Configured::by(&tables);
    let larder = &house.larder;
    assert_eq!(larder.get("/").cache_status(), IN_VAIN);
    let (changed, _) = Configured::told(&house.reload(&tables));
    assert_eq!(changed, "[]", "the same files");
    trust.authority.issue(&["larder"]).files(directory, "larder");
    larder.hang_up();
    larder.says("reloaded: origin.tls_cert: ");
    larder.says("reloaded: origin.tls_key: ");
    assert!(!larder.events().contains("PRIVATE"));
    assert_eq!(larder.get("/").status, 200);
    // The same with the authority: what was believed is believed no more.
    Authority::new().file(directory, "ca.pem");
    assert_eq!(larder.get("/").status, 200, "not read yet");
    Configured::told(&house.reload(&tables));
    wait_until("it is not believed", || larder.get("/").cache_status() == IN_VAIN);
}

#[test]
fn a_wrong_file_changes_nothing_and_is_named() {
    let (trust, origin) = (Trust::new(), origin());
    let directory = trust.directory.path();
    let secured = Secured::in_front_of(origin.address, trust.server());
    let tables = tables(&secured, &format!("tls_ca = \"{}\"", trust.file));
    let house = Configured::by(&tables);
    assert_eq!(house.larder.get("/").status, 200);
    let good = std::fs::read(&trust.file).expect("the file");
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    for (bad, why) in [("", "holds no certificate in PEM"), (cut, "is not PEM")] {
        std::fs::write(&trust.file, bad).expect("the file");
        let answer = house.reload(&tables);
        assert_eq!(answer.status, 422);
        let document: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        let detail = document["detail"].as_str().expect("a sentence");
        let place = format!("{}:8:10", house.file.display());
        assert!(detail.contains(&place) && detail.contains(&trust.file), "{detail}");
        assert!(detail.contains(why), "{detail}");
        assert_eq!(house.larder.get("/").status, 200, "by the old one");
    }
    std::fs::write(&trust.file, good).expect("the file");
    let (chain, _) = trust.issued().files(directory, "one");
    let (_, key) = trust.issued().files(directory, "two");
    let pair = format!("tls_cert = \"{chain}\"\ntls_key = \"{key}\"\n");
    let answer = house.reload(&format!("{tables}{pair}"));
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("is not the key of the certificate in"), "{}", answer.text());
    assert_eq!(house.larder.get("/").status, 200);
}

#[test]
fn a_machine_without_authorities_is_told_before_it_starts() {
    let trust = Trust::new();
    let empty = trust.directory.path().join("empty.pem");
    std::fs::write(&empty, "").expect("a file");
    let system = [("SSL_CERT_FILE", empty.to_str().expect("a path")), ("SSL_CERT_DIR", "")];
    let check = |to| {
        let file = trust.directory.path().join("larder.toml");
        std::fs::write(&file, format!("[origin]\nto = \"{to}\"\n")).expect("a file");
        Larder::run(&["check", "--config", file.to_str().expect("a path")], &system)
    };
    let (status, _, said) = check("https://app.internal");
    assert_eq!(status, Some(1));
    assert!(said.contains("this machine holds no certificates of authorities"), "{said}");
    assert!(said.contains("larder.toml:2:6") && said.contains("set `tls_ca`"), "{said}");
    assert_eq!(check("http://app.internal").0, Some(0), "nobody has to vouch for that");
}
