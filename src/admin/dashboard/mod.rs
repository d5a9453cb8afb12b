//! The dashboard: a page and its files, as they stand beside this one. They hold no data;
//! the page fetches that, with the operator's token if there is one.

use super::problem::Kind;
use super::reply;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;

const PAGE: &str = include_str!("index.html");

/// A file of the page: its name, its type, its bytes.
type File = (&'static str, &'static str, &'static str);

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Every file beside the page.
const FILES: [File; 20] = [
    ("api.js", JS, include_str!("api.js")),
    ("base.css", CSS, include_str!("base.css")),
    ("chart.js", JS, include_str!("chart.js")),
    ("dom.js", JS, include_str!("dom.js")),
    ("explain.js", JS, include_str!("explain.js")),
    ("format.js", JS, include_str!("format.js")),
    ("head.js", JS, include_str!("head.js")),
    ("history.js", JS, include_str!("history.js")),
    ("icon.svg", SVG, include_str!("icon.svg")),
    ("main.js", JS, include_str!("main.js")),
    ("markdown.js", JS, include_str!("markdown.js")),
    ("now.js", JS, include_str!("now.js")),
    ("observed.js", JS, include_str!("observed.js")),
    ("origin.js", JS, include_str!("origin.js")),
    ("parts.css", CSS, include_str!("parts.css")),
    ("purge.js", JS, include_str!("purge.js")),
    ("stored.js", JS, include_str!("stored.js")),
    ("stream.js", JS, include_str!("stream.js")),
    ("tables.css", CSS, include_str!("tables.css")),
    ("token.js", JS, include_str!("token.js")),
];

/// Nothing but the page's own files, and nothing that could be made of text: a name or a
/// field that a visitor has sent stays text, whatever it looks like.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The page.
pub(super) fn page() -> Response<Full<Bytes>> {
    let page = Bytes::from_static(PAGE.as_bytes());
    secured(reply::with_bytes(StatusCode::OK, page, "text/html; charset=utf-8"))
}

/// One of its files.
pub(super) fn file(name: &str) -> Response<Full<Bytes>> {
    match FILES.iter().find(|(own, ..)| *own == name) {
        Some((_, media_type, text)) => {
            let bytes = Bytes::from_static(text.as_bytes());
            secured(reply::with_bytes(StatusCode::OK, bytes, media_type))
        }
        None => reply::problem(Kind::NotFound, "the dashboard has no file of this name"),
    }
}

fn secured(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let opener = HeaderValue::from_static("same-origin");
    response.headers_mut().insert("cross-origin-opener-policy", opener);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Texts between `before` and the next quotation mark.
    fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
    }

    #[test]
    fn every_file_of_the_folder_is_served_and_named_and_small() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/admin/dashboard");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "mod.rs" && name != "index.html")
            .collect();
        let served: BTreeSet<String> = FILES.iter().map(|(name, ..)| (*name).into()).collect();
        assert_eq!(served, there);
        let mut named: BTreeSet<String> = quoted(PAGE, "=\"/dashboard/").map(Into::into).collect();
        for (name, _, text) in FILES {
            let lines = text.lines().count();
            assert!(lines <= 300, "{name} has {lines} lines");
            named.extend(quoted(text, "from \"./").map(Into::into));
        }
        assert_eq!(named, there);
    }

    #[test]
    fn nothing_is_made_of_text_and_nothing_is_from_elsewhere() {
        let all = FILES.iter().map(|(name, _, text)| (*name, *text));
        for (name, text) in all.chain([("index.html", PAGE)]) {
            for dangerous in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("]
            {
                assert!(!text.contains(dangerous), "{name}: {dangerous}");
            }
            let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!elsewhere.contains("://cdn") && !elsewhere.contains("src=\"http"), "{name}");
        }
        for inline in ["<style", " style=", " onclick=", "javascript:"] {
            assert!(!PAGE.contains(inline), "{inline}");
        }
    }
}
