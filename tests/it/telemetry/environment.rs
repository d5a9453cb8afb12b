//! What is taken from OpenTelemetry's own variables, and what the configuration says.

use super::collector::Collector;
use super::{app, larder};
use crate::harness::{Authority, Larder, Secured, Server, wait_until};

#[test]
fn the_resource_and_the_fields_are_those_of_the_variables() {
    let (origin, collector) = (app(), Collector::new());
    let env = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue,x-key=a%20b"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=ignored"),
        ("OTEL_SERVICE_NAME", "front"),
    ];
    let larder = larder(origin.address, &collector.url(), &env);
    larder.get("/");
    collector.all(2);
    let (seen, _) = collector.requests().remove(0);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/v1/traces"));
    assert_eq!(seen.field("content-type"), Some("application/x-protobuf"));
    assert_eq!((seen.field("x-team"), seen.field("x-key")), (Some("blue"), Some("a b")));
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "front");
    assert_eq!(resource["deployment.environment.name"], "test");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn what_is_sent_is_packed_if_a_variable_says_so() {
    let (origin, collector) = (app(), Collector::new());
    let larder =
        larder(origin.address, &collector.url(), &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]);
    larder.get("/");
    collector.all(2);
    assert_eq!(collector.origin.last().field("content-encoding"), Some("gzip"));
}

#[test]
fn a_name_in_the_configuration_comes_first_and_larder_last() {
    let origin = app();
    for (env, expected) in [
        (
            &[("LARDER_TELEMETRY__SERVICE_NAME", "mine"), ("OTEL_SERVICE_NAME", "theirs")][..],
            "mine",
        ),
        (&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=given")], "given"),
        (&[], "larder"),
    ] {
        let collector = Collector::new();
        let larder = larder(origin.address, &collector.url(), env);
        larder.get("/private");
        collector.all(2);
        assert_eq!(collector.resource()["service.name"], expected);
    }
}

#[test]
fn a_variable_says_where_the_collector_is_if_nothing_else_does() {
    let (origin, collector) = (app(), Collector::new());
    let base = format!("{}/base/", collector.url());
    let known = ("OTEL_EXPORTER_OTLP_ENDPOINT", base.as_str());
    for off in [
        ("LARDER_TELEMETRY__ENDPOINT", "off"),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        let mut larder = Larder::with_env(origin.address, &[], &[known, off]);
        larder.get("/");
        larder.terminate();
        larder.wait();
        assert_eq!(collector.origin.count(), 0, "{off:?}");
    }
    let larder = Larder::with_env(origin.address, &[], &[known]);
    larder.get("/");
    collector.all(2);
    assert_eq!(collector.origin.last().target, "/base/v1/traces");
}

#[test]
fn a_collector_is_asked_over_tls_and_has_to_prove_itself() {
    let (origin, collector) = (app(), Collector::new());
    let files = tempfile::tempdir().expect("a folder");
    let (known, other) = (Authority::new(), Authority::new());
    let server = Server::with(&known.issue(&["localhost"]));
    let secured = Secured::in_front_of(collector.origin.address, server);
    for (authority, is_believed) in [(&other, false), (&known, true)] {
        let file = authority.file(files.path(), "authorities.pem");
        let env = [("SSL_CERT_FILE", file.as_str()), ("SSL_CERT_DIR", "")];
        let larder = larder(origin.address, &secured.named_url(), &env);
        assert_eq!(larder.get("/").status, 200);
        match is_believed {
            false => {
                larder.says("spans for OpenTelemetry were left out");
                assert_eq!(collector.origin.count(), 0);
            }
            true => wait_until("spans come", || collector.spans().len() == 2),
        }
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let check = |env: &[(&str, &str)]| {
        let to = [("LARDER_ORIGIN__TO", "127.0.0.1:1")];
        Larder::run(&["check"], &[&to, env].concat())
    };
    for (name, value, expected) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "not the URL of a collector"),
        ("LARDER_TELEMETRY__ENDPOINT", "http://a/v1/traces", "without `/v1/traces`"),
        ("LARDER_TELEMETRY__ENDPOINT", "http://localhost:6081", "its own collector"),
        ("LARDER_TELEMETRY__SAMPLE", "0.5", "such as `10%`"),
        ("LARDER_TELEMETRY__SERVICE_NAME", " ", "a service has a name"),
    ] {
        let (status, _, said) = check(&[(name, value)]);
        assert_ne!(status, Some(0), "{name}");
        assert!(said.contains(expected) && said.contains(name), "{said}");
    }
    assert_eq!(check(&[("LARDER_TELEMETRY__SAMPLE", "0.5%")]).0, Some(0));
}
