//! The one language that a request likes best (RFC 9110 section 12.5.4).

use super::fields::{list, members};
use super::vary::{NominatedFields, VariantKey};
use http::header::{self, HeaderMap};

/// The most languages that are weighed; who names more likes none best.
const MOST: usize = 64;

/// The language with the highest weight, in lower case; `None` if two weigh the
/// same, or if it is any language at all.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::ACCEPT_LANGUAGE};
/// use larder::semantics::language::preferred;
///
/// let mut request = HeaderMap::new();
/// request.append(ACCEPT_LANGUAGE, HeaderValue::from_static("fr;q=0.5, DE, *;q=0.1"));
/// assert_eq!(preferred(&request).as_deref(), Some(&b"de"[..]));
/// request.append(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
/// assert_eq!(preferred(&request), None);
/// ```
pub fn preferred(request: &HeaderMap) -> Option<Vec<u8>> {
    let mut best: Option<(u16, &[u8])> = None;
    let mut tied = false;
    for (at, member) in members(request, &header::ACCEPT_LANGUAGE).enumerate() {
        let (language, weight) = weighed(member).filter(|_| at < MOST)?;
        match best {
            Some((most, _)) if weight < most => {}
            Some((most, _)) if weight == most => tied = true,
            _ => (best, tied) = (Some((weight, language)), false),
        }
    }
    let (weight, language) = best.filter(|_| !tied)?;
    (weight > 0 && language != b"*").then(|| language.to_ascii_lowercase())
}

/// Whether a stored response is in the language that the request likes [best](preferred),
/// and was chosen by everything else that the request says too: the origin would
/// choose it again. `stored` has the values of its `Content-Language`.
pub fn chooses<'a>(
    best: &[u8],
    selected: &VariantKey,
    nominated: &NominatedFields,
    variant: &VariantKey,
    stored: impl Iterator<Item = &'a [u8]>,
) -> bool {
    let mut languages = stored.flat_map(list);
    let (Some(language), None) = (languages.next(), languages.next()) else {
        return false;
    };
    best.eq_ignore_ascii_case(language)
        && nominated.names(&header::ACCEPT_LANGUAGE)
        && selected.equals_but_for(&header::ACCEPT_LANGUAGE, variant, nominated)
}

/// A language and its weight in thousandths; `None` if it is not in the grammar.
fn weighed(member: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = member.split(|b| *b == b';').map(<[u8]>::trim_ascii);
    let language = parts.next()?;
    let weight = match (parts.next(), parts.next()) {
        (None, _) => 1000,
        (Some(weight), None) => thousandths(weight)?,
        _ => return None,
    };
    Some((language, weight))
}

/// `q=0.5` (RFC 9110 section 12.4.2).
fn thousandths(weight: &[u8]) -> Option<u16> {
    let value = weight.strip_prefix(b"q=").or_else(|| weight.strip_prefix(b"Q="))?;
    let (whole, decimals) = match value {
        [whole @ (b'0' | b'1')] => (whole, &b""[..]),
        [whole @ (b'0' | b'1'), b'.', decimals @ ..] => (whole, decimals),
        _ => return None,
    };
    if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut number = u16::from(whole - b'0');
    for at in 0..3 {
        number = number * 10 + decimals.get(at).map_or(0, |d| u16::from(d - b'0'));
    }
    (number <= 1000).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::policy::Policy;
    use crate::semantics::testing::fields;

    #[test]
    fn the_heaviest_and_only_if_there_is_one() {
        for (accepted, expected) in [
            ("de", Some("de")),
            ("fr;q=0.5, de;q=1.0", Some("de")),
            ("fr;q=0.5, de-AT ; q=0.501", Some("de-at")),
            ("en, de", None),
            ("*, de;q=0.5", None),
            ("de;q=0", None),
            ("de;q=2, fr", None),
            ("de;q=0.5;x=1, fr", None),
            ("", None),
        ] {
            let best = preferred(&fields(&[("accept-language", accepted)]));
            assert_eq!(best.as_deref(), expected.map(str::as_bytes), "{accepted}");
        }
        for (count, expected) in [(MOST - 1, Some(&b"de"[..])), (MOST, None)] {
            let many = format!("de{}", ", fr;q=0.1".repeat(count));
            assert_eq!(preferred(&fields(&[("accept-language", &many)])).as_deref(), expected);
        }
    }

    #[test]
    fn a_stored_language_is_chosen_if_all_else_is_equal() {
        let nominated = NominatedFields::of(&fields(&[("vary", "accept-language, x")]));
        let select = |lines: &[(&str, &str)]| {
            nominated.select(&fields(lines), &Policy::default()).expect("a key")
        };
        let variant = select(&[("accept-language", "en, de"), ("x", "1")]);
        let chosen = |lines: &[(&str, &str)], language: &str| {
            let stored = std::iter::once(language.as_bytes());
            preferred(&fields(lines))
                .is_some_and(|best| chooses(&best, &select(lines), &nominated, &variant, stored))
        };
        assert!(chosen(&[("accept-language", "de, fr;q=0.5"), ("x", "1")], "De"));
        assert!(!chosen(&[("accept-language", "de, fr;q=0.5"), ("x", "2")], "de"));
        assert!(!chosen(&[("accept-language", "fr, de;q=0.5"), ("x", "1")], "de"));
        assert!(!chosen(&[("accept-language", "de"), ("x", "1")], "de, en"));
        assert!(!chosen(&[("x", "1")], "de"));
    }
}
