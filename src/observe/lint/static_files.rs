//! Files that come with the app, and are the same for all.

use super::sample::Sample;
use super::vary::is_named;
use super::{Rule, Severity};
use crate::semantics::directives::Scope;
use crate::semantics::pretence::is_pretended;
use crate::semantics::time::DeltaSeconds;
use http::header;

/// Extensions of files that no app makes for one visitor.
const CODE: [&str; 10] = ["css", "js", "mjs", "map", "woff", "woff2", "ttf", "otf", "eot", "wasm"];

/// Those of files that are static if their folder is.
const MEDIA: [&str; 11] =
    ["png", "jpg", "jpeg", "gif", "webp", "avif", "ico", "svg", "mp4", "webm", "mp3"];

/// Names of folders with static files.
const FOLDERS: [&str; 2] = ["static", "staticfiles"];

/// A lifetime of a day.
const DAY: u64 = 86_400;

const DJANGO: Option<&str> = Some(
    "Serve static files by WhiteNoise: `WhiteNoiseMiddleware` directly below \
     `SecurityMiddleware`, so that no other middleware sees them.",
);
const FLASK: Option<&str> = Some(
    "Flask-Login looks at the session after every request, for static files too. `preset = \
     \"flask\"` leaves cookies out of requests below `/static/`. Or serve the files outside of Flask: `app.wsgi_app = WhiteNoise(app.wsgi_app, root=\"static/\", \
     prefix=\"static/\")`, or by the web server.",
);

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "static-vary-cookie",
        severity: Severity::Warning,
        sentence: "is a static file and varies on Cookie: each visitor with a session has the app \
            send it again",
        fix: (
            "Serve static files past what looks at sessions, or name their path in \
             `cache.static_paths`: cookies are left out of requests for them then.",
            DJANGO,
            FLASK,
        ),
        has: |sample| sample.is_static() && is_named(&sample.nominated, &header::COOKIE),
    },
    Rule {
        code: "static-set-cookie",
        severity: Severity::Warning,
        sentence: "is a static file and sets a cookie, so that it is not kept",
        fix: (
            "Serve static files past what sets cookies, or name their path in \
             `cache.static_paths`.",
            DJANGO,
            Some(
                "`preset = \"flask\"` leaves cookies out of requests below `/static/`. Or set \
                 `SESSION_REFRESH_EACH_REQUEST = False`: else a permanent session's cookie is \
                 sent with each answer, static files too. Or serve them outside of Flask.",
            ),
        ),
        has: |sample| sample.is_static() && sample.has(header::SET_COOKIE),
    },
    Rule {
        code: "static-no-store",
        severity: Severity::Warning,
        sentence: "is a static file and says no-store: everybody fetches it for every page",
        fix: (
            "Say `Cache-Control: max-age=60`, or a year for files whose names change with their \
             content.",
            Some("Keep `never_cache` to views; let WhiteNoise answer for static files."),
            Some(
                "Don't set `no_store` in `after_request` for all; \
                 `SEND_FILE_MAX_AGE_DEFAULT = 3600` is for static files.",
            ),
        ),
        has: |sample| sample.is_static() && sample.said.no_store && !sample.seen.personal,
    },
    Rule {
        code: "static-private",
        severity: Severity::Warning,
        sentence: "is a static file and says private: each visitor has the app send it",
        fix: (
            "Say `public` instead: it is the same for all.",
            Some("Keep `cache_control(private=True)` to views, not to a middleware."),
            Some("Don't set `private` in `after_request` for all."),
        ),
        has: |sample| {
            let private = sample.said.private == Scope::Whole && !sample.ours.targeted;
            let personal = sample.seen.personal || sample.said.no_store;
            sample.is_static() && private && !personal
        },
    },
    Rule {
        code: "static-fingerprint-short",
        severity: Severity::Warning,
        sentence: "is a static file whose name changes with its content, and may be kept for less \
            than a day: browsers ask again for what can't change",
        fix: (
            "Say `Cache-Control: max-age=31536000, public, immutable`.",
            Some(
                "WhiteNoise does so with `CompressedManifestStaticFilesStorage` as the backend of \
                 `STORAGES[\"staticfiles\"]`.",
            ),
            Some("`SEND_FILE_MAX_AGE_DEFAULT = 31536000` if all static files have such names"),
        ),
        has: |sample| {
            let long = sample.lifetime.span >= DeltaSeconds::new(DAY);
            let long = long && sample.lifetime.is_explicit();
            let refused = sample.said.no_store || sample.said.private != Scope::Absent;
            sample.is_static() && is_fingerprinted(sample.path()) && !long && !refused
        },
    },
    Rule {
        code: "static-no-cache",
        severity: Severity::Info,
        sentence: "is a static file and says no-cache: the app is asked each time whether it is \
            still the same",
        fix: (
            "State how long it may be used without asking: `Cache-Control: max-age=3600`.",
            Some("WhiteNoise says `max-age=60`; `WHITENOISE_MAX_AGE` changes it."),
            Some("`SEND_FILE_MAX_AGE_DEFAULT = 3600`: without it Flask says no-cache."),
        ),
        has: |sample| {
            let asks = sample.ours.no_cache == Scope::Whole && !sample.said.no_store;
            let often = sample.before.count >= 10;
            sample.is_static() && asks && often && !is_fingerprinted(sample.path())
        },
    },
];

impl Sample<'_> {
    /// It is a file that comes with the app, as far as its path, its type and its date tell.
    pub fn is_static(&self) -> bool {
        let (path, ok) = (self.path(), self.is_ok());
        let Some((folders, name)) = path.rsplit_once('/').filter(|_| ok) else { return false };
        let Some((_, extension)) = name.rsplit_once('.') else { return false };
        let in_folder = folders.split('/').any(|folder| FOLDERS.contains(&folder));
        let is_one = |list: &[&str]| list.iter().any(|one| one.eq_ignore_ascii_case(extension));
        // Code that an app makes for a visitor has no date, nor such a name.
        let dated = self.has(header::LAST_MODIFIED) || is_fingerprinted(path);
        let is_file = in_folder && is_one(&MEDIA) || (in_folder || dated) && is_one(&CODE);
        is_file && !is_pretended(path, self.seen.fields)
    }
}

/// Whether a part of a file's name is a hash: hexadecimal digits, not only numbers or letters.
fn is_fingerprinted(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(['.', '-', '_']).any(|part| {
        let hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let mixed = part.bytes().any(|byte| byte.is_ascii_digit())
            && part.bytes().any(|byte| byte.is_ascii_alphabetic());
        (8..=64).contains(&part.len()) && hex && mixed
    })
}
