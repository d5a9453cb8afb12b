//! `Cache-Control` (RFC 9111 section 5.2), read so that doubt never stores more.
//!
//! What an origin writes here is read byte by byte: names in any case, values
//! bare or quoted, any number of lines. A value that is not in the grammar is
//! [`Value::Unusable`], which is not the same as absent: each decision says
//! what it does then, and none takes it for permission.

use super::cache_control::{Argument, members};
use super::reason::Reason;
use super::time::DeltaSeconds;
use http::header::{self, CACHE_CONTROL, HeaderMap, HeaderName};

/// What became of a directive's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Value<T> {
    /// The directive is not there.
    #[default]
    Absent,
    /// The directive is there with a value in its grammar.
    Given(T),
    /// The directive is there, and its value cannot be understood.
    Unusable,
}

impl<T> Value<T> {
    /// The value, if one was given.
    pub fn given(self) -> Option<T> {
        match self {
            Value::Given(value) => Some(value),
            Value::Absent | Value::Unusable => None,
        }
    }

    /// Whether the directive is there at all.
    pub fn is_present(&self) -> bool {
        !matches!(self, Value::Absent)
    }
}

/// A directive that is written alone or with a list of field names:
/// `private`, `private="Set-Cookie"` (RFC 9111 sections 5.2.2.4 and 5.2.2.7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The directive is not there.
    #[default]
    Absent,
    /// It is about the fields named only.
    Fields(Vec<HeaderName>),
    /// It is about the whole response.
    Whole,
}

/// The directives of a response that this cache knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseDirectives {
    /// `max-age`, section 5.2.2.1.
    pub max_age: Value<DeltaSeconds>,
    /// `s-maxage`, section 5.2.2.10.
    pub s_maxage: Value<DeltaSeconds>,
    /// `stale-while-revalidate`, RFC 5861 section 3.
    pub stale_while_revalidate: Value<DeltaSeconds>,
    /// `stale-if-error`, RFC 5861 section 4.
    pub stale_if_error: Value<DeltaSeconds>,
    /// `no-cache`, section 5.2.2.4.
    pub no_cache: Scope,
    /// `private`, section 5.2.2.7.
    pub private: Scope,
    /// `no-store`, section 5.2.2.5.
    pub no_store: bool,
    /// `must-revalidate`, section 5.2.2.2.
    pub must_revalidate: bool,
    /// `proxy-revalidate`, section 5.2.2.8.
    pub proxy_revalidate: bool,
    /// `must-understand`, section 5.2.2.3.
    pub must_understand: bool,
    /// `public`, section 5.2.2.9.
    pub public: bool,
    /// The field is there, whatever it says.
    pub present: bool,
    /// They come from a field that is meant for this cache (RFC 9213), and
    /// `Expires` says nothing beside it.
    pub targeted: bool,
}

impl ResponseDirectives {
    /// Reads every `Cache-Control` line of a response's fields. Fields that are
    /// meant for this cache are read by [`super::targeted`].
    ///
    /// Of a directive that is repeated the first value counts (section 4.2.1);
    /// a restriction counts wherever it stands.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header::CACHE_CONTROL};
    /// use larder::semantics::{directives::{ResponseDirectives, Value}, time::DeltaSeconds};
    ///
    /// let mut fields = HeaderMap::new();
    /// fields.append(CACHE_CONTROL, HeaderValue::from_static("Max-Age=\"60\", foo=\"no-store\""));
    /// fields.append(CACHE_CONTROL, HeaderValue::from_static("PRIVATE"));
    /// let directives = ResponseDirectives::of(&fields);
    /// assert_eq!(directives.max_age, Value::Given(DeltaSeconds::new(60)));
    /// assert!(!directives.no_store);
    /// assert_eq!(directives.private, larder::semantics::directives::Scope::Whole);
    /// ```
    pub fn of(fields: &HeaderMap) -> ResponseDirectives {
        let mut read = ResponseDirectives::default();
        for line in fields.get_all(CACHE_CONTROL) {
            read.present = true;
            for member in members(line.as_bytes()) {
                read.take(member.name, &member.argument);
            }
        }
        read
    }

    /// Takes in one directive.
    pub(super) fn take(&mut self, name: &[u8], argument: &Argument) {
        let alone = matches!(argument, Argument::None);
        match name.to_ascii_lowercase().as_slice() {
            b"max-age" => first(&mut self.max_age, argument),
            b"s-maxage" => first(&mut self.s_maxage, argument),
            b"stale-while-revalidate" => first(&mut self.stale_while_revalidate, argument),
            b"stale-if-error" => first(&mut self.stale_if_error, argument),
            b"no-cache" => widen(&mut self.no_cache, argument),
            b"private" => widen(&mut self.private, argument),
            b"no-store" => self.no_store = true,
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            // These two allow what is forbidden without them: no doubt here.
            b"must-understand" => self.must_understand |= alone,
            b"public" => self.public |= alone,
            _ => {}
        }
    }

    /// Why they keep a response from being stored, whatever else it bears. Whoever
    /// understands the status may set `no-store` aside (section 5.2.2.3).
    pub fn forbid_storing(&self) -> Option<Reason> {
        if self.no_store && !self.must_understand {
            return Some(Reason::NoStore);
        }
        (self.private == Scope::Whole).then_some(Reason::Private)
    }

    /// Removes the fields that `private` and `no-cache` name, and gives them
    /// back: they are for the request that brought them, and not stored
    /// (sections 5.2.2.4 and 5.2.2.7).
    pub fn withhold(&self, fields: &mut HeaderMap) -> HeaderMap {
        let mut withheld = HeaderMap::new();
        for scope in [&self.private, &self.no_cache] {
            let Scope::Fields(names) = scope else { continue };
            for name in names {
                super::fields::move_lines(fields, name, &mut withheld);
            }
        }
        withheld
    }
}

/// The first of several counts.
pub(super) fn first(slot: &mut Value<DeltaSeconds>, argument: &Argument) {
    if *slot == Value::Absent {
        *slot = match argument {
            Argument::Text(text) => DeltaSeconds::parse(text).map_or(Value::Unusable, Value::Given),
            Argument::None | Argument::Malformed => Value::Unusable,
        };
    }
}

/// Fields without which the rest of the response is another one, or is cached
/// in another way: they cannot be left out.
const INDISPENSABLE: [HeaderName; 13] = [
    header::AGE,
    CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::TRANSFER_ENCODING,
    header::VARY,
];

/// A malformed list of fields, or one with a field that cannot be left out, or
/// with a word that says yes or no instead of a field (`private=1`), restricts
/// the whole response: the safe reading.
fn widen(slot: &mut Scope, argument: &Argument) {
    let named = match argument {
        Argument::Text(text) => field_names(text),
        Argument::None | Argument::Malformed => None,
    };
    *slot = match (std::mem::take(slot), named) {
        (Scope::Whole, _) | (_, None) => Scope::Whole,
        (Scope::Absent, Some(names)) => Scope::Fields(names),
        (Scope::Fields(mut all), Some(names)) => {
            all.extend(names);
            Scope::Fields(all)
        }
    };
}

fn field_names(list: &[u8]) -> Option<Vec<HeaderName>> {
    let names: Option<Vec<HeaderName>> = list
        .split(|b| *b == b',')
        .map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    let stands = |name: &HeaderName| !INDISPENSABLE.contains(name) && !is_yes_or_no(name.as_str());
    names.filter(|names| !names.is_empty() && names.iter().all(stands))
}

fn is_yes_or_no(word: &str) -> bool {
    let number = word.bytes().all(|byte| byte.is_ascii_digit());
    number || matches!(word, "true" | "false" | "yes" | "no" | "on" | "off")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(lines: &[&[u8]]) -> ResponseDirectives {
        let mut fields = HeaderMap::new();
        for line in lines {
            fields.append(CACHE_CONTROL, HeaderValue::from_bytes(line).expect("a value"));
        }
        ResponseDirectives::of(&fields)
    }

    #[test]
    fn max_age_in_every_spelling() {
        let given = |s| Value::Given(DeltaSeconds::new(s));
        let cases: &[(&[u8], Value<DeltaSeconds>)] = &[
            (b"max-age=60", given(60)),
            (b"MAX-AGE=60", given(60)),
            (b"max-age=\"60\"", given(60)),
            (b"max-age=\"6\\0\"", given(60)),
            (b"max-age=0060", given(60)),
            (b"max-age=99999999999", Value::Given(DeltaSeconds::MAX)),
            (b"max-age=10, max-age=20", given(10)),
            (b"max-age=x, max-age=20", Value::Unusable),
            (b"max-age", Value::Unusable),
            (b"max-age=", Value::Unusable),
            (b"max-age=-1", Value::Unusable),
            (b"max-age=3600.0", Value::Unusable),
            (b"max-age=100a", Value::Unusable),
            (b"max-age =100", Value::Unusable),
            (b"max-age= 100", Value::Unusable),
            (b"max-age=\"100", Value::Unusable),
            (b"=5", Value::Absent),
            (b"foo=\"max-age=60\"", Value::Absent),
            (b"foo=\"a, max-age=60, b\"", Value::Absent),
            (b"xmax-age=60", Value::Absent),
            (b",, ,max-age=60,", given(60)),
            (b"\xff\xfe, max-age=60", given(60)),
        ];
        for (line, expected) in cases {
            assert_eq!(read(&[line]).max_age, *expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn restrictions_count_however_they_are_written() {
        for line in [
            &b"no-store"[..],
            b"NO-STORE, max-age=60",
            b"no-store=1",
            b"no-store, x=\xff",
            b"x=\"open, no-store",
            b"No-Store ",
        ] {
            assert!(read(&[line]).no_store, "{}", line.escape_ascii());
        }
        assert!(read(&[b"max-age=60", b"no-store"]).no_store);
        for line in
            [&b"Private"[..], b"private=", b"private=\"\"", b"private=\"a b\"", b"private =\"x\""]
        {
            assert_eq!(read(&[line]).private, Scope::Whole, "{}", line.escape_ascii());
        }
        for line in [&b"private=1"[..], b"private=\"0\"", b"private=True", b"private=\"x-a, yes\""]
        {
            assert_eq!(read(&[line]).private, Scope::Whole, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn field_forms_are_read_and_widened() {
        let name = |n: &'static str| HeaderName::from_static(n);
        assert_eq!(
            read(&[b"no-cache=\"A, b\""]).no_cache,
            Scope::Fields(vec![name("a"), name("b")])
        );
        assert_eq!(read(&[b"no-cache=a"]).no_cache, Scope::Fields(vec![name("a")]));
        assert_eq!(read(&[b"no-cache=\"a\", no-cache"]).no_cache, Scope::Whole);
        assert_eq!(read(&[b"no-cache, no-cache=\"a\""]).no_cache, Scope::Whole);
    }
}
