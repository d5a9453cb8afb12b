//! Which requests are sampled, and what the app is told of those that are not.

use super::collector::Collector;
use super::{TRACE, app, larder, traceparent};
use crate::harness::wait_until;

/// The last one, which is sampled whatever the share is: from then on all have come.
const LAST: &str = "/last";

#[test]
fn the_flag_of_a_trusted_proxy_decides_and_that_of_nobody_else() {
    let (sampled, unsampled) = (traceparent("01"), traceparent("00"));
    for (env, share, flagged, expected) in [
        // Who is trusted decides, whatever the share.
        (("LARDER_TRUST__PROXIES", "127.0.0.1"), "0%", &sampled, true),
        (("LARDER_TRUST__PROXIES", "127.0.0.1"), "100%", &unsampled, false),
        // A stranger may keep a request out, and not bring one in.
        (("LARDER_TRUST__PROXIES", "none"), "100%", &unsampled, false),
        (("LARDER_TRUST__PROXIES", "none"), "0%", &sampled, false),
        (("LARDER_TELEMETRY__SAMPLED_BY_ANYBODY", "true"), "0%", &sampled, true),
    ] {
        let (origin, collector) = (app(), Collector::new());
        let env = [env, ("LARDER_TELEMETRY__SAMPLE", share)];
        let larder = larder(origin.address, &collector.url(), &env);
        larder.get_with("/", &[("traceparent", flagged)]);
        let told = origin.last().field("traceparent").map(String::from).expect("a traceparent");
        larder.get_with("/", &[("traceparent", flagged)]);
        assert_eq!(told != **flagged, expected, "{env:?}: {told}");
        assert!(told.starts_with(&format!("00-{TRACE}-")), "{told}");
        larder.terminate();
        let mut larder = larder;
        larder.wait();
        // All there are have been sent.
        let about: Vec<_> = collector.spans().iter().map(|span| span.trace.clone()).collect();
        assert_eq!(about, vec![TRACE; if expected { 3 } else { 0 }], "{env:?}");
    }
}

#[test]
fn what_is_no_traceparent_begins_a_trace_of_its_own() {
    let (origin, collector) = (app(), Collector::new());
    let larder = larder(origin.address, &collector.url(), &[]);
    let good = traceparent("01");
    for (path, fields) in [
        ("/a", &[("traceparent", "nonsense"), ("tracestate", "a=b")][..]),
        ("/b", &[("traceparent", &good), ("traceparent", &good)]),
        ("/c", &[("traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01")]),
    ] {
        larder.get_with(path, fields);
        let told = origin.last();
        let told: Vec<_> =
            told.fields.iter().filter(|(name, _)| name.starts_with("trace")).collect();
        // What a state says belongs to the trace that it came with.
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(!told[0].1.contains(TRACE) && told[0].1.ends_with("-01"), "{told:?}");
    }
    assert!(collector.all(6).iter().all(|span| span.trace != TRACE));
}

#[test]
fn about_as_many_are_sampled_as_shall_be() {
    let (origin, collector) = (app(), Collector::new());
    let env = [
        ("LARDER_TELEMETRY__SAMPLE", "25%"),
        ("LARDER_TRUST__PROXIES", "127.0.0.1"),
        ("LARDER_LIMITS__CONNECTIONS_PER_IP", "0"),
    ];
    let larder = larder(origin.address, &collector.url(), &env);
    for _ in 0..400 {
        larder.get("/");
    }
    larder.get_with(LAST, &[("traceparent", &traceparent("01"))]);
    let is_there = || collector.spans().iter().any(|span| span.about() == LAST);
    wait_until("the last one is told of", is_there);
    let hits = collector.spans().iter().filter(|span| span.get("larder.outcome") == "hit").count();
    // Eight standard deviations to either side.
    assert!((30..=170).contains(&hits), "{hits} of 400");
}

#[test]
fn the_app_decides_about_the_others_unless_traces_are_made_for_it() {
    let (origin, collector) = (app(), Collector::new());
    for (makes, expected) in [("false", None), ("true", Some("-00"))] {
        let env = [("LARDER_TELEMETRY__SAMPLE", "0"), ("LARDER_LOG__MAKE_TRACEPARENT", makes)];
        let larder = larder(origin.address, &collector.url(), &env);
        larder.get("/");
        let seen = origin.last();
        let flags = seen.field("traceparent").map(|told| &told[told.len() - 3..]);
        assert_eq!(flags, expected);
    }
}

/// Each is told another trace: what the app makes of one is nobody else's.
#[test]
fn what_is_made_for_a_trace_is_not_given_to_another() {
    let origin = crate::harness::Origin::answering(|_| {
        crate::harness::reply(200, &["Cache-Control: max-age=60", "Vary: traceparent"], "page")
    });
    let collector = Collector::new();
    let larder = larder(origin.address, &collector.url(), &[]);
    for count in 1..=3 {
        assert!(!larder.get("/").is_hit());
        assert_eq!(origin.count(), count);
    }
}
