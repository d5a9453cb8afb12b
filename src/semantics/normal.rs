//! The normal form of a nominated field's value: what means the same is written
//! in the same way, as far as the field's own syntax says so.

use super::fields::{list, members};
use super::policy::Policy;
use http::header::{self, HeaderMap, HeaderName};

/// How the members of a field are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Byte by byte: nothing is known of the field but that it is a list.
    Plain,
    /// Without case and inner white space; weights stay part of each member. The
    /// order of languages means something to Django, which takes the first of
    /// those that weigh the same (RFC 9110 section 12.5.4).
    Ordered,
    /// The same, and in any order (section 12.5.3).
    Unordered,
}

/// The most members that are compared in any order. Nobody means more, and a
/// stranger who sends thousands is not to have them sorted for each variant.
const MOST: usize = 64;

fn form(request: &HeaderMap, name: &HeaderName, policy: &Policy) -> Form {
    let in_any_order = *name == header::ACCEPT_ENCODING
        || (*name == header::ACCEPT_LANGUAGE && policy.ignore_language_order);
    if in_any_order && members(request, name).nth(MOST).is_none() {
        Form::Unordered
    } else if in_any_order || *name == header::ACCEPT_LANGUAGE {
        Form::Ordered
    } else {
        Form::Plain
    }
}

/// The bytes of a member that count.
fn bytes(member: &[u8], form: Form) -> impl Iterator<Item = u8> {
    let kept = move |byte: &u8| form == Form::Plain || !matches!(byte, b' ' | b'\t');
    let cased = move |byte: u8| if form == Form::Plain { byte } else { byte.to_ascii_lowercase() };
    member.iter().copied().filter(kept).map(cased)
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
        members(request, name).map(|member| bytes(member, form).collect()).collect();
    if form == Form::Unordered {
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
    let lines = request.get_all(name);
    let Some(wanted) = wanted else {
        return lines.iter().next().is_none();
    };
    if lines.iter().next().is_none() {
        return false;
    }
    let own = || lines.iter().flat_map(|line| list(line.as_bytes()));
    let form = form(request, name, policy);
    if form != Form::Unordered {
        let joined = own().enumerate().flat_map(|(at, member)| {
            let comma = (at > 0).then_some(b',');
            comma.into_iter().chain(bytes(member, form))
        });
        return joined.eq(wanted.iter().copied());
    }
    if own().chain(list(wanted)).nth(FEW).is_some() {
        return value(request, name, policy).as_deref() == Some(wanted);
    }
    let same = |member: &[u8], other: &[u8]| bytes(member, form).eq(other.iter().copied());
    own().all(|member| list(wanted).any(|other| same(member, other)))
        && list(wanted).all(|other| own().any(|member| same(member, other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_is_recognised_without_being_made(
            one in prop::collection::vec("[gG]z| ?[a-b, ;\t]{0,4}|((a|b),){20}|((a|b),){70}", 0..3),
            other in prop::collection::vec("[gG]z| ?[a-b, ;\t]{0,4}|((a|b),){20}|((a|b),){70}", 0..3),
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
