use super::*;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use proptest::prelude::*;

const TOKENS: &str = "CsrfPlaceholder00CsrfPlaceholder11CsrfPlaceholder22CsrfPlacehold";
const NONCES: &str = "NoncePlaceholder0NoncePlaceholde";

fn form(line: &str) -> Option<Form> {
    Form::read(line.as_bytes())
}

fn both() -> Form {
    form(&format!("csrf=\"{TOKENS}\";cookie=\"c\";path=\"/\", nonce=\"{NONCES}\"")).expect("a form")
}

#[test]
fn what_is_to_be_filled_is_read() {
    let read = both();
    let csrf = read.csrf.as_ref().expect("tokens");
    assert_eq!(csrf.placeholder.as_bytes(), TOKENS.as_bytes());
    assert_eq!(read.nonce.expect("nonces").as_bytes(), NONCES.as_bytes());
    let only = form(&format!("nonce=\"{NONCES}\"")).expect("a form");
    assert!(only.csrf.is_none() && only.nonce.is_some());
    let only = form(&format!("  csrf=\"{TOKENS}\"; cookie=\"csrftoken\"  ")).expect("a form");
    assert!(only.csrf.is_some() && only.nonce.is_none());
}

#[test]
fn whatever_is_not_exactly_right_is_no_form() {
    let nonce = format!("nonce=\"{NONCES}\"");
    let csrf = format!("csrf=\"{TOKENS}\";cookie=\"c\"");
    for line in [
        "",
        ",",
        "csrf",
        "nonce",
        "nonce=?1",
        "nonsense, here",
        &format!("csrf=\"{TOKENS}\""),
        &format!("csrf={TOKENS};cookie=\"c\""),
        &format!("csrf=(\"{TOKENS}\");cookie=\"c\""),
        &format!("csrf=\"{}\";cookie=\"c\"", &TOKENS[1..]),
        &format!("csrf=\"{TOKENS}a\";cookie=\"c\""),
        &format!("csrf=\"-{}\";cookie=\"c\"", &TOKENS[1..]),
        &format!("csrf=\"{TOKENS}\";cookie=\"c\";partitioned"),
        &format!("nonce={NONCES}"),
        &format!("nonce=\"{}\"", &NONCES[1..]),
        &format!("{nonce};a"),
        &format!("{csrf}, token=\"x\""),
        &format!("{csrf} {nonce}"),
        &format!("{csrf}, nonce=\"{}\"", &TOKENS[5..37]),
        &format!("{csrf},"),
        &format!("{csrf}, {csrf}"),
        &format!("{nonce}, {csrf}, nonce=\"{}\"", "n".repeat(32)),
    ] {
        assert_eq!(form(line), None, "{line}");
    }
    assert_eq!(Form::read(b"nonce=\"\xff\""), None);
}

#[test]
fn no_placeholder_is_shown_by_accident() {
    let shown = format!("{:?}", both());
    assert!(!shown.contains("Placeholder0"), "{shown}");
}

#[test]
fn a_policy_is_filled_wherever_it_bears_the_nonce() {
    let mut fields = HeaderMap::new();
    let policy = format!("script-src 'nonce-{NONCES}' 'self'; style-src 'nonce-{NONCES}'");
    fields.append(CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).expect("a value"));
    fields.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'"));
    let only = format!("script-src 'nonce-{NONCES}'");
    let name = "content-security-policy-report-only";
    fields.append(name, HeaderValue::from_str(&only).expect("a value"));
    let mut hidden = fields.clone();
    let nonce = "n".repeat(32);
    let filling = Filling { csrf: Some([b't'; 64]), nonce: Some([b'n'; 32]) };
    both().fill_fields(&filling, &mut fields);
    let policies: Vec<_> = fields.get_all(CONTENT_SECURITY_POLICY).iter().collect();
    let expected = format!("script-src 'nonce-{nonce}' 'self'; style-src 'nonce-{nonce}'");
    assert_eq!(policies, [&*expected, "default-src 'self'"]);
    assert_eq!(fields[name], format!("script-src 'nonce-{nonce}'"));
    both().hide(&mut hidden);
    assert_eq!(hidden[name], format!("script-src 'nonce-{}'", "*".repeat(32)));
}

#[test]
fn what_is_filled_is_its_visitors_alone() {
    let mut fields = HeaderMap::new();
    for name in [
        "accept-ranges",
        "cdn-cache-control",
        "content-digest",
        "edge-control",
        "etag",
        "expires",
        "larder-cache-control",
        "last-modified",
        "pragma",
        "surrogate-control",
        "vercel-cdn-cache-control",
        "x-vc-enabled",
        "x-vc-ttl",
    ] {
        fields.append(name, HeaderValue::from_static("x"));
    }
    for name in ["content-type", "set-cookie", "age", "x-frame-options", "cache-groups"] {
        fields.append(name, HeaderValue::from_static("x"));
    }
    for (given, said) in [
        ("public, max-age=600", "private, no-cache"),
        ("NO-STORE", "private, no-cache, no-store"),
        ("max-age=1, No-Transform, no-store", "private, no-cache, no-store, no-transform"),
    ] {
        let mut fields = fields.clone();
        fields.append(CACHE_CONTROL, HeaderValue::from_static(given));
        for_one_visitor(&mut fields);
        assert_eq!(fields[CACHE_CONTROL], said);
        let mut left: Vec<&str> = fields.keys().map(|name| name.as_str()).collect();
        left.sort_unstable();
        let expected = [
            "age",
            "cache-control",
            "cache-groups",
            "content-type",
            "set-cookie",
            "x-frame-options",
        ];
        assert_eq!(left, expected);
    }
}

/// Pieces of which fields are put together that are nearly right.
const PIECES: &[&str] = &[
    "csrf=",
    "nonce=",
    "\"",
    ";cookie=",
    ";max-age=",
    ";path=\"/\"",
    ";domain=",
    ";samesite=\"Lax\"",
    ";secure",
    ";httponly",
    ", ",
    "c",
    "1",
    "(",
    ")",
    "?0",
    "=",
    ";",
    " ",
    "\\",
    "\t",
    ":YQ==:",
    "@1",
    TOKENS,
    NONCES,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whatever_is_read_can_be_filled(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..14),
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        nearly in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut right =
            format!("csrf=\"{TOKENS}\";cookie=\"c\";max-age=5, nonce=\"{NONCES}\"").into_bytes();
        let at = nearly.index(right.len());
        right[at] = byte;
        for line in [pieces.concat().into_bytes(), bytes, right] {
            let Some(form) = Form::read(&line) else { continue };
            let filling = Filling { csrf: Some([b't'; 64]), nonce: Some([b'n'; 32]) };
            prop_assert!(form.pairs(&filling).count() > 0);
            for (placeholder, own) in form.pairs(&filling) {
                prop_assert_eq!(placeholder.len(), own.len());
                prop_assert!(line.windows(placeholder.len()).any(|window| window == placeholder));
            }
            if let Some(csrf) = &form.csrf {
                let secret = super::super::csrf::Secret::new([b's'; 32]);
                let set = csrf.cookie.set_to(&secret);
                prop_assert!(set.to_str().is_ok_and(|line| line.contains(&"s".repeat(32))));
                let attributes = set.to_str().expect("text").split("; ").skip(1);
                for attribute in attributes {
                    let name = attribute.split('=').next().unwrap_or_default();
                    let known = ["Max-Age", "Path", "Domain", "SameSite", "Secure", "HttpOnly"];
                    prop_assert!(known.contains(&name), "{}", attribute);
                }
            }
        }
    }

    #[test]
    fn a_field_is_filled_as_by_text(
        text in "[a-c]{0,6}(NoncePlaceholder0NoncePlaceholde|NoncePlaceholder0|[a-c]){0,4}"
    ) {
        let nonce = "n".repeat(32);
        let filled = replaced(text.as_bytes(), NONCES.as_bytes(), nonce.as_bytes());
        let expected = text.contains(NONCES).then(|| text.replace(NONCES, &nonce).into_bytes());
        prop_assert_eq!(filled, expected);
    }
}
