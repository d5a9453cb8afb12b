//! What an unsafe request makes outdated: RFC 9111 section 4.4.

use super::case::{Case, ask, case, get};

const CLAUSE: &str = "RFC 9111 s4.4";
const FRESH: &str = "Cache-Control: max-age=60";

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for method in ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "FROBNICATE"] {
        let low = method.to_ascii_lowercase();
        let stored =
            |id: String, what: String| case(id, CLAUSE, what).store(&[FRESH, "ETag: \"a\""]);
        all.push(
            stored(
                format!("{low}-invalidates"),
                format!("A successful {method} outdates its target."),
            )
            .ask(ask(method).bearing("x").asked())
            .asked(),
        );
        all.push(
            stored(format!("{low}-failed"), format!("A {method} that failed outdates nothing."))
                .ask(ask(method).bearing("x").answered(500).asked())
                .hit(),
        );
        for (short, field) in [("location", "Location"), ("content-location", "Content-Location")] {
            let what = format!("A successful {method} outdates what its {field} names.");
            all.push(
                stored(format!("{low}-{short}"), what)
                    .ask(
                        ask(method)
                            .at("/another")
                            .bearing("x")
                            .says(format!("{field}: {{path}}"))
                            .asked(),
                    )
                    .asked(),
            );
        }
    }
    all.extend(others());
    all
}

fn others() -> Vec<Case> {
    let stored = |id: &str, what: &str| case(id, CLAUSE, what).store(&[FRESH]);
    let post = || ask("POST").at("/another").bearing("x").asked();
    let mut all = vec![
        stored("redirect-invalidates", "A redirect is no error: it outdates too.")
            .ask(ask("POST").bearing("x").answered(303).says("Location: /elsewhere").asked())
            .asked(),
        stored("client-error-invalidates-nothing", "A 4xx outdates nothing.")
            .ask(ask("POST").bearing("x").answered(403).asked())
            .hit(),
        stored("location-with-a-host", "A Location with the same host is the same.")
            .ask(post().says("Location: http://site.test{path}"))
            .asked(),
        stored("location-of-another-host", "A Location on another host outdates nothing there.")
            .ask(post().with("Host: other.test").says("Location: http://site.test{path}"))
            .hit(),
        stored("location-of-an-error", "The Location of an error outdates nothing.")
            .ask(post().answered(403).says("Location: {path}"))
            .hit(),
        case("invalidates-all-variants", CLAUSE, "All variants of the target are outdated.")
            .ask(get().with("X-Foo: 1").says(FRESH).says("Vary: X-Foo").asked())
            .ask(get().with("X-Foo: 2").says(FRESH).says("Vary: X-Foo").asked())
            .ask(ask("DELETE").asked())
            .ask(get().with("X-Foo: 1").asked())
            .ask(get().with("X-Foo: 2").asked()),
        stored("other-query-stays", "Another query is another target, and stays.")
            .ask(ask("POST").at("?a=1").bearing("x").asked())
            .hit(),
    ];
    for method in ["OPTIONS", "HEAD", "GET"] {
        let low = method.to_ascii_lowercase();
        let what = format!("{method} is safe, and outdates nothing.");
        let step = ask(method).at("/another").says("Location: {path}").asked();
        all.push(stored(&format!("{low}-invalidates-nothing"), &what).ask(step).hit());
    }
    all
}
