//! Forms on pages that many visitors share: the app leaves a placeholder where a token
//! belongs, says so in `Larder-Fill`, and what a visitor is handed has their own token
//! in its place. The same for the nonce of a content security policy.
//!
//! The field is a dictionary (RFC 9651 section 3.2), read strictly: a page of which
//! anything is in doubt is not shown ([`offer`](super::offer)). `docs/forms.md` has it.

use super::csrf::{SECRET, TOKEN, is_in_alphabet};
use super::fields::{has_member, remove_if};
use super::form_cookie::FormCookie;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use sfv::visitor::{DictionaryVisitor, EntryVisitor, Ignored};
use sfv::{Dictionary, KeyRef, ListEntry, Parser};
use std::convert::Infallible;
use std::fmt;

/// What a page says that is to be filled in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Tokens of forms.
    pub csrf: Option<Csrf>,
    /// Nonces.
    pub nonce: Option<Placeholder<NONCE>>,
}

/// Where a token belongs, and which cookie it goes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csrf {
    /// What stands in its place.
    pub placeholder: Placeholder<TOKEN>,
    /// The cookie.
    pub cookie: FormCookie,
}

/// Characters of a nonce.
pub const NONCE: usize = SECRET;

/// A text in place of another of the same length. Who knows one could have it filled
/// where it was never meant to stand; so it is not shown by accident.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Placeholder<const N: usize>([u8; N]);

/// What stands in the place of placeholders in one answer.
#[derive(Clone, Copy)]
pub struct Filling {
    /// The token.
    pub csrf: Option<[u8; TOKEN]>,
    /// The nonce.
    pub nonce: Option<[u8; NONCE]>,
}

/// What nobody's page is filled with.
const STARS: Filling = Filling { csrf: Some([b'*'; TOKEN]), nonce: Some([b'*'; NONCE]) };

impl Form {
    /// Reads the field; `None` if it isn't exactly what it has to be: at least one of
    /// `csrf` and `nonce`, each a string of so many characters, and nothing else.
    pub fn read(line: &[u8]) -> Option<Form> {
        let dictionary = Parser::new(line).parse::<Dictionary>().ok()?;
        let count = Parser::new(line).parse_dictionary_with_visitor(Keys(0)).ok()?;
        if count != dictionary.len() {
            return None;
        }
        let mut form = Form { csrf: None, nonce: None };
        for (key, entry) in &dictionary {
            let ListEntry::Item(item) = entry else { return None };
            let text = item.bare_item.as_string()?.as_str();
            match key.as_str() {
                "csrf" => {
                    let (placeholder, cookie) =
                        (Placeholder::read(text)?, FormCookie::of(&item.params)?);
                    form.csrf = Some(Csrf { placeholder, cookie });
                }
                "nonce" if item.params.is_empty() => form.nonce = Some(Placeholder::read(text)?),
                _ => return None,
            }
        }
        let Form { csrf, nonce } = &form;
        // One within the other could not be told from it.
        let are_apart = csrf.as_ref().zip(nonce.as_ref()).is_none_or(|(csrf, nonce)| {
            !csrf.placeholder.0.windows(NONCE).any(|window| window == nonce.0)
        });
        (are_apart && (csrf.is_some() || nonce.is_some())).then_some(form)
    }

    /// Whether all that another says is what this one says too. A 304 may say less: of
    /// what it did not render the app leaves nothing out.
    pub fn has(&self, other: &Form) -> bool {
        (other.csrf.is_none() || other.csrf == self.csrf)
            && (other.nonce.is_none() || other.nonce == self.nonce)
    }

    /// Whether the fields of a newer head bear placeholders wherever they take the place of
    /// fields that do. If not, the page has become one that is filled otherwise.
    pub fn stays_in(&self, stored: &HeaderMap, newer: &HeaderMap) -> bool {
        let is_in = |fields: &HeaderMap, name: &HeaderName| {
            let is_borne = |value: &HeaderValue, text: &[u8]| {
                value.as_bytes().windows(text.len()).any(|window| window == text)
            };
            let mut lines = fields.get_all(name).iter();
            lines.any(|value| self.pairs(&STARS).any(|(text, _)| is_borne(value, text)))
        };
        newer.keys().all(|name| is_in(newer, name) || !is_in(stored, name))
    }

    /// Each placeholder, and what is put in its place.
    pub fn pairs<'a>(&'a self, filling: &'a Filling) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let csrf = self.csrf.as_ref().zip(filling.csrf.as_ref());
        let nonce = self.nonce.as_ref().zip(filling.nonce.as_ref());
        let csrf = csrf.map(|(csrf, value)| (csrf.placeholder.as_bytes(), &value[..]));
        let nonce = nonce.map(|(nonce, value)| (nonce.as_bytes(), &value[..]));
        csrf.into_iter().chain(nonce)
    }

    /// Fills the fields of a head: the policy's above all, and whatever else bears a
    /// placeholder.
    pub fn fill_fields(&self, filling: &Filling, fields: &mut HeaderMap) {
        for value in fields.values_mut() {
            for (placeholder, own) in self.pairs(filling) {
                if let Some(filled) = replaced(value.as_bytes(), placeholder, own)
                    && let Ok(filled) = HeaderValue::from_bytes(&filled)
                {
                    *value = filled;
                }
            }
        }
    }

    /// Has no field of a head bear a placeholder, for people to read.
    pub fn hide(&self, fields: &mut HeaderMap) {
        self.fill_fields(&STARS, fields);
    }

    /// Bytes that it takes in memory.
    pub fn weight(&self) -> usize {
        size_of::<Form>() + 32 + self.csrf.as_ref().map_or(0, |csrf| csrf.cookie.weight())
    }
}

/// Counts the keys of a dictionary as they stand. Of one that stands twice the RFC takes
/// the last; then the other's placeholder would stay in the page.
struct Keys(usize);

impl<'de> DictionaryVisitor<'de> for Keys {
    type Out = usize;
    type Error = Infallible;

    fn entry(&mut self, _: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Infallible> {
        self.0 += 1;
        Ok(Ignored)
    }

    fn finish(self) -> Result<usize, Infallible> {
        Ok(self.0)
    }
}

impl<const N: usize> Placeholder<N> {
    fn read(text: &str) -> Option<Placeholder<N>> {
        let text: [u8; N] = text.as_bytes().try_into().ok()?;
        is_in_alphabet(&text).then_some(Placeholder(text))
    }

    /// Its characters.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Placeholder<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Has a head say that what follows is for one visitor, and is to be asked for each
/// time: nothing by which it could be confirmed, taken apart, or kept by another cache,
/// and no digest of what was there before it was filled.
pub fn for_one_visitor(fields: &mut HeaderMap) {
    let mut directives = String::from("private, no-cache");
    for strict in ["no-store", "no-transform"] {
        if has_member(fields, &header::CACHE_CONTROL, strict) {
            directives.push_str(", ");
            directives.push_str(strict);
        }
    }
    remove_if(fields, |name| is_about_many(name.as_str()));
    if let Ok(directives) = HeaderValue::from_str(&directives) {
        fields.insert(header::CACHE_CONTROL, directives);
    }
}

fn is_about_many(name: &str) -> bool {
    let is_listed = matches!(
        name,
        "accept-ranges"
            | "cache-control"
            | "content-digest"
            | "content-md5"
            | "digest"
            | "edge-control"
            | "etag"
            | "expires"
            | "last-modified"
            | "no-vary-search"
            | "pragma"
            | "repr-digest"
            | "surrogate-control"
            | "trailer"
            | "x-accel-expires"
            | "x-vc-enabled"
            | "x-vc-ttl"
    );
    // CDN-Cache-Control, and those of single ones (RFC 9213).
    is_listed || name.ends_with("-cache-control")
}

/// A text with each placeholder replaced; `None` if there is none in it.
fn replaced(text: &[u8], placeholder: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let next = |from: usize, text: &[u8]| {
        text[from..].windows(placeholder.len()).position(|window| window == placeholder)
    };
    let mut from = next(0, text)?;
    let mut text = text.to_vec();
    loop {
        let end = from + placeholder.len();
        text[from..end].copy_from_slice(value);
        match next(end, &text) {
            Some(further) => from = end + further,
            None => return Some(text),
        }
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
