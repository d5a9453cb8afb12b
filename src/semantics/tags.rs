//! The tags that a response bears, in the fields that frameworks already send:
//! `Cache-Tag`, `Surrogate-Key`, `xkey`, `X-Cache-Tags`, and `Cache-Groups`
//! (RFC 9875).

use http::header::{HeaderMap, HeaderName};

/// The field whose members are structured strings (RFC 9875 section 2).
const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");

/// The longest tag that is kept, in bytes; a longer one is left out.
pub const LONGEST: usize = 1024;

/// Reads the tags in the named fields and removes those fields: visitors have
/// no use for them. Sorted, each once.
///
/// Tags are separated by commas and white space, but those of `Cache-Groups`
/// are quoted strings with commas between. What is not in the grammar there is
/// read as if it were a plain list, so that no tag is lost.
///
/// ```
/// use http::{HeaderMap, HeaderName, HeaderValue};
/// use larder::semantics::tags::take;
///
/// let mut fields = HeaderMap::new();
/// fields.append("cache-tag", HeaderValue::from_static("article:1, list"));
/// fields.append("cache-groups", HeaderValue::from_static("\"two words\";x=1, \"list\""));
/// let names = [HeaderName::from_static("cache-tag"), HeaderName::from_static("cache-groups")];
/// let tags = take(&mut fields, &names);
/// assert_eq!(tags.iter().map(|t| &**t).collect::<Vec<_>>(), ["article:1", "list", "two words"]);
/// assert!(fields.is_empty());
/// ```
pub fn take(fields: &mut HeaderMap, names: &[HeaderName]) -> Vec<Box<str>> {
    let mut tags: Vec<Box<str>> = Vec::new();
    for name in names {
        for line in fields.get_all(name) {
            let line = String::from_utf8_lossy(line.as_bytes());
            let strings = (*name == CACHE_GROUPS).then(|| structured_strings(&line)).flatten();
            match strings {
                Some(strings) => tags.extend(strings.into_iter().map(String::into_boxed_str)),
                None => tags.extend(plain(&line).map(Into::into)),
            }
        }
        fields.remove(name);
    }
    tags.retain(|tag| !tag.is_empty() && tag.len() <= LONGEST);
    tags.sort_unstable();
    tags.dedup();
    tags
}

fn plain(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|tag| !tag.is_empty())
}

/// A list of strings with parameters (RFC 9651 section 3.1); `None` if it is
/// not one.
fn structured_strings(line: &str) -> Option<Vec<String>> {
    let mut strings = Vec::new();
    let mut rest = line.trim_start_matches([' ', '\t']);
    loop {
        let (string, after) = quoted(rest)?;
        strings.push(string);
        let after = skip_parameters(after)?.trim_start_matches([' ', '\t']);
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start_matches([' ', '\t']),
            None => return after.is_empty().then_some(strings),
        }
    }
}

/// Reads a string in double quotes, with `\"` and `\\` as the only escapes.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut string = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((string, &inner[at + 1..])),
            '\\' => match chars.next()? {
                (_, escaped @ ('"' | '\\')) => string.push(escaped),
                _ => return None,
            },
            ' '..='~' => string.push(c),
            _ => return None,
        }
    }
    None
}

/// Skips `;key=value` as often as it stands there; values are bare or strings.
fn skip_parameters(mut text: &str) -> Option<&str> {
    while let Some(parameter) = text.strip_prefix(';') {
        let key = parameter.trim_start_matches(' ');
        let end = key.find(['=', ';', ',', ' ', '\t']).unwrap_or(key.len());
        text = &key[end..];
        if let Some(value) = text.strip_prefix('=') {
            text = match quoted(value) {
                Some((_, after)) => after,
                None => &value[value.find([';', ',', ' ', '\t']).unwrap_or(value.len())..],
            };
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn taken(name: &'static str, lines: &[&str]) -> Vec<String> {
        let mut fields = HeaderMap::new();
        for line in lines {
            fields.append(name, HeaderValue::from_str(line).expect("a value"));
        }
        let tags = take(&mut fields, &[HeaderName::from_static(name)]);
        assert!(fields.is_empty());
        tags.into_iter().map(String::from).collect()
    }

    #[test]
    fn commas_and_white_space_separate() {
        assert_eq!(taken("xkey", &["a b", "c,d , e\tb"]), ["a", "b", "c", "d", "e"]);
        assert_eq!(taken("xkey", &["", " , "]), Vec::<String>::new());
        assert_eq!(taken("cache-tag", &["/books,/books/1"]), ["/books", "/books/1"]);
    }

    #[test]
    fn groups_are_structured_strings() {
        assert_eq!(
            taken("cache-groups", &[r#""a b", "c\"d";x;y="1, 2";z=3 , "e""#]),
            ["a b", "c\"d", "e"]
        );
        // Not a list of strings: nothing is lost.
        assert_eq!(taken("cache-groups", &["a, b"]), ["a", "b"]);
    }

    #[test]
    fn a_monstrous_tag_is_left_out() {
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(taken("xkey", &[&format!("a {long}")]), ["a"]);
    }
}
