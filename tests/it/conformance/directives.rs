//! `Cache-Control` of responses: RFC 9111 section 5.2, its grammar and each directive.

use super::case::{Case, case, get, not_reused, reused};

const GRAMMAR: &str = "RFC 9111 s5.2";
const INVALID: &str = "RFC 9111 s4.2.1";
const NO_CACHE: &str = "RFC 9111 s5.2.2.4";
const NO_STORE: &str = "RFC 9111 s5.2.2.5";
const PRIVATE: &str = "RFC 9111 s5.2.2.7";

pub fn cases() -> Vec<Case> {
    let mut all = grammar();
    all.extend(restrictions());
    all.extend(validated());
    all.extend(more());
    all.extend(qualified());
    all
}

fn grammar() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, value, what) in [
        ("other-case", "MaX-AgE=60", "names are read in any case"),
        ("quoted", "max-age=\"60\"", "a number may stand in quotes"),
        ("leading-zeros", "max-age=0000060", "leading zeros mean nothing"),
        ("extension", "max-age=60, example", "an unknown directive is ignored"),
        ("extension-value", "example=1, max-age=60", "so is one with a value"),
        ("extension-quoted", "example=\"a, no-store\", max-age=60", "and one with a quoted value"),
        ("no-spaces", "public,max-age=60,foo", "no space is needed"),
        ("empty-members", ", ,max-age=60,,", "empty members are ignored"),
        ("tabs", "\tmax-age=60\t,\tpublic", "tabs are space too"),
        ("first-of-two", "max-age=60, max-age=1", "of two values the first counts"),
    ] {
        let line = format!("Cache-Control: {value}");
        let behaviour = format!("`{}`: {what}.", value.replace('\t', " "));
        all.push(reused(format!("cc-{id}"), GRAMMAR, behaviour, 30, &[line.as_str()]));
    }
    for (id, value, what) in [
        ("negative", "max-age=-60", "a number has no sign"),
        ("fraction-zero", "max-age=60.0", "nor a fraction"),
        ("fraction", "max-age=60.5", "nor a fraction"),
        ("letter-before", "max-age=a60", "nor letters"),
        ("letter-behind", "max-age=60a", "nor letters"),
        ("empty", "max-age=", "an empty value is no number"),
        ("no-value", "max-age", "max-age alone says nothing"),
        ("apostrophes", "max-age='60'", "apostrophes are no quotes"),
        ("first-of-two-stale", "max-age=1, max-age=60", "of two values the first counts"),
        ("in-a-string", "example=\"max-age=600\", max-age=1", "what is quoted is no directive"),
        (
            "in-a-string-behind",
            "max-age=1, example=\"max-age=600\"",
            "what is quoted is no directive",
        ),
        ("space-before-equals", "max-age =600", "no space before the equals sign"),
        ("space-after-equals", "max-age= 600", "nor behind it"),
    ] {
        let line = format!("Cache-Control: {value}");
        let behaviour = format!("`{value}`: {what}; no lifetime.");
        all.push(not_reused(format!("cc-{id}"), INVALID, behaviour, 5, &[line.as_str()]));
    }
    let lines = |one, two| [format!("Cache-Control: {one}"), format!("Cache-Control: {two}")];
    let [one, two] = lines("max-age=60", "max-age=1");
    let fresh_first = [one.as_str(), two.as_str()];
    let stale_first = [two.as_str(), one.as_str()];
    all.push(reused(
        "cc-first-line-counts",
        INVALID,
        "Of two lines with max-age the first counts.",
        30,
        &fresh_first,
    ));
    all.push(not_reused(
        "cc-first-line-counts-stale",
        INVALID,
        "Of two lines with max-age the first counts, if it is the shorter too.",
        30,
        &stale_first,
    ));
    all
}

fn restrictions() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, clause, value) in [
        ("no-store", NO_STORE, "no-store"),
        ("no-store-other-case", NO_STORE, "nO-StOrE"),
        ("no-store-fresh", NO_STORE, "no-store, max-age=600"),
        ("no-store-last", NO_STORE, "max-age=600, no-store"),
        ("no-store-with-a-value", NO_STORE, "no-store=please, max-age=600"),
        ("private", PRIVATE, "private, max-age=600"),
        ("private-other-case", PRIVATE, "PRIVATE, max-age=600"),
        ("private-over-public", PRIVATE, "public, private, max-age=600"),
        ("private-over-s-maxage", PRIVATE, "s-maxage=600, private"),
    ] {
        let line = format!("Cache-Control: {value}");
        all.push(
            case(id, clause, format!("`{value}` is not stored."))
                .ask(
                    get()
                        .says(line)
                        .says("Date: {+0}")
                        .says("Expires: {+600}")
                        .says("ETag: \"a\"")
                        .asked()
                        .status("!stored"),
                )
                .ask(get().asked().origin_lacked("If-None-Match")),
        );
    }
    all.push(
        case(
            "no-store-leaves-what-is-fresh",
            NO_STORE,
            "no-store speaks of its own response: what is stored for another stays.",
        )
        .ask(get().at("?a").says("Cache-Control: max-age=600").asked())
        .ask(get().at("?b").says("Cache-Control: no-store").asked())
        .ask(get().at("?a").hit_of(1)),
    );
    all.push(
        case(
            "no-store-in-place-of-stale",
            NO_STORE,
            "A no-store response does not freshen the stale one that it comes in place of.",
        )
        .store(&["Cache-Control: max-age=10"])
        .pass(11)
        .ask(get().says("Cache-Control: no-store, max-age=600").asked())
        .asked(),
    );
    all
}

fn validated() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, value) in [
        ("no-cache", "no-cache"),
        ("no-cache-other-case", "No-CaChE"),
        ("no-cache-fresh", "no-cache, max-age=600"),
        ("no-cache-over-s-maxage", "s-maxage=600, no-cache"),
    ] {
        let line = format!("Cache-Control: {value}");
        all.push(
            case(id, NO_CACHE, format!("`{value}` is stored, and validated at each use."))
                .ask(get().says(line).says("Expires: {+600}").says("ETag: \"a\"").asked())
                .ask(get().confirms(&["ETag: \"a\""]).validated().of(1))
                .ask(get().confirms(&["ETag: \"a\""]).validated().of(1)),
        );
    }
    all
}

fn more() -> Vec<Case> {
    vec![
        not_reused(
            "no-cache-without-validator",
            NO_CACHE,
            "no-cache without a validator is asked for again.",
            0,
            &["Cache-Control: no-cache, max-age=600"],
        ),
        reused(
            "must-revalidate-fresh",
            "RFC 9111 s5.2.2.2",
            "must-revalidate is used while it is fresh.",
            50,
            &["Cache-Control: max-age=60, must-revalidate"],
        ),
        case(
            "must-revalidate-stale",
            "RFC 9111 s5.2.2.2",
            "must-revalidate is validated once it is stale.",
        )
        .store(&["Cache-Control: max-age=60, must-revalidate", "ETag: \"a\""])
        .pass(60)
        .ask(get().confirms(&["ETag: \"a\""]).validated().of(1)),
        reused(
            "immutable",
            "RFC 8246 s2",
            "immutable is used while it is fresh, also if the client reloads.",
            50,
            &["Cache-Control: max-age=60, immutable"],
        ),
        not_reused(
            "immutable-stale",
            "RFC 8246 s2",
            "immutable says nothing once the lifetime is over.",
            60,
            &["Cache-Control: max-age=60, immutable"],
        ),
        not_reused(
            "immutable-alone",
            "RFC 8246 s2",
            "immutable is no lifetime.",
            0,
            &["Cache-Control: immutable"],
        ),
        reused(
            "must-understand",
            "RFC 9111 s5.2.2.3",
            "no-store is set aside by must-understand beside a status that is understood.",
            50,
            &["Cache-Control: max-age=60, no-store, must-understand"],
        ),
        case(
            "must-understand-unknown",
            "RFC 9111 s5.2.2.3",
            "must-understand beside a status that is not known: not stored.",
        )
        .ask(get().says("Cache-Control: max-age=60, must-understand").answered(599).asked())
        .asked(),
    ]
}

fn qualified() -> Vec<Case> {
    let mut all = Vec::new();
    for (directive, clause) in [("no-cache", NO_CACHE), ("private", PRIVATE)] {
        let line = format!("Cache-Control: max-age=60, {directive}=\"X-One, x-two\"");
        let what = format!("`{directive}=\"f\"`: stored without f, which the first client gets.");
        all.push(
            case(format!("{directive}-with-fields"), clause, what)
                .ask(
                    get()
                        .says(line)
                        .says("X-One: 1")
                        .says("X-Two: 2")
                        .says("X-Three: 3")
                        .asked()
                        .shows("X-One: 1")
                        .shows("X-Two: 2"),
                )
                .ask(get().hit_of(1).lacks("X-One").lacks("X-Two").shows("X-Three: 3")),
        );
        let one = format!("Cache-Control: max-age=60, {directive}=\"X-One\"");
        let what = format!("The same where `{directive}` names one field.");
        all.push(
            case(format!("{directive}-with-a-field"), clause, what)
                .ask(get().says(one).says("X-One: 1").says("X-Two: 2").asked().shows("X-One: 1"))
                .ask(get().hit_of(1).lacks("X-One").shows("X-Two: 2")),
        );
        let vary = format!("Cache-Control: max-age=60, {directive}=\"Vary\"");
        let what = format!("A `{directive}` that names a field caching rests on counts whole.");
        all.push(
            case(format!("{directive}-with-vary"), clause, what)
                .store(&[vary.as_str(), "Vary: X-Any"])
                .asked(),
        );
        let bad = format!("Cache-Control: max-age=60, {directive}=\"X One\"");
        let what = format!("A `{directive}` whose list is malformed counts whole.");
        all.push(not_reused(format!("{directive}-malformed"), clause, what, 0, &[bad.as_str()]));
    }
    all
}
