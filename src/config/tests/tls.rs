//! Certificates and keys: files that are wrong, and that don't fit.

use super::{complaint, load_file};
use crate::config::Target;
use rcgen::{CertificateParams, KeyPair};
use std::path::{Path, PathBuf};

/// Files of a certificate and its key.
struct Files {
    directory: tempfile::TempDir,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new() -> Files {
        let directory = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["app".into()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let paths = ["app.pem", "app.key"].map(|name| directory.path().join(name));
        std::fs::write(&paths[0], certificate.pem()).unwrap();
        std::fs::write(&paths[1], key.serialize_pem()).unwrap();
        let [certificate, key] = paths;
        Files { directory, certificate, key }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn configuration(key: &str, path: &Path) -> String {
    format!("[origin]\nto = 'https://app'\n{key} = '{}'\n", path.display())
}

#[test]
fn a_file_that_is_wrong_is_named_where_it_is_set() {
    let files = Files::new();
    let nowhere = files.directory.path().join("nowhere");
    let empty = files.write("empty", "");
    let cut = files.write("cut", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let junk = files.write("junk", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
    let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_der = files.write("no-der", no_der);
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let no_key = files.write("no-key", no_key);
    let directory = files.directory.path().to_owned();
    let (certificate, key) = (&files.certificate, &files.key);
    for (name, path, why) in [
        ("tls_ca", &nowhere, "can't read `PATH`: No such file"),
        ("tls_ca", &directory, "can't read `PATH`: Is a directory"),
        ("tls_ca", &empty, "`PATH` holds no certificate in PEM"),
        ("tls_ca", key, "`PATH` holds no certificate in PEM"),
        ("tls_ca", &cut, "`PATH` is not PEM: "),
        ("tls_ca", &junk, "`PATH` is not PEM: "),
        ("tls_ca", &no_der, "certificate 1 of `PATH` is of no use: "),
        ("tls_cert", &nowhere, "can't read `PATH`: No such file"),
        ("tls_cert", &empty, "`PATH` holds no certificate in PEM"),
        ("tls_key", &directory, "can't read `PATH`: Is a directory"),
        ("tls_key", certificate, "`PATH` holds no private key in PEM"),
        ("tls_key", &no_key, "the key in `PATH` is of no use: "),
    ] {
        let said = complaint(&configuration(name, path));
        let shown = path.display().to_string();
        let message = format!("error: {}", why.replace("PATH", &shown));
        assert!(said.starts_with(&message), "{name}: {said}");
        let column = name.len() + 4;
        assert!(said.contains(&format!("  --> larder.toml:3:{column}\n")), "{said}");
        assert!(said.contains(&format!("\n 3 | {name} = '{shown}'\n")), "{said}");
    }
}

#[test]
fn a_certificate_and_its_key_belong_together() {
    let (files, others) = (Files::new(), Files::new());
    let ca = configuration("tls_ca", &files.certificate);
    let line = |key: &str, path: &Path| format!("{key} = '{}'\n", path.display());
    let with_certificate = format!("{ca}{}", line("tls_cert", &files.certificate));
    let both = |key: &Path| format!("{with_certificate}{}", line("tls_key", key));
    let origin = load_file(&both(&files.key)).unwrap().origin;
    assert!(origin.tls_cert.is_some() && origin.tls_key.is_some());
    let said = complaint(&both(&others.key));
    let (key, certificate) = (others.key.display(), files.certificate.display());
    let message = format!("error: `{key}` is not the key of the certificate in `{certificate}`\n");
    assert!(said.starts_with(&format!("{message}  --> larder.toml:5:11\n")), "{said}");
    for (alone, path, needed) in
        [("tls_cert", &files.certificate, "tls_key"), ("tls_key", &files.key, "tls_cert")]
    {
        let said = complaint(&format!("{ca}{}", line(alone, path)));
        assert!(said.contains("is of no use without its "), "{said}");
        assert!(said.contains("larder.toml:4:") && said.contains(&format!("set `{needed}`")));
    }
}

#[test]
fn what_is_set_for_tls_without_any_is_a_mistake() {
    let files = Files::new();
    for (key, value) in [
        ("tls_ca", files.certificate.display().to_string()),
        ("tls_name", "app.internal".to_owned()),
    ] {
        let said = complaint(&format!("[origin]\nto = 'http://app'\n{key} = '{value}'\n"));
        let message = format!("error: `origin.{key}` is set, but nothing is asked over TLS\n");
        assert!(said.starts_with(&message), "{said}");
        assert!(said.contains("larder.toml:3:"), "{said}");
    }
    let defaults = "tls_ca = 'system'\ntls_name = 'to'\ntls_cert = 'off'\ntls_key = 'off'\n";
    assert!(load_file(&format!("[origin]\nto = 'http://app'\n{defaults}")).is_ok());
}

#[test]
fn addresses_and_names_of_tls() {
    let files = Files::new();
    let load = |to: &str| {
        let ca = files.certificate.display();
        load_file(&format!("origin.to = '{to}'\norigin.tls_ca = '{ca}'\n"))
    };
    for (to, host, shown) in [
        ("https://app", "app", "https://app:443"),
        ("https://app:8443/", "app", "https://app:8443"),
        ("https://[::1]:8443", "::1", "https://[::1]:8443"),
        ("https://10.0.0.7", "10.0.0.7", "https://10.0.0.7:443"),
    ] {
        let found = load(to).unwrap().origin.to;
        let Target::Tls { host: name, .. } = &found[0] else { panic!("{found:?}") };
        assert_eq!((name.to_string().as_str(), found[0].to_string().as_str()), (host, shown));
    }
    let mixed = load("http://a:1, https://b:2, unix:/c").unwrap().origin;
    assert_eq!(mixed.shown(), "a:1, https://b:2, unix:/c");
    let said = load("https://a..b").unwrap_err();
    assert!(said.starts_with("error: no certificate can bear the name `a..b`\n"), "{said}");
    let said = complaint("origin.to = 'https://app'\norigin.tls_name = 'app:443'\n");
    assert!(said.starts_with("error: no certificate can bear the name `app:443`\n"), "{said}");
}
