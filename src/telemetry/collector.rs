//! The collector: OTLP, by OpenTelemetry's own exporter over larder's own connections.

use super::Options;
use crate::body::Body;
use crate::origin::{self, Address, Ejection, Pool, WhenRefused};
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Limited};
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use parking_lot::Mutex;
use prost::Message;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long it may take to take a batch, with all that is tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes of an answer that are read.
const LONGEST_ANSWER: usize = 64 << 10;

/// What the environment says of OTLP can't be used; it says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where spans are sent to.
#[derive(Debug)]
pub(super) struct Collector {
    exporter: SpanExporter,
    client: Arc<Client>,
}

impl Collector {
    /// By these options, and for all else (fields of requests, attributes of the resource)
    /// by the variables of OpenTelemetry.
    ///
    /// # Errors
    /// [`Unusable`], if they are.
    pub fn new(options: Options) -> Result<Collector, Unusable> {
        let Options { url, collector, service_name, .. } = options;
        let client = Arc::new(Client::to(collector));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(url)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            .with_retry_policy(RetryPolicy::recommended().with_max_retries(5))
            .with_shared_http_client(Arc::clone(&client) as Arc<dyn HttpClient>)
            .build();
        let mut exporter = exporter.map_err(|error| Unusable(error.to_string()))?;
        exporter.set_resource(&resource(service_name));
        Ok(Collector { exporter, client })
    }

    /// Sends a batch. Returns how many of it were refused.
    ///
    /// # Errors
    /// Why it has taken none.
    pub async fn take(&self, batch: Vec<SpanData>) -> Result<u64, String> {
        let sent = timeout(PATIENCE, self.exporter.export(batch)).await;
        let told = std::mem::take(&mut *self.client.told.lock());
        match sent {
            Ok(Ok(())) => Ok(told.refused),
            Ok(Err(error)) => Err(told.error.unwrap_or_else(|| error.to_string())),
            Err(_) => Err("no answer in time".to_string()),
        }
    }
}

/// What spans are of: this larder.
fn resource(service_name: Option<String>) -> Resource {
    let own = [KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    // The kit has the attribute come first, against its own rules.
    let said = || std::env::var("OTEL_SERVICE_NAME").ok().filter(|name| !name.is_empty());
    let name = service_name.or_else(said).or_else(|| {
        let said = Resource::builder().build().get(&"service.name".into())?;
        let is_unknown = said.as_str().starts_with("unknown_service");
        (!is_unknown).then(|| said.to_string())
    });
    let name = name.unwrap_or_else(|| "larder".to_string());
    Resource::builder().with_attributes(own).with_service_name(name).build()
}

/// What the exporter doesn't tell of an answer.
#[derive(Debug, Default)]
struct Told {
    error: Option<String>,
    refused: u64,
}

#[derive(Debug)]
struct Client {
    pool: Pool,
    told: Mutex<Told>,
}

impl Client {
    fn to(collector: Address) -> Client {
        let options = origin::Options {
            upstreams: vec![collector],
            connect_timeout: Duration::from_secs(2),
            first_byte_timeout: PATIENCE,
            between_bytes_timeout: PATIENCE,
            read_ahead: LONGEST_ANSWER,
            idle_timeout: Duration::from_secs(4),
            max_connections: 1,
            queue: 1,
            queue_timeout: PATIENCE,
            total_timeout: PATIENCE,
            // There is nowhere else to go.
            ejection: Ejection { after: 0, span: Duration::ZERO },
            retry_budget: 0,
            hold: Duration::ZERO,
            resolve_every: Duration::from_secs(30),
            health_check: None,
            max_head: LONGEST_ANSWER,
            max_fields: 100,
        };
        Client { pool: Pool::new(options), told: Mutex::default() }
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (mut parts, bytes) = request.into_parts();
        let authority = parts.uri.authority().map_or("", |authority| authority.as_str());
        parts.headers.insert(header::HOST, HeaderValue::from_str(authority)?);
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        parts.uri = match parts.uri.path_and_query() {
            Some(path) => Uri::from(path.clone()),
            None => Uri::from_static("/"),
        };
        let request = Request::from_parts(parts, Body::from(bytes));
        let response = self.pool.send(request, WhenRefused::Fail, ()).await;
        let (parts, body) = response.map_err(|error| error.to_string())?.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.send(request).await;
        let mut told = self.told.lock();
        match &answer {
            Ok(answer) if answer.status().is_success() => {
                // Whoever takes all of it may say anything.
                let said = ExportTraceServiceResponse::decode(answer.body().clone());
                let refused = said.ok().and_then(|said| said.partial_success);
                let refused = refused.map_or(0, |partial| partial.rejected_spans);
                *told = Told { error: None, refused: u64::try_from(refused).unwrap_or_default() };
            }
            Ok(answer) => told.error = Some(format!("the collector answered {}", answer.status())),
            Err(error) => told.error = Some(error.to_string()),
        }
        answer
    }
}
