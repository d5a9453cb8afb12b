//! Requests with `Authorization`: RFC 9111 section 3.5.

use super::case::{Case, case, get};

const CLAUSE: &str = "RFC 9111 s3.5";
const WHO: &str = "Authorization: Bearer abc";

fn authorized(id: &str, behaviour: &str, value: &str) -> Case {
    let line = format!("Cache-Control: {value}");
    case(id, CLAUSE, behaviour).ask(get().with(WHO).says(line).asked())
}

pub fn cases() -> Vec<Case> {
    vec![
        authorized("authorized", "An answer to an authorized request is not shared.", "max-age=60")
            .asked(),
        authorized(
            "authorized-for-the-same",
            "Nor used again for the same credentials.",
            "max-age=60",
        )
        .ask(get().with(WHO).asked()),
        authorized("authorized-public", "With public it is shared.", "max-age=60, public").hit(),
        authorized("authorized-s-maxage", "With s-maxage it is shared.", "s-maxage=60").hit(),
        authorized(
            "authorized-must-revalidate-shared",
            "With must-revalidate it is shared, as the RFC allows.",
            "max-age=60, must-revalidate",
        )
        .hit()
        .in_profile(),
        authorized(
            "authorized-must-revalidate",
            "With must-revalidate alone it is not shared: that says nothing on who may see it.",
            "max-age=60, must-revalidate",
        )
        .asked()
        .by_default(),
        authorized(
            "authorized-invalid-s-maxage",
            "An s-maxage that cannot be read is no permission.",
            "max-age=60, s-maxage=many",
        )
        .asked(),
        authorized(
            "authorized-private",
            "private counts beside public.",
            "max-age=60, public, private",
        )
        .asked(),
        case("authorized-hit", CLAUSE, "What anybody may see, the authorized may see too.")
            .store(&["Cache-Control: max-age=60"])
            .ask(get().with(WHO).hit_of(1)),
        case("authorized-variants", CLAUSE, "Vary: Authorization keeps credentials apart.")
            .ask(
                get()
                    .with(WHO)
                    .says("Cache-Control: max-age=60, public")
                    .says("Vary: Authorization")
                    .asked(),
            )
            .ask(get().with("Authorization: Bearer other").asked())
            .ask(get().with(WHO).hit_of(1)),
    ]
}
