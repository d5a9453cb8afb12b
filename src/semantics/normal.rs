//! The normal form of a nominated field's value: what means the same is written
//! in the same way, as far as the field's own syntax says so.

use super::policy::Policy;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// How the members of a field are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Lines as they stand: nobody means anything by so long a value.
    Long,
    /// Byte by byte: nothing is known of the field but that it is a list.
    Plain,
    /// Without the white space around semicolons; weights stay part of each member. Around
    /// `=` there may be none (section 12.4.2): apps read such a weight in their own ways.
    Weighed {
        /// In any order, and each once. That of codings means nothing (section 12.5.3); that
        /// of languages does to Django, which takes the first of those that weigh the same
        /// (section 12.5.4).
        any_order: bool,
        /// Case means nothing. It does in codings to Django, which sends who says `GZIP`
        /// all bytes.
        any_case: bool,
    },
}

/// The most members that are compared in any order. Nobody means more, and a
/// stranger who sends thousands is not to have them sorted for each variant.
const MOST: usize = 64;

/// The most bytes of a value that are compared member by member. That costs many times what
/// comparing bytes does, and lists of thousands of members come from strangers alone.
const LONG: usize = 1 << 10;

fn form(request: &HeaderMap, name: &HeaderName, policy: &Policy) -> Form {
    if request.get_all(name).iter().map(HeaderValue::len).sum::<usize>() > LONG {
        return Form::Long;
    }
    let (any_order, any_case) = match *name {
        header::ACCEPT_ENCODING => (true, false),
        header::ACCEPT_LANGUAGE => (policy.ignore_language_order, true),
        _ => return Form::Plain,
    };
    let any_order = any_order && parts(request, name, Form::Plain).nth(MOST).is_none();
    Form::Weighed { any_order, any_case }
}

impl Form {
    /// Whether members count byte for byte.
    fn is_exact(self) -> bool {
        matches!(self, Form::Long | Form::Plain)
    }

    fn is_in_any_order(self) -> bool {
        matches!(self, Form::Weighed { any_order: true, .. })
    }

    fn is_in_any_case(self) -> bool {
        matches!(self, Form::Weighed { any_case: true, .. })
    }
}

/// What a value consists of: its members, or lines that count as one each.
fn parts<'a>(
    request: &'a HeaderMap,
    name: &HeaderName,
    form: Form,
) -> impl Iterator<Item = &'a [u8]> {
    let lines = request.get_all(name).iter().map(HeaderValue::as_bytes);
    lines.flat_map(move |line| {
        let (whole, list) = match form {
            Form::Long => (Some(line), None),
            _ => (None, Some(members(line))),
        };
        whole.into_iter().chain(list.into_iter().flatten())
    })
}

/// The members of a list, empty ones too: a recipient of lists should ignore them (RFC 9110
/// section 5.6.1.2), but the app may take the value for no list, or not ignore them.
fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// The bytes of a member that count.
fn bytes(member: &[u8], form: Form) -> impl Iterator<Item = u8> {
    let divides = |byte: &u8| *byte == b';';
    let (whole, divided) =
        if form.is_exact() { (Some(member), None) } else { (None, Some(member)) };
    let pieces = divided.into_iter().flat_map(move |member| member.split_inclusive(divides));
    let trimmed = pieces.flat_map(move |piece| {
        let (text, end) = match piece.split_last() {
            Some((last, text)) if divides(last) => (text, Some(*last)),
            _ => (piece, None),
        };
        text.trim_ascii().iter().copied().chain(end)
    });
    let any_case = form.is_in_any_case();
    let cased = trimmed.map(move |byte| if any_case { byte.to_ascii_lowercase() } else { byte });
    whole.into_iter().flatten().copied().chain(cased)
}

/// What is left of a value in its normal form behind a member, if it begins with that.
fn behind<'a>(member: &[u8], form: Form, value: &'a [u8]) -> Option<&'a [u8]> {
    if form.is_exact() {
        return value.strip_prefix(member);
    }
    bytes(member, form).try_fold(value, |rest, byte| {
        rest.split_first().filter(|(first, _)| **first == byte).map(|(_, rest)| rest)
    })
}

/// The value of a request's field; `None` if the field is not there.
pub(super) fn value(request: &HeaderMap, name: &HeaderName, policy: &Policy) -> Option<Vec<u8>> {
    if name == header::COOKIE {
        return policy.cookies.selecting(request);
    }
    if !request.contains_key(name) {
        return None;
    }
    let form = form(request, name, policy);
    let mut values: Vec<Vec<u8>> =
        parts(request, name, form).map(|part| bytes(part, form).collect()).collect();
    if form.is_in_any_order() {
        values.sort_unstable();
        values.dedup();
    }
    Some(values.join(&b","[..]))
}

/// The most members that are compared with each other, each with each.
const FEW: usize = 16;

/// Whether [`value`] would be this, found out without making it.
pub(super) fn is_value(
    request: &HeaderMap,
    name: &HeaderName,
    policy: &Policy,
    wanted: Option<&[u8]>,
) -> bool {
    if name == header::COOKIE {
        return policy.cookies.selecting(request).as_deref() == wanted;
    }
    let Some(wanted) = wanted.filter(|_| request.contains_key(name)) else {
        return wanted.is_none() && !request.contains_key(name);
    };
    let form = form(request, name, policy);
    let own = || parts(request, name, form);
    if !form.is_in_any_order() {
        let rest = own().enumerate().try_fold(wanted, |rest, (at, part)| {
            let rest = if at > 0 { rest.strip_prefix(b",")? } else { rest };
            behind(part, form, rest)
        });
        return rest == Some(b"");
    }
    if own().chain(members(wanted)).nth(FEW).is_some() {
        return value(request, name, policy).as_deref() == Some(wanted);
    }
    let same = |member: &[u8], other: &[u8]| bytes(member, form).eq(other.iter().copied());
    own().all(|member| members(wanted).any(|other| same(member, other)))
        && members(wanted).all(|other| own().any(|member| same(member, other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_is_recognised_without_being_made(
            one in prop::collection::vec("[gG]z| ?[a-b, ;\t]{0,4}|((a|b),){20}|((a|b),){70}|((a|B), ){520}", 0..3),
            other in prop::collection::vec("[gG]z| ?[a-b, ;\t]{0,4}|((a|b),){20}|((a|b),){70}|((a|B), ){520}", 0..3),
            which in 0usize..4,
            ignore_language_order: bool,
        ) {
            let name = ["accept-encoding", "accept-language", "x", "cookie"][which];
            let name = HeaderName::from_static(name);
            let policy = Policy { ignore_language_order, ..Policy::default() };
            let map = |lines: &[String]| {
                fields(&lines.iter().map(|l| (name.as_str(), l.trim())).collect::<Vec<_>>())
            };
            let (one, other) = (map(&one), map(&other));
            for (asked, by) in [(&one, &other), (&one, &one)] {
                let wanted = value(by, &name, &policy);
                let equal = value(asked, &name, &policy) == wanted;
                prop_assert_eq!(is_value(asked, &name, &policy, wanted.as_deref()), equal);
            }
        }
    }
}
