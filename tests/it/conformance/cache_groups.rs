//! Groups of responses: RFC 9875. Each case has groups of its own name.

use super::case::{Case, ask, case, get};

const GROUPS: &str = "RFC 9875 s2";
const INVALIDATES: &str = "RFC 9875 s3";
const FRESH: &str = "Cache-Control: max-age=60";

pub fn cases() -> Vec<Case> {
    let stored = |id, group: &str, what| {
        case(id, INVALIDATES, what)
            .ask(get().says(FRESH).says(format!("Cache-Groups: {group}")).asked())
    };
    let post = |groups: &str| {
        let line = format!("Cache-Group-Invalidation: {groups}");
        ask("POST").at("/another").bearing("x").says(line).asked()
    };
    vec![
        case("groups-handed-on", GROUPS, "Cache-Groups goes on to caches nearer to the client.")
            .ask(
                get()
                    .says(FRESH)
                    .says("Cache-Groups: \"on\"")
                    .asked()
                    .shows("Cache-Groups: \"on\""),
            )
            .ask(get().hit().shows("Cache-Groups: \"on\"")),
        stored("group-invalidated", "\"one\", \"two\"", "A group is outdated by name.")
            .ask(post("\"two\""))
            .asked(),
        stored("group-invalidated-among-others", "\"three\"", "Several may be named.")
            .ask(post("\"four\", \"three\";a=1"))
            .asked(),
        stored("group-other", "\"five\"", "Another group stays.").ask(post("\"six\"")).hit(),
        stored("group-case", "\"seven\"", "Names are compared with their case.")
            .ask(post("\"SEVEN\""))
            .hit(),
        stored("group-of-another-origin", "\"eight\"", "A group belongs to its origin.")
            .ask(post("\"eight\"").with("Host: other.test"))
            .hit(),
        stored("group-error", "\"nine\"", "The answer of a request that failed outdates none.")
            .ask(post("\"nine\"").answered(500))
            .hit(),
        stored("group-safe", "\"ten\"", "Nor does the answer to a safe method.")
            .ask(get().at("/another").says("Cache-Group-Invalidation: \"ten\"").asked())
            .hit(),
        stored("group-no-list", "\"eleven\"", "What is no list of strings outdates none.")
            .ask(post("eleven"))
            .hit(),
        case("group-invalidation-handed-on", INVALIDATES, "Cache-Group-Invalidation goes on too.")
            .ask(post("\"x\"").shows("Cache-Group-Invalidation: \"x\"")),
    ]
}
