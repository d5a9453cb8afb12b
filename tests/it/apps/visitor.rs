//! Somebody with a browser: keeps cookies, fills in forms.

use super::HOST;
use crate::harness::{Response, request};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A visitor of a site.
#[derive(Clone, Debug)]
pub struct Visitor {
    site: SocketAddr,
    jar: BTreeMap<String, String>,
}

impl Visitor {
    pub fn new(site: SocketAddr) -> Visitor {
        Visitor { site, jar: BTreeMap::new() }
    }

    /// The same visitor with another address bar: past larder, for example.
    pub fn at(mut self, site: SocketAddr) -> Visitor {
        self.site = site;
        self
    }

    /// The same visitor with a cookie that the site has not set.
    pub fn with_cookie(mut self, name: &str, value: &str) -> Visitor {
        self.jar.insert(name.into(), value.into());
        self
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.jar.get(name).map(String::as_str)
    }

    pub fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, &[], "")
    }

    /// Sends a form, as a browser does.
    pub fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let pairs: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let origin = format!("http://{HOST}");
        let kind = "application/x-www-form-urlencoded";
        self.send("POST", path, &[("Origin", &origin), ("Content-Type", kind)], &pairs.join("&"))
    }

    /// Opens a page with a form of Django's, and sends it with the page's token.
    pub fn fill_in(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        self.fill_in_to(path, path, form)
    }

    /// The same where the form is sent to another path than its page's.
    pub fn fill_in_to(&mut self, page: &str, path: &str, form: &[(&str, &str)]) -> Response {
        let answer = self.get(page);
        assert_eq!(answer.status, 200, "{page}");
        let token = csrf_token(&answer);
        self.post(path, &[form, &[("csrfmiddlewaretoken", &token)]].concat())
    }

    /// Logs in by the application's own form.
    pub fn log_in(mut self, path: &str, name: &str) -> Visitor {
        let password = format!("secret-{name}");
        let form = [("username", name), ("password", password.as_str())];
        let answer = match path {
            "/login" => self.post(path, &form),
            _ => self.fill_in(path, &form),
        };
        assert_eq!(answer.status, 302, "{}", answer.text());
        self
    }

    fn send(&mut self, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Response {
        let cookies: Vec<String> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let cookies = cookies.join("; ");
        let mut fields = fields.to_vec();
        if !cookies.is_empty() {
            fields.push(("Cookie", &cookies));
        }
        let answer = request(self.site, method, path, &fields, body.as_bytes());
        for set in answer.all("set-cookie") {
            self.keep(set);
        }
        answer
    }

    fn keep(&mut self, set: &str) {
        let (cookie, attributes) = set.split_once(';').unwrap_or((set, ""));
        let (name, value) = cookie.split_once('=').expect("a cookie");
        if attributes.to_ascii_lowercase().contains("max-age=0") || value.is_empty() {
            self.jar.remove(name);
        } else {
            self.jar.insert(name.into(), value.into());
        }
    }
}

/// The token in a form of Django's.
pub fn csrf_token(page: &Response) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"csrfmiddlewaretoken\" value=\"").expect("a token");
    rest.split('"').next().expect("its end").to_string()
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
