//! What would have to be otherwise for a response to be stored.

use super::directives::ResponseDirectives;
use super::freshness::Freshness;
use super::policy::Policy;
use super::reason::Reason;
use super::storable::{self, Asked, Storability};
use super::time::Exchange;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};

/// A response, and the request that it answers, as far as storing goes.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// What was asked.
    pub asked: Asked<'a>,
    /// The status of the response.
    pub status: StatusCode,
    /// Its fields.
    pub fields: HeaderMap,
    /// When it was asked for and came.
    pub exchange: Exchange,
    /// The operator's choices.
    pub policy: &'a Policy,
}

/// A question that storing depends on, in the order in which they are asked.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// What is asked.
    pub text: &'static str,
    /// The clause of RFC 9111, or the key of the configuration, that asks it.
    pub by: &'static str,
    /// With which of these reasons the answer may be no.
    pub reasons: &'static [Reason],
}

const fn question(text: &'static str, by: &'static str, reasons: &'static [Reason]) -> Question {
    Question { text, by, reasons }
}

/// The questions of [`storable::decide`], in its order, and that of the body's size.
pub const QUESTIONS: [Question; 13] = [
    question("Is the method one whose answers are stored?", "RFC 9111 s3", &[Reason::Method]),
    question(
        "Is the status one that is stored?",
        "RFC 9111 s3, s3.3",
        &[Reason::Status, Reason::Part],
    ),
    question(
        "Is it about what was asked for, and not about how?",
        "docs/security.md",
        &[Reason::Provoked],
    ),
    question(
        "Is its status understood, if that is demanded?",
        "RFC 9111 s5.2.2.3",
        &[Reason::NotUnderstood],
    ),
    question("Does the response leave out no-store?", "RFC 9111 s5.2.2.5", &[Reason::NoStore]),
    question("Does it leave out private?", "RFC 9111 s5.2.2.7", &[Reason::Private]),
    question(
        "Was it asked for without Authorization, or is it said to be for all?",
        "RFC 9111 s3.5",
        &[Reason::Authorization],
    ),
    question("Does it set no cookie?", "RFC 9111 s7.3", &[Reason::SetCookie]),
    question(
        "Can it be told who else may have it (no Vary: *)?",
        "RFC 9111 s4.1",
        &[Reason::VaryAny],
    ),
    question("Does it end?", "the type text/event-stream", &[Reason::EventStream]),
    question(
        "Was it asked for by nobody in particular, or is it said to whom it may be given?",
        "cache.cookies, cache.identity_fields",
        &[Reason::IdentityCookie, Reason::IdentityField],
    ),
    question(
        "Does it state a lifetime, or have a validator, and is it what its path says?",
        "RFC 9111 s4.2, cache.default_ttl",
        &[Reason::Pretence, Reason::NoLifetime],
    ),
    question("Is it small enough?", "cache.max_object", &[Reason::TooLarge]),
];

/// The most that is changed: each change takes one reason away, and none comes twice.
const MOST_CHANGES: usize = 12;

impl Case<'_> {
    /// Whether it may be stored, as [`storable::decide`] says.
    pub fn storability(&self) -> Storability {
        let mut fields = self.fields.clone();
        let directives = ResponseDirectives::of(&fields);
        let (status, exchange, policy) = (self.status, &self.exchange, self.policy);
        let identified = self.asked.visitor.is_known();
        let freshness = Freshness::of(status, &fields, &directives, exchange, policy, identified);
        directives.withhold(&mut fields);
        storable::decide(&self.asked, status, &fields, &directives, &freshness, policy)
    }

    /// The reasons that would have to fall away, in their order, for it to be stored,
    /// `first` among them if that is one; `None` if no change of the response would do.
    pub fn obstacles(mut self, first: Option<Reason>) -> Option<Vec<Reason>> {
        let mut found = Vec::new();
        let mut next = first;
        for _ in 0..MOST_CHANGES {
            let reason = match (next.take(), self.storability()) {
                (Some(reason), _) | (None, Storability::Refuse(reason)) => reason,
                (None, Storability::Store) => return Some(found),
            };
            if found.contains(&reason) || !self.change(reason) {
                return None;
            }
            found.push(reason);
        }
        None
    }

    /// Has a reason fall away. Returns whether that is possible.
    fn change(&mut self, reason: Reason) -> bool {
        match reason {
            Reason::NotUnderstood => self.drop_directive("must-understand"),
            Reason::NoStore => self.drop_directive("no-store"),
            Reason::Private => self.drop_directive("private"),
            Reason::Authorization => self.add_directive("public"),
            Reason::SetCookie => drop(self.fields.remove(header::SET_COOKIE)),
            Reason::VaryAny => drop(self.fields.remove(header::VARY)),
            Reason::IdentityCookie
            | Reason::IdentityField
            | Reason::Pretence
            | Reason::NoLifetime => {
                self.drop_directive("s-maxage");
                self.add_directive("s-maxage=60");
            }
            // It is not in the head.
            Reason::TooLarge | Reason::BypassPath => {}
            _ => return false,
        }
        true
    }

    fn drop_directive(&mut self, name: &str) {
        let kept: Vec<HeaderValue> = (self.fields.get_all(header::CACHE_CONTROL).iter())
            .filter_map(|line| without(line, name))
            .collect();
        self.fields.remove(header::CACHE_CONTROL);
        for line in kept {
            self.fields.append(header::CACHE_CONTROL, line);
        }
    }

    fn add_directive(&mut self, directive: &'static str) {
        self.fields.append(header::CACHE_CONTROL, HeaderValue::from_static(directive));
    }
}

/// A line without the members of this name; what is quoted may hold commas.
fn without(line: &HeaderValue, name: &str) -> Option<HeaderValue> {
    let mut quoted = false;
    let members = line.as_bytes().split(|byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    });
    let is_named = |member: &&[u8]| {
        let own = member.split(|byte| *byte == b'=').next().unwrap_or_default();
        own.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
    };
    let kept: Vec<&[u8]> =
        members.filter(|member| !member.trim_ascii().is_empty() && !is_named(member)).collect();
    (!kept.is_empty()).then(|| HeaderValue::from_bytes(&kept.join(&b','))).and_then(Result::ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::identity::Visitor;
    use crate::semantics::testing::{exchange, fields};
    use http::Method;

    fn asked(method: &Method, authorized: bool, identified: bool) -> Asked<'_> {
        let visitor = Visitor { authorized, identified, credentials: false };
        Asked { method, path: "/page", ranged: false, visitor }
    }

    fn case<'a>(asked: Asked<'a>, lines: &[(&str, &str)], policy: &'a Policy) -> Case<'a> {
        let fields = fields(lines);
        Case { asked, status: StatusCode::OK, fields, exchange: exchange(), policy }
    }

    #[test]
    fn all_that_stands_in_the_way_is_found_in_its_order() {
        let policy = Policy::default();
        for (lines, authorized, identified, expected) in [
            (&[("cache-control", "max-age=60")][..], false, false, &[][..]),
            (
                &[("set-cookie", "a=b"), ("cache-control", "max-age=60")],
                false,
                false,
                &[Reason::SetCookie],
            ),
            (&[("set-cookie", "a=b")], false, false, &[Reason::SetCookie, Reason::NoLifetime]),
            (
                &[("cache-control", "No-Store, private=\"x, y\", PRIVATE, max-age=5")],
                false,
                false,
                &[Reason::NoStore, Reason::Private],
            ),
            (&[("vary", "*"), ("etag", "\"1\"")], false, false, &[Reason::VaryAny]),
            (&[("etag", "\"1\"")], true, true, &[Reason::Authorization]),
            (&[("etag", "\"1\"")], false, true, &[Reason::IdentityCookie]),
            (&[], false, false, &[Reason::NoLifetime]),
        ] {
            let asked = asked(&Method::GET, authorized, identified);
            let found = case(asked, lines, &policy).obstacles(None);
            assert_eq!(found.as_deref(), Some(expected), "{lines:?}");
        }
    }

    #[test]
    fn what_no_response_can_change_is_said_to_be_so() {
        let policy = Policy::default();
        let stored = [("cache-control", "max-age=60")];
        let post = case(asked(&Method::POST, false, false), &stored, &policy);
        assert_eq!(post.obstacles(None), None);
        let stream = [("content-type", "text/event-stream"), ("cache-control", "max-age=60")];
        let stream = case(asked(&Method::GET, false, false), &stream, &policy);
        assert_eq!(stream.obstacles(None), None);
    }

    #[test]
    fn what_was_the_reason_comes_first_though_the_fields_do_not_show_it() {
        let policy = Policy::default();
        let hidden = case(asked(&Method::GET, false, false), &[("etag", "\"1\"")], &policy);
        assert_eq!(hidden.clone().obstacles(Some(Reason::TooLarge)), Some(vec![Reason::TooLarge]));
        assert_eq!(hidden.obstacles(Some(Reason::NoStore)), Some(vec![Reason::NoStore]));
    }

    #[test]
    fn every_reason_against_storing_is_the_answer_to_a_question() {
        use crate::semantics::reason::Kind;
        for reason in Reason::all() {
            let asked = QUESTIONS.iter().filter(|q| q.reasons.contains(&reason)).count();
            assert_eq!(asked, usize::from(reason.kind() == Kind::NotStored), "{reason}");
        }
    }
}
