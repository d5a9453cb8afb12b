//! Forms on pages that many visitors share (docs/forms.md): the real binary, and an origin
//! that says what an app would. That Django accepts what is filled in is shown in
//! `apps/django/filled.rs`.

mod bodies;
mod codings;
mod cookies;
mod heads;
mod refused;
mod secrets;
mod sharing;
mod stale;

use crate::harness::{Larder, Origin, Response, reply};
use larder::semantics::csrf::Secret;

/// What the app writes in place of a token, and of a nonce.
const TOKEN: &str = "TokenTokenTokenTokenTokenTokenTokenTokenTokenTokenTokenTokenToke";
const NONCE: &str = "NonceNonceNonceNonceNonceNonceNo";

/// What it says of them.
const FILL: &str = "Larder-Fill: csrf=\"TokenTokenTokenTokenTokenTokenTokenTokenTokenTokenToken\
    TokenToke\";cookie=\"csrftoken\";max-age=31449600;path=\"/\";samesite=\"Lax\", \
    nonce=\"NonceNonceNonceNonceNonceNonceNo\"";

/// A page with a form, and a script.
fn page() -> String {
    format!("<script nonce=\"{NONCE}\"></script><form><input value=\"{TOKEN}\"></form>")
}

/// The page as it is answered with these fields and what it says of its placeholders.
fn answer(fields: &[&str]) -> String {
    reply(200, &[&[FILL, "Content-Type: text/html"], fields].concat(), &page())
}

/// An origin that has the page alone.
fn of_a_page(fields: &'static [&'static str]) -> Origin {
    Origin::answering(move |_| answer(fields))
}

const ON: [(&str, &str); 3] = [
    ("LARDER_FORMS__CSRF", "true"),
    ("LARDER_FORMS__NONCE", "true"),
    ("LARDER_CACHE__COOKIES", "sessionid"),
];

/// larder, with both switched on.
fn filling(origin: &Origin, more: &[(&str, &str)]) -> Larder {
    Larder::with_env(origin.address, &[], &[&ON[..], more].concat())
}

/// A cookie with the secret of so many equal letters.
fn cookie(letter: char) -> String {
    format!("csrftoken={}", letter.to_string().repeat(32))
}

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before} in {text}"));
    rest.split_once(after).unwrap_or_else(|| panic!("{after} in {rest}")).0
}

/// The token in an answer's form; nothing of the page is as the app wrote it.
#[track_caller]
fn token(answer: &Response) -> String {
    let text = answer.text();
    let shown = format!("{:?}", answer.fields);
    for secret in [TOKEN, NONCE, "larder-fill", "Larder-Fill"] {
        assert!(!text.contains(secret) && !shown.contains(secret), "{shown} {text}");
    }
    let token = between(&text, "value=\"", "\"");
    assert!(token.len() == 64 && token.bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
    assert_eq!(answer.text().len(), page().len());
    token.to_string()
}

/// The page has been filled for a visitor with this cookie.
#[track_caller]
fn assert_filled_for(answer: &Response, cookie: &str) -> String {
    let token = token(answer);
    let value = cookie.split_once('=').map_or(cookie, |(_, value)| value);
    let value = value.split(';').next().expect("a value");
    let secret = Secret::read(value.as_bytes());
    assert!(secret.is_some() && Secret::read(token.as_bytes()) == secret, "{token} {cookie}");
    assert!(answer.cache_status().contains("; filled"), "{}", answer.cache_status());
    let said = answer.field("cache-control").expect("Cache-Control");
    assert!(said.starts_with("private, no-cache"), "{said}");
    for name in ["etag", "last-modified", "expires", "accept-ranges"] {
        assert_eq!(answer.field(name), None, "{name}");
    }
    token
}

/// The one cookie that an answer sets.
#[track_caller]
fn minted(answer: &Response) -> String {
    let all = answer.all("set-cookie");
    assert_eq!(all.len(), 1, "{all:?}");
    let attributes = "; Max-Age=31449600; Path=/; SameSite=Lax";
    assert!(all[0].starts_with("csrftoken=") && all[0].ends_with(attributes), "{}", all[0]);
    all[0].split(';').next().expect("the cookie").to_string()
}
