//! Paths that pretend to be something else: `/account/x.css` answered with the
//! account. Some servers in front of an application take such a page for a file
//! and keep it for all (web cache deception). Here extensions never make a
//! response storable; they can only cast doubt on a guess.

use super::fields::media_type;
use http::header::HeaderMap;

/// Extensions of files, and what the media type of such a file begins or ends
/// with. A page may have any other.
const FILES: [(&[&str], &[&str]); 9] = [
    (&["css"], &["text/css"]),
    (&["js", "mjs", "cjs"], &["text/javascript", "application/javascript", "*javascript"]),
    (&["json", "map"], &["application/json", "*+json"]),
    (
        &["png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "ico", "svg", "tif", "tiff"],
        &["image/"],
    ),
    (
        &["woff", "woff2", "ttf", "otf", "eot"],
        &["font/", "application/font", "application/x-font", "application/vnd.ms-fontobject"],
    ),
    (&["mp3", "ogg", "wav", "flac", "m4a", "mp4", "webm", "mov", "avi"], &["audio/", "video/"]),
    (&["txt", "csv", "md"], &["text/plain", "text/csv", "text/markdown"]),
    (
        &["pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "swf", "jar", "wasm"],
        &["application/"],
    ),
    (
        &["zip", "gz", "bz2", "xz", "tar", "7z", "rar", "exe", "dmg", "iso", "bin"],
        &["application/"],
    ),
];

/// Types under `application/` that are pages or data, not files to be kept.
const DOCUMENTS: [&str; 3] = ["application/xhtml+xml", "application/json", "application/xml"];

/// What servers decode or cut off in different ways, after `%`.
const DELIMITERS: [&[u8]; 9] = [b"2f", b"5c", b"3f", b"23", b"3b", b"25", b"00", b"0a", b"0d"];

/// Whether a path pretends: its extension is that of a file of another type than
/// the response has, or two servers could read it differently, for it has an
/// encoded delimiter, a parameter (`;`), or segments of dots.
///
/// ```
/// use http::HeaderMap;
/// use larder::semantics::pretence::is_pretended;
/// let mut html = HeaderMap::new();
/// html.insert("content-type", "text/html".parse().unwrap());
/// assert!(is_pretended("/account/x.css", &html));
/// assert!(is_pretended("/account;x", &html) && is_pretended("/account%2fx", &html));
/// assert!(!is_pretended("/account", &html) && !is_pretended("/page.html", &html));
/// ```
pub fn is_pretended(path: &str, fields: &HeaderMap) -> bool {
    let path = path.to_ascii_lowercase();
    is_ambiguous(&path) || extension(&path).is_some_and(|extension| !fits(extension, fields))
}

/// Whether two servers could read a path differently, which is in lower case.
pub(super) fn is_ambiguous(path: &str) -> bool {
    let encoded =
        |at: usize| DELIMITERS.contains(&path.as_bytes().get(at + 1..at + 3).unwrap_or(b""));
    let dots = |segment: &str| matches!(segment.replace("%2e", ".").as_str(), "." | "..");
    path.contains([';', '\\'])
        || path.match_indices('%').any(|(at, _)| encoded(at))
        || path.split('/').any(dots)
}

/// Of the last segment.
fn extension(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    name.rsplit_once('.').map(|(_, extension)| extension)
}

fn fits(extension: &str, fields: &HeaderMap) -> bool {
    let Some((_, types)) = FILES.iter().find(|(names, _)| names.contains(&extension)) else {
        return true;
    };
    let essence = String::from_utf8_lossy(media_type(fields)).to_ascii_lowercase();
    let is_one = |expected: &&str| match expected.strip_prefix('*') {
        Some(end) => essence.ends_with(end),
        None if *expected == "application/" => {
            essence.starts_with("application/") && !DOCUMENTS.contains(&essence.as_str())
        }
        None => essence.starts_with(expected),
    };
    essence == "application/octet-stream" || types.iter().any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::testing::fields;

    #[test]
    fn an_extension_is_belied_by_another_type() {
        let cases: &[(&str, &str, bool)] = &[
            ("/a.css", "text/css; charset=utf-8", false),
            ("/a.css", "TEXT/CSS", false),
            ("/a.css", "text/html", true),
            ("/a.css", "", true),
            ("/A.CSS", "text/html", true),
            ("/a.js", "text/javascript", false),
            ("/a.js", "application/x-javascript", false),
            ("/a.js", "application/json", true),
            ("/a.json", "application/problem+json", false),
            ("/a.json", "text/html", true),
            ("/a.png", "image/webp", false),
            ("/a.png", "application/octet-stream", false),
            ("/a.ico", "text/html", true),
            ("/a.woff2", "font/woff2", false),
            ("/a.pdf", "application/pdf", false),
            ("/a.pdf", "application/json", true),
            ("/a.zip", "application/x-zip-compressed", false),
            ("/a.mp4", "video/mp4", false),
            ("/robots.txt", "text/plain", false),
            ("/a.txt", "text/html", true),
            ("/a.css/b", "text/html", false),
            ("/a.html", "text/html", false),
            ("/a.php", "application/json", false),
            ("/v1.2", "text/html", false),
            ("/", "text/html", false),
            ("/css", "text/html", false),
        ];
        for (path, media_type, pretended) in cases {
            let lines = [("content-type", *media_type)];
            let lines = if media_type.is_empty() { &[][..] } else { &lines[..] };
            assert_eq!(is_pretended(path, &fields(lines)), *pretended, "{path} {media_type}");
        }
    }

    #[test]
    fn what_servers_decode_or_cut_off_differently_is_in_doubt() {
        let html = fields(&[("content-type", "text/html")]);
        for path in [
            "/account%2fx",
            "/account%2Fx",
            "/account%5cx",
            "/account%3fx.css",
            "/account%23x",
            "/account%3bx",
            "/account%00",
            "/account%0ax",
            "/account%0D",
            "/account%252fx",
            "/account;x.css",
            "/account;v=1/x",
            "/static/../account",
            "/static/%2e%2E/account",
            "/./account",
            "/account/..",
            "/account\\x",
        ] {
            assert!(is_pretended(path, &html), "{path}");
        }
        for path in ["/caf%c3%a9", "/a%20b", "/a%2", "/a%", "/a..b", "/...", "/a%2e", "/a:b@c,d+e"]
        {
            assert!(!is_pretended(path, &html), "{path}");
        }
    }
}
