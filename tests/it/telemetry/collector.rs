//! A small collector of OTLP over HTTP, and what it was told.

use crate::harness::{Origin, Seen, wait_until};
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use prost::Message;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A span, as text.
#[derive(Debug, Clone)]
pub struct Told {
    pub name: String,
    pub is_server: bool,
    pub trace: String,
    pub id: String,
    pub parent: String,
    /// In nanoseconds since 1970.
    pub times: (u64, u64),
    pub attributes: BTreeMap<String, String>,
    pub is_error: bool,
}

impl Told {
    /// An attribute; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// The path of a server's span, or the URL of a client's.
    pub fn about(&self) -> &str {
        if self.is_server { self.get("url.path") } else { self.get("url.full") }
    }
}

/// A running collector.
pub struct Collector {
    pub origin: Origin,
}

impl Collector {
    /// One that takes everything.
    pub fn new() -> Collector {
        Collector::answering(|_, stream| {
            let answer = ExportTraceServiceResponse::default().encode_to_vec();
            respond(stream, "200 OK", &answer)
        })
    }

    /// One that answers as the test says.
    pub fn answering(
        answer: impl Fn(&Seen, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Collector {
        Collector { origin: Origin::scripted(answer) }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.origin.address)
    }

    /// The requests that have come, each decoded.
    pub fn requests(&self) -> Vec<(Seen, ExportTraceServiceRequest)> {
        let decoded = |seen: Seen| {
            let mut body = Vec::new();
            match seen.field("content-encoding") {
                Some("gzip") => GzDecoder::new(&*seen.body).read_to_end(&mut body).expect("gzip"),
                _ => (&*seen.body).read_to_end(&mut body).expect("bytes"),
            };
            let request = ExportTraceServiceRequest::decode(body.as_slice());
            (seen, request.expect("a request of OTLP"))
        };
        self.origin.seen().into_iter().map(decoded).collect()
    }

    /// All spans that have come.
    pub fn spans(&self) -> Vec<Told> {
        let requests = self.requests().into_iter();
        let resources = requests.flat_map(|(_, request)| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).map(told).collect()
    }

    /// Waits until so many have come. Those of servers stand first, in the order in which
    /// they ended.
    pub fn all(&self, count: usize) -> Vec<Told> {
        wait_until(&format!("{count} spans"), || self.spans().len() >= count);
        let mut spans = self.spans();
        assert_eq!(spans.len(), count, "{spans:#?}");
        spans.sort_by_key(|span| (!span.is_server, span.times.1));
        spans
    }

    /// The attributes of the resource that spans are of.
    pub fn resource(&self) -> BTreeMap<String, String> {
        let (_, request) = self.requests().pop().expect("a request");
        let resource = request.resource_spans[0].resource.clone();
        texts(resource.expect("a resource").attributes)
    }
}

/// Writes an answer.
pub fn respond(stream: &mut TcpStream, status: &str, body: &[u8]) -> bool {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).is_ok()
}

fn told(span: Span) -> Told {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let status = span.status.as_ref().map_or(StatusCode::Unset, |status| status.code());
    Told {
        is_server: span.kind() == SpanKind::Server,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        times: (span.start_time_unix_nano, span.end_time_unix_nano),
        attributes: texts(span.attributes),
        is_error: status == StatusCode::Error,
        name: span.name,
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is_so)) => is_so.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|pair| (pair.key, text(pair.value))).collect()
}
