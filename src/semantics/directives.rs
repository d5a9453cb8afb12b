//! `Cache-Control` (RFC 9111 section 5.2), read so that doubt never stores more.
//!
//! What an origin writes here is read byte by byte: names in any case, values
//! bare or quoted, any number of lines. A value that is not in the grammar is
//! [`Value::Unusable`], which is not the same as absent: each decision says
//! what it does then, and none takes it for permission.

use super::time::DeltaSeconds;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderName};

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
}

impl ResponseDirectives {
    /// Reads every `Cache-Control` line of a response's fields.
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
            for item in items(line.as_bytes()) {
                read.take(&item);
            }
        }
        read
    }

    fn take(&mut self, item: &Item<'_>) {
        match item.name.to_ascii_lowercase().as_slice() {
            b"max-age" => first(&mut self.max_age, item),
            b"s-maxage" => first(&mut self.s_maxage, item),
            b"stale-while-revalidate" => first(&mut self.stale_while_revalidate, item),
            b"stale-if-error" => first(&mut self.stale_if_error, item),
            b"no-cache" => widen(&mut self.no_cache, item),
            b"private" => widen(&mut self.private, item),
            b"no-store" => self.no_store = true,
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"must-understand" => self.must_understand = true,
            b"public" => self.public = true,
            _ => {}
        }
    }
}

/// Whether a request says `only-if-cached` (RFC 9111 section 5.2.1.7).
pub fn only_if_cached(fields: &HeaderMap) -> bool {
    fields.get_all(CACHE_CONTROL).iter().any(|line| {
        items(line.as_bytes()).any(|item| item.name.eq_ignore_ascii_case(b"only-if-cached"))
    })
}

fn first(slot: &mut Value<DeltaSeconds>, item: &Item<'_>) {
    if *slot == Value::Absent {
        *slot = match &item.argument {
            Argument::Text(text) => DeltaSeconds::parse(text).map_or(Value::Unusable, Value::Given),
            Argument::None | Argument::Malformed => Value::Unusable,
        };
    }
}

/// A malformed list of fields restricts the whole response: the safe reading.
fn widen(slot: &mut Scope, item: &Item<'_>) {
    let named = match &item.argument {
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
    names.filter(|names| !names.is_empty())
}

/// What stands after a directive's name.
enum Argument {
    None,
    /// The value, without quotes and escapes.
    Text(Vec<u8>),
    /// Something that is not in the grammar.
    Malformed,
}

struct Item<'a> {
    name: &'a [u8],
    argument: Argument,
}

/// The members of one `Cache-Control` line, in order.
struct Items<'a> {
    rest: &'a [u8],
    /// Quotes still pair up; after one that never closes, all are ordinary.
    quotes: bool,
}

fn items(line: &[u8]) -> Items<'_> {
    Items { rest: line, quotes: true }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            let member = self.cut_member()?;
            let member = member.trim_ascii();
            if !member.is_empty() {
                return Some(read_member(member));
            }
        }
    }
}

impl<'a> Items<'a> {
    /// Cuts at the next comma outside a quoted string. A quote that never closes
    /// is an ordinary byte, so that what follows it is still read.
    fn cut_member(&mut self) -> Option<&'a [u8]> {
        let line = self.rest;
        if line.is_empty() {
            return None;
        }
        let mut at = 0;
        while at < line.len() {
            match line[at] {
                b',' => {
                    self.rest = &line[at + 1..];
                    return Some(&line[..at]);
                }
                b'"' if self.quotes => match closing_quote(line, at) {
                    Some(close) => at = close + 1,
                    None => self.quotes = false,
                },
                _ => at += 1,
            }
        }
        self.rest = &[];
        Some(line)
    }
}

fn closing_quote(line: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    while at < line.len() {
        match line[at] {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn read_member(member: &[u8]) -> Item<'_> {
    let end =
        member.iter().position(|b| matches!(b, b'=' | b' ' | b'\t' | b'"')).unwrap_or(member.len());
    let (name, rest) = member.split_at(end);
    let argument = match rest {
        [] => Argument::None,
        [b'=', b'"', quoted @ ..] => unquote(quoted),
        [b'=', token @ ..] if !token.is_empty() && token.iter().all(|b| is_value_byte(*b)) => {
            Argument::Text(token.to_vec())
        }
        _ => Argument::Malformed,
    };
    Item { name, argument }
}

fn is_value_byte(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && byte != b'"'
}

fn unquote(quoted: &[u8]) -> Argument {
    let mut text = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if bytes.as_slice().is_empty() => return Argument::Text(text),
            b'"' => return Argument::Malformed,
            b'\\' => text.extend(bytes.next()),
            _ => text.push(*byte),
        }
    }
    Argument::Malformed
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

    #[test]
    fn a_request_may_ask_for_the_cache_only() {
        let mut fields = HeaderMap::new();
        fields.append(CACHE_CONTROL, HeaderValue::from_static("x, Only-If-Cached"));
        assert!(only_if_cached(&fields));
        assert!(!only_if_cached(&HeaderMap::new()));
    }
}
