//! `GET /metrics`: the numbers for Prometheus. `docs/metrics.md` is made from this.

use super::exposition::{Exposition, Kind, MEDIA_TYPE};
use super::reply;
use crate::metrics::Trouble;
use crate::proxy::Shared;
use crate::semantics::cache_status::{Forward, Outcome};
use crate::semantics::reason::Reason;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use std::collections::BTreeSet;
use std::time::SystemTime;

/// All of them.
pub(super) fn answer(shared: &Shared) -> Response<Full<Bytes>> {
    let mut text = Exposition::default();
    process(&mut text, shared);
    requests(&mut text, shared);
    spans(&mut text, shared);
    times(&mut text, shared);
    origin(&mut text, shared);
    upstreams(&mut text, shared);
    stored(&mut text, shared);
    limits(&mut text, shared);
    reply::with_bytes(StatusCode::OK, text.text().into(), MEDIA_TYPE)
}

fn process(text: &mut Exposition, shared: &Shared) {
    let version = [(env!("CARGO_PKG_VERSION"), 1)];
    text.each(Kind::Gauge, ("larder_build_info", "version"), "Which larder this is.", version);
    let started = shared.metrics.started.duration_since(SystemTime::UNIX_EPOCH);
    text.one(
        Kind::Gauge,
        "process_start_time_seconds",
        "When it was started, in seconds since 1970.",
        started.unwrap_or_default().as_secs_f64(),
    );
    if let Some(bytes) = resident() {
        let name = "process_resident_memory_bytes";
        text.one(Kind::Gauge, name, "Memory of the process that is resident.", bytes);
    }
    if let Some(count) = open_files() {
        text.one(Kind::Gauge, "process_open_fds", "File descriptors that are open.", count);
    }
}

fn requests(text: &mut Exposition, shared: &Shared) {
    let metrics = &shared.metrics;
    let forwarded = Forward::ALL.map(|why| (why.token(), metrics.forwarded(why)));
    let outcomes =
        [(Outcome::Hit.token(), metrics.hits.get()), (Outcome::Own.token(), metrics.own.get())];
    text.each(
        Kind::Counter,
        ("larder_requests_total", "outcome"),
        "Requests answered: hit, why they were forwarded (RFC 9211), or none for what larder \
         answered by itself.",
        outcomes.into_iter().chain(forwarded),
    );
    text.each(
        Kind::Counter,
        ("larder_request_reasons_total", "reason"),
        "Requests by what more there was to say about them: the detail of Cache-Status.",
        Reason::all().map(|why| (why.code(), metrics.reasons.get(why))),
    );
    text.each(
        Kind::Counter,
        ("larder_stale_responses_total", "cause"),
        "Stored responses that were answered though they were stale, by what allowed that.",
        Reason::all()
            .filter(|why| why.is_stale_answer())
            .map(|why| (why.code(), metrics.reasons.get(why))),
    );
    let mut one = |name, help, value: u64| text.one(Kind::Counter, name, help, value);
    one(
        "larder_short_way_hits_total",
        "Hits that were answered from the bytes of the request.",
        metrics.short_way.get(),
    );
    one(
        "larder_collapsed_requests_total",
        "Requests that were answered by another one's fetch.",
        metrics.collapsed.get(),
    );
    one(
        "larder_filled_responses_total",
        "Answers whose placeholders were filled for their visitors (docs/forms.md).",
        metrics.filled.get(),
    );
    one(
        "larder_response_body_bytes_total",
        "Bytes of bodies that clients were sent.",
        metrics.bytes_sent.get(),
    );
    one(
        "larder_log_lines_lost_total",
        "Lines of the access log that could not be written.",
        shared.log.lost(),
    );
}

fn spans(text: &mut Exposition, shared: &Shared) {
    let mut one = |name, help, value: u64| text.one(Kind::Counter, name, help, value);
    one(
        "larder_spans_exported_total",
        "Spans that a collector has taken (docs/telemetry.md).",
        shared.telemetry.exported(),
    );
    one(
        "larder_spans_lost_total",
        "Spans that were left out: too many waited, or the collector did not take them.",
        shared.telemetry.lost(),
    );
}

fn times(text: &mut Exposition, shared: &Shared) {
    let metrics = &shared.metrics;
    text.durations(
        "larder_hit_duration_seconds",
        "From a request's head to the head of its answer, of one hit in 64 of each thread.",
        &metrics.hits_took,
    );
    text.durations(
        "larder_miss_duration_seconds",
        "From a request's head to the head of its answer, of those that were forwarded.",
        &metrics.misses_took,
    );
    text.durations(
        "larder_origin_duration_seconds",
        "From when a request wanted to be sent to the origin to the head of its answer.",
        &metrics.answers.took,
    );
    text.one(
        Kind::Counter,
        "larder_saved_seconds_total",
        "About how long the origin would have worked for the hits: an estimate, by what it took on \
         average in the minute around each.",
        metrics.saved_seconds(shared.clock.now()),
    );
}

fn origin(text: &mut Exposition, shared: &Shared) {
    let Shared { metrics, origin, .. } = shared;
    let mut one = |kind, name, help, value: u64| text.one(kind, name, help, value);
    one(
        Kind::Counter,
        "larder_origin_requests_total",
        "Requests for the origin, those included that found no place or connection there.",
        metrics.origin_requests.get(),
    );
    one(
        Kind::Counter,
        "larder_origin_failures_total",
        "Requests to the origin that brought no response.",
        metrics.origin_failures.get(),
    );
    one(
        Kind::Gauge,
        "larder_origin_queued_requests",
        "Requests that wait for a place at the origin.",
        origin.queued() as u64,
    );
    one(
        Kind::Gauge,
        "larder_origin_held_requests",
        "Requests that wait for an upstream to come back.",
        origin.held() as u64,
    );
    text.each(
        Kind::Counter,
        ("larder_origin_responses_total", "class"),
        "Responses of the origin, by class of status.",
        metrics.answers.by_class(),
    );
}

fn upstreams(text: &mut Exposition, shared: &Shared) {
    let mut upstreams = shared.origin.upstreams();
    // An address may be written twice; a sample may not.
    let mut written = BTreeSet::new();
    upstreams.retain(|upstream| written.insert(upstream.address.clone()));
    text.each(
        Kind::Gauge,
        ("larder_upstream_in_flight_requests", "upstream"),
        "Requests in flight to an upstream.",
        upstreams.iter().map(|upstream| (upstream.address.as_str(), upstream.in_flight)),
    );
    text.each(
        Kind::Gauge,
        ("larder_upstream_idle_connections", "upstream"),
        "Connections to an upstream that nobody uses at the moment.",
        upstreams.iter().map(|upstream| (upstream.address.as_str(), upstream.idle)),
    );
    let name = "larder_upstream_state";
    text.family(Kind::Gauge, name, "1 for the state that an upstream is in, and 0 for the others.");
    for upstream in &upstreams {
        for (state, is_in_it) in upstream.states() {
            let labels = [("upstream", upstream.address.as_str()), ("state", state)];
            text.sample(name, &labels, u8::from(is_in_it));
        }
    }
}

fn stored(text: &mut Exposition, shared: &Shared) {
    let (usage, metrics) = (shared.memory.usage(), &shared.metrics);
    let mut one = |kind, name, help, value: u64| text.one(kind, name, help, value);
    one(Kind::Gauge, "larder_stored_responses", "Responses that are stored.", usage.responses);
    one(Kind::Gauge, "larder_stored_targets", "URLs that they are stored for.", usage.targets);
    one(
        Kind::Gauge,
        "larder_stored_bytes",
        "Memory that they take, as it counts against cache.memory.",
        usage.bytes,
    );
    one(Kind::Gauge, "larder_stored_limit_bytes", "What cache.memory is set to.", usage.limit);
    one(
        Kind::Counter,
        "larder_responses_stored_total",
        "Responses that were stored.",
        metrics.stored.get(),
    );
    one(
        Kind::Counter,
        "larder_evictions_total",
        "Responses that had to go because there was no room.",
        usage.evicted,
    );
    one(
        Kind::Counter,
        "larder_variants_displaced_total",
        "Responses that had to go because cache.max_variants newer ones of their URL had come.",
        usage.displaced,
    );
    one(
        Kind::Counter,
        "larder_purges_total",
        "Purges, and what unsafe methods have invalidated.",
        metrics.purges.get(),
    );
    let marks = shared.purger.marks() as u64;
    one(Kind::Gauge, "larder_purge_marks", "Marks of purges that are remembered.", marks);
}

fn limits(text: &mut Exposition, shared: &Shared) {
    let Shared { account, gate, metrics, .. } = shared;
    let mut one = |name, help, value: usize| text.one(Kind::Gauge, name, help, value);
    one(
        "larder_memory_bytes",
        "Memory for what is stored and what is under way together.",
        account.taken(),
    );
    one(
        "larder_memory_limit_bytes",
        "What cache.memory and limits.in_flight allow together.",
        account.limit(),
    );
    one("larder_connections", "Connections of clients.", gate.inside());
    one("larder_connections_limit", "How many there may be.", gate.most());
    text.each(
        Kind::Counter,
        ("larder_troubles_total", "kind"),
        "What went wrong, or over a limit.",
        Trouble::ALL.map(|kind| (kind.name(), metrics.troubles.count(kind))),
    );
}

/// Bytes of the process that are resident, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// File descriptors that are open, where the system tells.
fn open_files() -> Option<usize> {
    // The one by which this is read does not count.
    std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1))
}
