//! A visitor's token is in their own answer and nowhere else; a placeholder is nowhere that
//! anybody looks.

use super::{NONCE, TOKEN, answer, assert_filled_for, cookie, filling, minted, token};
use crate::harness::{Larder, Origin, get};

#[test]
fn neither_tokens_nor_placeholders_are_told_to_anybody_else() {
    let policy = format!("Content-Security-Policy: script-src 'nonce-{NONCE}'");
    let origin = Origin::answering(move |seen| match seen.target.as_str() {
        "/passed" => answer(&["Cache-Control: no-store", &policy]),
        _ => answer(&["Cache-Control: max-age=60", &policy]),
    });
    for format in ["combined", "json"] {
        let larder = filling(&origin, &[("LARDER_LOG__ACCESS", format)]);
        let (mut secrets, mut said) = (vec![TOKEN.to_string(), NONCE.to_string()], String::new());
        for path in ["/stored", "/stored", "/passed"] {
            let debug = [("Larder-Debug", ""), ("Larder-Refresh", "")];
            let first = larder.get_with(path, &debug[..1]);
            let given = minted(&first);
            secrets.push(given.split_once('=').expect("a value").1.to_string());
            secrets.push(assert_filled_for(&without(&first, "larder-explain"), &given));
            let own = larder.get_with(path, &[debug[0], ("Cookie", &cookie('q'))]);
            secrets.push(token(&without(&own, "larder-explain")));
            for answer in [&first, &own] {
                said.push_str(answer.field("larder-explain").expect("an explanation"));
            }
            said.push_str(&larder.next_line());
            said.push_str(&larder.next_line());
        }
        secrets.push("q".repeat(32));
        for path in [
            "/v1/stored?limit=50",
            "/v1/stored/one?url=http%3A%2F%2Fsite.test%2Fstored",
            "/v1/explain?url=http%3A%2F%2Fsite.test%2Fstored",
            "/v1/explain?url=http%3A%2F%2Fsite.test%2Fpassed",
            "/v1/observed",
            "/v1/stats",
            "/v1/purges",
            "/metrics",
        ] {
            said.push_str(&asked(&larder, path));
        }
        said.push_str(&larder.events());
        for secret in &secrets {
            assert!(!said.contains(secret), "{secret} in {said}");
        }
        for told in ["its placeholders are filled for each visitor", "********"] {
            assert!(said.contains(told), "{told} in {said}");
        }
    }
}

/// What the admin port has there.
fn asked(larder: &Larder, path: &str) -> String {
    let answer = get(larder.admin, path, &[("Host", "localhost")]);
    assert!(answer.status == 200 || answer.status == 404, "{path}: {}", answer.text());
    answer.text()
}

/// The same answer without a field.
fn without(answer: &crate::harness::Response, name: &str) -> crate::harness::Response {
    let mut answer = answer.clone();
    answer.fields.retain(|(own, _)| own != name);
    answer
}

#[test]
fn the_explanation_says_what_the_browser_is_told() {
    let origin =
        Origin::answering(|_| answer(&["Cache-Control: public, max-age=60", "ETag: \"a\""]));
    let larder = filling(&origin, &[]);
    larder.get("/");
    let told = asked(&larder, "/v1/explain?url=http%3A%2F%2Fsite.test%2F");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let sentence = told["outcome"]["sentence"].as_str().expect("a sentence");
    assert_eq!(sentence, "answered from the cache; its placeholders are filled for each visitor");
    let browser = told["browser"].to_string();
    assert!(!browser.contains("60"), "it keeps it, and asks each time: {browser}");
}
