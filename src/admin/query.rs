//! The parameters of a request to the admin port.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The parameters of a query as a form writes them, in their order: `+` is a space, and
/// what is encoded is UTF-8.
///
/// # Errors
/// A sentence, if one isn't text.
pub(super) fn parameters(query: Option<&str>) -> Result<Vec<(String, String)>, String> {
    let parameters = query.unwrap_or_default().split('&').filter(|p| !p.is_empty());
    parameters
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            Ok((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Result<String, String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map(Cow::into_owned);
    decoded.map_err(|_| format!("{text:?} is not UTF-8, percent-encoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_forms_write_them() {
        let read = |query| parameters(Some(query));
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(
            read("url=http%3A%2F%2Fa%2F%3Fb%3Dc%26d&&x=a+b%2B&y"),
            Ok(vec![pair("url", "http://a/?b=c&d"), pair("x", "a b+"), pair("y", "")])
        );
        assert_eq!(parameters(None), Ok(vec![]));
        assert!(read("a=%ff").is_err());
    }
}
