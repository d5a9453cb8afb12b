//! Which stored response a request selects: RFC 9111 section 4.1.

use super::case::{Case, case, get};

const CLAUSE: &str = "RFC 9111 s4.1";
const FRESH: &str = "Cache-Control: max-age=60";

pub fn cases() -> Vec<Case> {
    let mut all = selection();
    all.extend(several_fields());
    all.extend(variants());
    all.extend(any());
    all.extend(normalised());
    all.extend(languages());
    all.extend(best_language());
    all.extend(validators());
    all
}

/// Stored for a request with some fields, and asked for with others.
fn pair(id: &str, what: &str, vary: &str, stored: &[&str], asked: &[&str], same: bool) -> Case {
    let with = |lines: &[&str]| lines.iter().fold(get(), |ask, line| ask.with(*line));
    let first = with(stored).says(FRESH).says(format!("Vary: {vary}")).asked();
    let second = if same { with(asked).hit_of(1) } else { with(asked).asked() };
    case(id, CLAUSE, what).ask(first).ask(second)
}

fn selection() -> Vec<Case> {
    vec![
        pair(
            "vary-same",
            "The same field selects the response.",
            "X-Foo",
            &["X-Foo: 1"],
            &["X-Foo: 1"],
            true,
        ),
        pair("vary-other", "Another does not.", "X-Foo", &["X-Foo: 1"], &["X-Foo: 2"], false),
        pair(
            "vary-absent-when-stored",
            "Absent and present differ.",
            "X-Foo",
            &[],
            &["X-Foo: 1"],
            false,
        ),
        pair(
            "vary-absent-when-asked",
            "So do present and absent.",
            "X-Foo",
            &["X-Foo: 1"],
            &[],
            false,
        ),
        pair("vary-absent-twice", "Absent twice is the same.", "X-Foo", &[], &[], true),
        pair("vary-empty-is-not-absent", "Empty is not absent.", "X-Foo", &[], &["X-Foo:"], false),
        pair(
            "vary-others-do-not-matter",
            "Fields that are not nominated do not matter.",
            "X-Foo",
            &["X-Foo: 1", "X-Other: 1"],
            &["X-Foo: 1", "X-Other: 2"],
            true,
        ),
        pair(
            "vary-name-in-any-case",
            "Names have no case.",
            "x-fOO",
            &["X-Foo: 1"],
            &["X-Foo: 2"],
            false,
        ),
    ]
}

fn several_fields() -> Vec<Case> {
    let three = "X-Foo, X-Bar, X-Baz";
    let all_three = &["X-Foo: 1", "X-Bar: 2", "X-Baz: 3"][..];
    vec![
        pair("vary-three-same", "Three fields, all the same.", three, all_three, all_three, true),
        pair(
            "vary-three-one-other",
            "Three fields, one different.",
            three,
            all_three,
            &["X-Foo: 1", "X-Bar: 2", "X-Baz: 4"],
            false,
        ),
        pair(
            "vary-three-one-absent",
            "Three fields, one left out.",
            three,
            all_three,
            &["X-Foo: 1", "X-Baz: 3"],
            false,
        ),
        pair(
            "vary-three-in-another-order",
            "The order of the request's fields means nothing.",
            three,
            all_three,
            &["X-Baz: 3", "X-Foo: 1", "X-Bar: 2"],
            true,
        ),
        pair(
            "vary-two-same",
            "Two fields, both the same.",
            "X-Foo, X-Bar",
            &["X-Foo: 1", "X-Bar: 2"],
            &["X-Foo: 1", "X-Bar: 2"],
            true,
        ),
        pair(
            "vary-two-swapped",
            "Values do not wander between fields.",
            "X-Foo, X-Bar",
            &["X-Foo: 1", "X-Bar: 2"],
            &["X-Foo: 2", "X-Bar: 1"],
            false,
        ),
    ]
}

fn variants() -> Vec<Case> {
    vec![
        case("vary-two-variants", CLAUSE, "Several variants are stored beside each other.")
            .ask(get().with("X-Foo: 1").says(FRESH).says("Vary: X-Foo").asked())
            .ask(get().with("X-Foo: 2").says(FRESH).says("Vary: X-Foo").asked())
            .ask(get().with("X-Foo: 1").hit_of(1))
            .ask(get().with("X-Foo: 2").hit_of(2)),
        case("vary-on-two-lines", CLAUSE, "Two Vary lines nominate both.")
            .ask(get().with("X-Bar: 1").says(FRESH).says("Vary: X-Foo").says("Vary: X-Bar").asked())
            .ask(get().with("X-Bar: 2").asked()),
        case("vary-newest-selected", CLAUSE, "Of two that a request selects the newer is used.")
            .ask(
                get().with("X-Foo: 1").says("Cache-Control: max-age=5").says("Vary: X-Foo").asked(),
            )
            .pass(6)
            .ask(get().with("X-Foo: 1").says(FRESH).says("Vary: X-Foo").asked())
            .ask(get().with("X-Foo: 1").hit_of(2)),
        case("vary-cookie", CLAUSE, "Vary: Cookie keeps cookies apart.")
            .ask(get().with("Cookie: a=1").says(FRESH).says("Vary: Cookie").asked())
            .ask(get().with("Cookie: a=2").asked())
            .ask(get().with("Cookie: a=1").hit_of(1)),
    ]
}

fn any() -> Vec<Case> {
    let mut all = Vec::new();
    for (id, lines) in [
        ("star", &["Vary: *"][..]),
        ("star-star", &["Vary: *, *"]),
        ("star-star-on-two-lines", &["Vary: *", "Vary: *"]),
        ("empty-star", &["Vary: , *"]),
        ("empty-line-and-star", &["Vary:", "Vary: *"]),
        ("star-name", &["Vary: *, X-Foo"]),
        ("name-star", &["Vary: X-Foo, *"]),
        ("name-and-star-on-two-lines", &["Vary: X-Foo", "Vary: *"]),
    ] {
        let behaviour = format!("`{}` is selected by no request.", lines.join("`, `"));
        let lines = [&[FRESH, "ETag: \"a\""], lines].concat();
        all.push(
            case(format!("vary-{id}"), CLAUSE, behaviour)
                .ask(get().with("X-Foo: 1").lines(&lines).asked())
                .ask(get().with("X-Foo: 1").asked()),
        );
    }
    all
}

fn normalised() -> Vec<Case> {
    let encoding = "Accept-Encoding";
    vec![
        pair(
            "vary-space-around-commas",
            "White space around commas means nothing.",
            "X-Foo",
            &["X-Foo: 1,2"],
            &["X-Foo: 1 ,  2"],
            true,
        ),
        pair(
            "vary-lines-combined",
            "Several lines are the same as one with commas.",
            "X-Foo",
            &["X-Foo: 1, 2"],
            &["X-Foo: 1", "X-Foo: 2"],
            true,
        ),
        pair(
            "vary-order-of-unknown",
            "The order in a field whose syntax is not known matters.",
            "X-Foo",
            &["X-Foo: 1, 2"],
            &["X-Foo: 2, 1"],
            false,
        ),
        pair(
            "vary-case-of-unknown",
            "So does its case.",
            "X-Foo",
            &["X-Foo: a"],
            &["X-Foo: A"],
            false,
        ),
        pair(
            "vary-codings",
            "Codings have no order and no space.",
            encoding,
            &["Accept-Encoding: gzip;q=1, br"],
            &["Accept-Encoding: br,gzip; q=1"],
            true,
        ),
        pair(
            "vary-codings-in-capitals",
            "What an application may not know for a coding is not taken for one.",
            encoding,
            &["Accept-Encoding: gzip"],
            &["Accept-Encoding: GZIP"],
            false,
        ),
        pair(
            "vary-coding-refused",
            "A coding that is refused differs from one that is accepted.",
            encoding,
            &["Accept-Encoding: gzip;q=0"],
            &["Accept-Encoding: gzip"],
            false,
        ),
    ]
}

fn languages() -> Vec<Case> {
    let vary = "Accept-Language";
    let (en_de, de_en) = (&["Accept-Language: en, de"][..], &["Accept-Language: de, en"][..]);
    let spaced = &["Accept-Language:   en  ,   de ;  q=1  "][..];
    vec![
        pair(
            "vary-language-case",
            "Languages have no case.",
            vary,
            &["Accept-Language: en, DE"],
            &["Accept-Language: eN, de"],
            true,
        ),
        pair(
            "vary-language-space",
            "White space between languages means nothing.",
            vary,
            en_de,
            &["Accept-Language:   en ,  de"],
            true,
        ),
        pair(
            "vary-language-space-in-weights",
            "Nor around weights.",
            vary,
            &["Accept-Language: en,de;q=1"],
            spaced,
            true,
        ),
        pair(
            "vary-language-order",
            "The order of languages matters: frameworks decide by it between equals.",
            vary,
            en_de,
            de_en,
            false,
        )
        .by_default(),
        pair(
            "vary-language-any-order",
            "The order of languages means nothing.",
            vary,
            en_de,
            de_en,
            true,
        )
        .in_profile(),
    ]
}

fn best_language() -> Vec<Case> {
    let stored = |asked: &'static str, language: &'static str| {
        get().with(asked).says(FRESH).says("Vary: Accept-Language").says(language).asked()
    };
    vec![
        case(
            "vary-language-chosen",
            CLAUSE,
            "Where one language is best, a stored response in it will do.",
        )
        .ask(stored("Accept-Language: en, de;q=0.1", "Content-Language: en"))
        .ask(stored("Accept-Language: de", "Content-Language: de"))
        .ask(
            get()
                .with("Accept-Language: fr;q=0.5, de;q=1.0")
                .hit_of(2)
                .shows("Content-Language: de"),
        ),
        case("vary-language-not-chosen", CLAUSE, "Not where two are equally good.")
            .ask(stored("Accept-Language: de", "Content-Language: de"))
            .ask(get().with("Accept-Language: fr, de").asked()),
        case("vary-language-not-narrower", CLAUSE, "Nor one that is only part of what is asked.")
            .ask(stored("Accept-Language: de-AT", "Content-Language: de-AT"))
            .ask(get().with("Accept-Language: de").asked()),
        case("vary-language-and-more", CLAUSE, "Nor if another nominated field differs.")
            .ask(
                stored("Accept-Language: de", "Content-Language: de")
                    .with("X-Foo: 1")
                    .says("Vary: X-Foo"),
            )
            .ask(get().with("Accept-Language: de, en;q=0.5").with("X-Foo: 2").asked()),
    ]
}

fn validators() -> Vec<Case> {
    let clause = "RFC 9111 s4.3.1";
    let variant = |value: &'static str, etag: &'static str| {
        get().with(value).says(FRESH).says("Vary: X-Foo").says(etag).asked()
    };
    let coded = |value: &'static str, etag: &'static str| {
        get().with(value).says(FRESH).says("Vary: Accept-Encoding").says(etag).asked()
    };
    vec![
        case(
            "vary-fields-in-validation",
            clause,
            "A request for validation has the fields that select the response.",
        )
        .ask(variant("X-Foo: 1", "ETag: \"a\""))
        .pass(60)
        .ask(
            get()
                .with("X-Foo: 1")
                .confirms(&["ETag: \"a\""])
                .validated()
                .of(1)
                .origin_saw("X-Foo: 1"),
        ),
        case(
            "vary-offers-all",
            clause,
            "A request that differs by its codings alone offers the strong ETags of all variants; \
             a 304 picks one.",
        )
        .ask(coded("Accept-Encoding: gzip", "ETag: \"a\""))
        .ask(coded("Accept-Encoding: br", "ETag: \"b\""))
        .ask(
            get()
                .with("Accept-Encoding: zstd")
                .confirms(&["ETag: \"a\"", FRESH, "Vary: Accept-Encoding"])
                .validated()
                .of(1),
        )
        .ask(get().with("Accept-Encoding: zstd").hit_of(1))
        .ask(get().with("Accept-Encoding: br").hit_of(2)),
        case(
            "vary-offers-nothing-else",
            clause,
            "Where variants differ by anything else, no ETag of another is offered.",
        )
        .ask(variant("X-Foo: 1", "ETag: \"a\""))
        .ask(get().with("X-Foo: 2").asked().origin_lacked("If-None-Match")),
        case("vary-offers-no-weak-tags", clause, "Weak ETags of other variants are not offered.")
            .ask(coded("Accept-Encoding: gzip", "ETag: W/\"a\""))
            .ask(get().with("Accept-Encoding: br").asked().origin_lacked("If-None-Match")),
        case(
            "vary-offers-nothing-of-visitors",
            clause,
            "Variants by Cookie are not offered to others.",
        )
        .ask(get().with("Cookie: a=1").says(FRESH).says("Vary: Cookie").says("ETag: \"a\"").asked())
        .ask(get().with("Cookie: a=2").asked().origin_lacked("If-None-Match")),
    ]
}
