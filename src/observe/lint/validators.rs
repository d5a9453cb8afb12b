//! By what an answer can be confirmed, and the dates that this rests on.

use super::sample::Sample;
use super::{Rule, Severity};
use crate::semantics::date::{date_in, http_date};
use crate::semantics::time::DeltaSeconds;
use crate::semantics::validation::is_entity_tag;
use http::header;
use std::time::Duration;

/// By so much, two clocks may differ.
const SKEW: Duration = Duration::from_secs(60);

/// So many in a row are no accident.
const SEVERAL: u32 = 4;

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "etag-malformed",
        severity: Severity::Warning,
        sentence: "has an ETag that is none: one quoted string, perhaps with W/ before it. Some \
            clients and caches never send it back",
        fix: (
            "Write `ETag: \"abc\"`, with the quotes, once.",
            Some("`response.headers[\"ETag\"] = quote_etag(tag)`, from `django.utils.http`"),
            Some("`response.set_etag(tag)` writes the quotes."),
        ),
        has: |sample| {
            let mut lines = sample.seen.fields.get_all(header::ETAG).iter();
            let first = lines.next();
            lines.next().is_some() || first.is_some_and(|tag| !is_entity_tag(tag.as_bytes()))
        },
    },
    Rule {
        code: "etag-changes",
        severity: Severity::Warning,
        sentence: "has another ETag each time, seconds apart, so that no copy is ever confirmed",
        fix: (
            "Make the tag from what the page is made of, and not from what is new each time: a \
             token, the time, random bytes, a server's name.",
            Some(
                "List `GZipMiddleware` above `ConditionalGetMiddleware`: what it compresses has \
                 random bytes in it. A page with `{% csrf_token %}` is another one each time.",
            ),
            Some("`response.add_etag()` hashes the body: keep the time and tokens out of it."),
        ),
        has: |sample| {
            let changes = sample.before.changed >= SEVERAL && !is_soon_another(sample);
            changes && sample.has(header::ETAG)
        },
    },
    Rule {
        code: "last-modified-now",
        severity: Severity::Warning,
        sentence: "says each time that it was modified just now, so that no copy is ever confirmed",
        fix: (
            "State when the content was changed: the greatest `updated` of what it shows.",
            Some("`@last_modified(function)`, which says when the objects of the view changed"),
            Some("Set `response.last_modified` from the row, not from `datetime.now()`."),
        ),
        has: |sample| {
            let changes = sample.before.dated >= SEVERAL && !is_soon_another(sample);
            changes && sample.has(header::LAST_MODIFIED)
        },
    },
    Rule {
        code: "last-modified-invalid",
        severity: Severity::Warning,
        sentence: "has a Last-Modified that is no HTTP date, so that nothing can be asked by it",
        fix: (
            "Write it as `Sun, 06 Nov 1994 08:49:37 GMT`.",
            Some("`@last_modified(function)`, or `http_date(timestamp)` of `django.utils.http`"),
            Some("Assign a `datetime` to `response.last_modified`."),
        ),
        has: |sample| {
            let line = sample.seen.fields.get(header::LAST_MODIFIED);
            line.is_some_and(|line| http_date(line.as_bytes(), sample.seen.wall).is_none())
        },
    },
    Rule {
        code: "last-modified-future",
        severity: Severity::Info,
        sentence: "says that it was modified in the future: until then, nothing is guessed from it \
            and it may seem unchanged",
        fix: (
            "State the time in UTC: a local time with GMT after it is hours off.",
            Some("Use aware datetimes (`USE_TZ = True`, `timezone.now()`)."),
            Some(
                "Use aware datetimes (`datetime.now(timezone.utc)`): Werkzeug takes naive ones for UTC.",
            ),
        ),
        has: |sample| {
            let (fields, now) = (sample.seen.fields, sample.seen.wall);
            let made = date_in(fields, &header::DATE, now).map_or(now, |date| date.max(now));
            let modified = date_in(fields, &header::LAST_MODIFIED, now);
            modified.is_some_and(|modified| modified > made + SKEW)
        },
    },
    Rule {
        code: "date-wrong",
        severity: Severity::Warning,
        sentence: "has a Date that is more than a minute off, or none that can be read: its age is \
            counted wrongly",
        fix: (
            "Have the app's machine set its clock (NTP), and leave Date to the server.",
            None,
            None,
        ),
        has: |sample| {
            let (seen, now) = (&sample.seen, sample.seen.wall);
            let Some(line) = seen.fields.get(header::DATE) else { return false };
            let Some(date) = http_date(line.as_bytes(), now) else { return true };
            let known = Duration::from_secs(sample.age()) + seen.took + SKEW;
            date > now + SKEW || now.duration_since(date).is_ok_and(|past| past > known)
        },
    },
    Rule {
        code: "no-validator",
        severity: Severity::Info,
        sentence: "takes long to make and has neither ETag nor Last-Modified: it is made and sent \
            anew each time its lifetime ends, though nothing has changed",
        fix: (
            "Send an ETag or Last-Modified, and answer 304 before the page is made.",
            Some(
                "`@condition(etag_func, last_modified_func)` answers 304 without calling the view.",
            ),
            Some("`response.add_etag()`, and `response.make_conditional(request)` at the end"),
        ),
        has: |sample| {
            let costly = sample.took(200) && sample.before.count >= 3 && sample.seen.cache.stored;
            let ends = sample.lifetime.span < DeltaSeconds::new(86_400);
            let bare = !sample.has(header::ETAG) && !sample.has(header::LAST_MODIFIED);
            (sample.is_page() || sample.is_json()) && costly && ends && bare
        },
    },
];

/// It says itself that it holds for a few seconds.
fn is_soon_another(sample: &Sample<'_>) -> bool {
    sample.lives() && sample.lifetime.span <= DeltaSeconds::new(10)
}
