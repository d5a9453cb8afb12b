//! The cookie that bears a visitor's secret against forged requests: what the app says
//! of it, how it is read, and how it is set.

use super::cookies::{self, is_in_tokens};
use super::csrf::Secret;
use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use sfv::{BareItem, Parameters};

/// The cookie, by the app's own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormCookie {
    name: Box<str>,
    /// What follows its value: `; Max-Age=31449600; Path=/; SameSite=Lax`.
    attributes: Box<str>,
}

impl FormCookie {
    /// Reads the parameters of a member of `Larder-Fill`: `cookie`, and of `max-age`,
    /// `path`, `domain`, `samesite`, `secure` and `httponly` those that there are. `None`
    /// if one is unknown, of another type, or could not stand in `Set-Cookie`: a cookie
    /// that lacks what the app wants of it is not to be set.
    pub(super) fn of(parameters: &Parameters) -> Option<FormCookie> {
        let mut name = None;
        let mut attributes = String::new();
        for (key, value) in parameters {
            let text = || value.as_string().map(|text| text.as_str());
            match key.as_str() {
                "cookie" => name = Some(text().filter(|name| is_name(name))?),
                "max-age" => {
                    let seconds = value.as_integer().map(i64::from).filter(|s| *s > 0)?;
                    attributes.push_str(&format!("; Max-Age={seconds}"));
                }
                "path" => {
                    let path = text().filter(|path| is_path(path))?;
                    attributes.push_str(&format!("; Path={path}"));
                }
                "domain" => {
                    let domain = text().filter(|domain| is_domain(domain))?;
                    attributes.push_str(&format!("; Domain={domain}"));
                }
                "samesite" => {
                    let site = same_site(text()?)?;
                    attributes.push_str(&format!("; SameSite={site}"));
                }
                "secure" => flag(value, "; Secure", &mut attributes)?,
                "httponly" => flag(value, "; HttpOnly", &mut attributes)?,
                _ => return None,
            }
        }
        Some(FormCookie { name: name?.into(), attributes: attributes.into() })
    }

    /// The secret that a request bears, read as Django reads it: of several cookies with
    /// the name the last. `None` if there is none, or it is no secret.
    pub fn of_visitor(&self, request: &HeaderMap) -> Option<Secret> {
        Secret::read(unquoted(cookies::last(request, self.name.as_bytes())?))
    }

    /// The secret that a response itself sets, by the last line that sets this cookie.
    /// `None` if none does, or it sets no secret.
    pub fn set_by(&self, response: &HeaderMap) -> Option<Secret> {
        let lines = response.get_all(SET_COOKIE).iter();
        let mut values = lines.filter_map(|line| self.value_in(line.as_bytes()));
        Secret::read(unquoted(values.next_back()?))
    }

    /// The value that a line of `Set-Cookie` begins with, if it sets this cookie.
    fn value_in<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let pair = line.split(|byte| *byte == b';').next()?;
        let (name, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=')?);
        (name.trim_ascii() == self.name.as_bytes()).then(|| value[1..].trim_ascii())
    }

    /// The line of `Set-Cookie` that gives a visitor this secret.
    pub fn set_to(&self, secret: &Secret) -> HeaderValue {
        let (name, attributes) = (self.name.as_bytes(), self.attributes.as_bytes());
        let line = [name, b"=", secret.as_bytes(), attributes].concat();
        // Whatever is in it has been looked at.
        let mut line =
            HeaderValue::from_bytes(&line).unwrap_or_else(|_| HeaderValue::from_static(""));
        line.set_sensitive(true);
        line
    }

    /// Bytes that it takes in memory.
    pub(super) fn weight(&self) -> usize {
        self.name.len() + self.attributes.len() + 32
    }
}

/// A value within quotes is what is in them.
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        value => value,
    }
}

fn flag(value: &BareItem, attribute: &str, attributes: &mut String) -> Option<()> {
    if value.as_boolean()? {
        attributes.push_str(attribute);
    }
    Some(())
}

/// The longest name, path or domain.
const LONGEST: usize = 1024;

fn is_name(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(|byte| is_in_tokens(&byte))
}

fn is_path(path: &str) -> bool {
    let can_be_in_one = |byte: u8| byte.is_ascii_graphic() && byte != b';';
    path.starts_with('/') && path.len() <= LONGEST && path.bytes().all(can_be_in_one)
}

fn is_domain(domain: &str) -> bool {
    let can_be_in_one = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    (1..=LONGEST).contains(&domain.len()) && domain.bytes().all(can_be_in_one)
}

fn same_site(text: &str) -> Option<&'static str> {
    ["Lax", "Strict", "None"].into_iter().find(|site| site.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;
    use sfv::{Item, Parser};

    fn cookie(parameters: &str) -> Option<FormCookie> {
        let item = Parser::new(&format!("1{parameters}")).parse::<Item>().expect("an item");
        FormCookie::of(&item.params)
    }

    fn secret(letter: char) -> Secret {
        Secret::read(letter.to_string().repeat(32).as_bytes()).expect("a secret")
    }

    #[test]
    fn the_cookie_is_set_as_the_app_would() {
        for (parameters, attributes) in [
            (";cookie=\"c\"", ""),
            (
                ";cookie=\"c\";max-age=31449600;path=\"/\";samesite=\"Lax\"",
                "; Max-Age=31449600; Path=/; SameSite=Lax",
            ),
            (
                ";cookie=\"c\";path=\"/a\";domain=\".a.test\";samesite=\"strict\";secure;httponly",
                "; Path=/a; Domain=.a.test; SameSite=Strict; Secure; HttpOnly",
            ),
            (";cookie=\"c\";secure=?0;httponly=?1", "; HttpOnly"),
        ] {
            let line = cookie(parameters).expect(parameters).set_to(&secret('s'));
            assert_eq!(line, format!("c={}{attributes}", "s".repeat(32)), "{parameters}");
            assert!(line.is_sensitive());
        }
    }

    #[test]
    fn what_can_not_be_set_as_the_app_wants_is_not_set() {
        for parameters in [
            "",
            ";path=\"/\"",
            ";cookie",
            ";cookie=c",
            ";cookie=\"\"",
            ";cookie=\"a b\"",
            ";cookie=\"a=b\"",
            ";cookie=\"c\";max-age=0",
            ";cookie=\"c\";max-age=-1",
            ";cookie=\"c\";max-age=1.5",
            ";cookie=\"c\";max-age=\"1\"",
            ";cookie=\"c\";path=\"a\"",
            ";cookie=\"c\";path=\"/; Domain=evil.test\"",
            ";cookie=\"c\";path=\"/a b\"",
            ";cookie=\"c\";domain=\"a.test; Secure\"",
            ";cookie=\"c\";domain=\"\"",
            ";cookie=\"c\";samesite=\"Sometimes\"",
            ";cookie=\"c\";secure=1",
            ";cookie=\"c\";httponly=\"yes\"",
            ";cookie=\"c\";partitioned",
        ] {
            assert_eq!(cookie(parameters), None, "{parameters}");
        }
    }

    #[test]
    fn a_visitors_secret_is_the_last_that_bears_the_name() {
        let own = cookie(";cookie=\"csrftoken\"").expect("a cookie");
        let [a, b] = ['a', 'b'].map(|letter| letter.to_string().repeat(32));
        let masked = String::from_utf8(secret('a').masked([b'x'; 32]).to_vec()).expect("text");
        for (line, found) in [
            (format!("csrftoken={a}"), Some('a')),
            (format!("x=1; csrftoken={masked}; y"), Some('a')),
            (format!("csrftoken={a}; csrftoken={b}"), Some('b')),
            (format!("csrftoken=\"{a}\""), Some('a')),
            (format!("csrftoken={a}; csrftoken=nonsense"), None),
            (format!("csrftoken={a}; csrftoken"), Some('a')),
            (format!("xcsrftoken={a}; Csrftoken={a}"), None),
            ("csrftoken=".to_string(), None),
            (String::new(), None),
        ] {
            let value = HeaderValue::from_str(&line).expect("a value");
            let request = HeaderMap::from_iter([(COOKIE, value)]);
            assert_eq!(own.of_visitor(&request), found.map(secret), "{line}");
        }
        assert_eq!(own.of_visitor(&HeaderMap::new()), None);
    }

    #[test]
    fn what_the_response_itself_sets_is_found() {
        let own = cookie(";cookie=\"csrftoken\"").expect("a cookie");
        let [a, b] = ['a', 'b'].map(|letter| letter.to_string().repeat(32));
        for (lines, found) in [
            (vec![format!("csrftoken={a}; Path=/")], Some('a')),
            (vec![format!("csrftoken={a}"), format!("csrftoken={b}; Secure")], Some('b')),
            (vec![format!("sessionid={b}"), format!(" csrftoken = {a} ;x")], Some('a')),
            (vec!["csrftoken=; Max-Age=0".to_string()], None),
            (vec![format!("other=1; csrftoken={a}")], None),
            (vec!["nonsense".to_string()], None),
        ] {
            let value = |line: &String| HeaderValue::from_str(line).expect("a value");
            let mut response = HeaderMap::new();
            for line in &lines {
                response.append(SET_COOKIE, value(line));
            }
            assert_eq!(own.set_by(&response), found.map(secret), "{lines:?}");
        }
    }
}
