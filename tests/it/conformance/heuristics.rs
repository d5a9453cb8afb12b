//! Lifetimes that nobody stated: RFC 9111 section 4.2.2.

use super::case::{Case, case, get, not_reused, reused};

const CLAUSE: &str = "RFC 9111 s4.2.2";

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
        all.push(
            case(
                format!("heuristic-{status}"),
                CLAUSE,
                format!("A {status} without a lifetime is fresh for a tenth of its age."),
            )
            .ask(get().says("Date: {+0}").says("Last-Modified: {-6000}").answered(status).asked())
            .pass(500)
            .ask(get().hit().gives(status)),
        );
    }
    for status in [201, 202, 302, 303, 307, 400, 403, 415, 500, 502, 503, 504, 599] {
        all.push(
            case(
                format!("no-heuristic-{status}"),
                CLAUSE,
                format!("A {status} without a lifetime is not used again."),
            )
            .ask(get().says("Last-Modified: {-6000}").answered(status).asked())
            .asked(),
        );
    }
    for (seconds, fresh) in [(10, false), (30, false), (60, true), (600, true), (86_400, true)] {
        let lines = ["Date: {+0}".to_string(), format!("Last-Modified: {{-{seconds}}}")];
        let lines = [lines[0].as_str(), lines[1].as_str()];
        let id = format!("heuristic-after-{seconds}-seconds");
        all.push(match fresh {
            true => {
                let what = format!("Changed {seconds} s ago: still fresh 3 s later.");
                reused(id, CLAUSE, what, 3, &lines)
            }
            false => {
                let what = format!("Changed {seconds} s ago: not fresh any more 3 s later.");
                not_reused(id, CLAUSE, what, 3, &lines)
            }
        });
    }
    all.extend(more());
    all.extend(pragma());
    all
}

fn more() -> Vec<Case> {
    let modified = "Last-Modified: {-6000}";
    vec![
        not_reused(
            "heuristic-over",
            CLAUSE,
            "A tenth, and no more.",
            600,
            &["Date: {+0}", modified],
        ),
        reused(
            "heuristic-at-most-a-day",
            CLAUSE,
            "At most a day, by default: still fresh a minute before.",
            86_340,
            &["Date: {+0}", "Last-Modified: {-8640000}"],
        ),
        not_reused(
            "heuristic-not-more-than-a-day",
            CLAUSE,
            "At most a day, by default: not any more after it.",
            86_400,
            &["Date: {+0}", "Last-Modified: {-8640000}"],
        ),
        case(
            "heuristic-public",
            CLAUSE,
            "Cache-Control: public allows it for any status, 599 too.",
        )
        .ask(get().says("Cache-Control: public").says(modified).answered(599).asked())
        .ask(get().hit().gives(599)),
        reused(
            "heuristic-attachment",
            CLAUSE,
            "Content-Disposition: attachment makes no difference.",
            500,
            &[modified, "Content-Disposition: attachment; filename=example.txt"],
        ),
        case("heuristic-off", CLAUSE, "The operator may switch it off.")
            .when("cache.heuristics", "false")
            .store(&[modified])
            .asked(),
        not_reused(
            "pragma-alone-against-heuristics",
            "RFC 9111 s5.4",
            "An app that sends Pragma: no-cache and no Cache-Control expects no guess.",
            0,
            &[modified, "Pragma: no-cache"],
        ),
        not_reused(
            "no-heuristic-over-expires",
            CLAUSE,
            "A stated lifetime is never lengthened by a guess.",
            0,
            &[modified, "Expires: 0"],
        ),
    ]
}

fn pragma() -> Vec<Case> {
    let mut all = Vec::new();
    for line in ["Pragma: no-cache", "Pragma: something"] {
        let id = if line.ends_with("no-cache") { "pragma-no-cache" } else { "pragma-other" };
        all.push(reused(
            format!("response-{id}"),
            "RFC 9111 s5.4",
            format!("`{line}` in a response means nothing beside an explicit lifetime."),
            50,
            &["Cache-Control: max-age=60", line],
        ));
    }
    all
}
