//! What larder is made of: nothing from elsewhere than crates.io, and no second
//! HTTP or runtime beside the first. The rest is in `deny.toml`: `make deny`.

/// A package of `Cargo.lock`: its name, its version, and where it is from.
fn packages() -> Vec<(String, String, Option<String>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock");
    let text = std::fs::read_to_string(path).expect("Cargo.lock");
    let document: toml::Table = text.parse().expect("TOML");
    let packages = document["package"].as_array().expect("packages");
    let all = packages.iter().map(|package| {
        let text = |key: &str| package.get(key).and_then(|v| v.as_str()).map(String::from);
        (text("name").expect("a name"), text("version").expect("a version"), text("source"))
    });
    all.collect()
}

#[test]
fn everything_is_from_crates_io() {
    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
    for (name, _, source) in packages() {
        let expected = (name != "larder").then_some(CRATES_IO);
        assert_eq!(source.as_deref(), expected, "{name}");
    }
}

#[test]
fn what_matters_is_there_once() {
    for once in [
        "bytes",
        "http",
        "http-body",
        "http-body-util",
        "httparse",
        "httpdate",
        "hyper",
        "hyper-util",
        "moka",
        "parking_lot",
        "ring",
        "rustls",
        "rustls-webpki",
        "tokio",
        "tokio-rustls",
        "tracing",
    ] {
        let all = packages();
        let versions: Vec<_> = all.iter().filter(|(name, ..)| name == once).collect();
        assert_eq!(versions.len(), 1, "{versions:?}");
    }
}
