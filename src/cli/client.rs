//! A small HTTP client, for talking to a larder.

use super::args::Place;
use crate::config::{self, Overrides, Source};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// The longest time for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Something that can be asked over HTTP/1.1.
#[derive(Clone, Debug)]
pub struct Client {
    /// Host and port to connect to.
    address: String,
    /// `Host` to send.
    host: String,
}

/// An answer, with its body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The fields.
    pub fields: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A field's value as text; of several lines the last.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get_all(name).iter().next_back().and_then(|value| value.to_str().ok())
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.address)
    }
}

impl Client {
    /// What it calls itself.
    pub(super) const AGENT: &str = concat!("larder/", env!("CARGO_PKG_VERSION"));

    /// A client for this host and port, asking for this host.
    pub fn new(address: &str, host: &str) -> Client {
        Client { address: address.to_string(), host: host.to_string() }
    }

    /// Asks for a path with GET and waits for the whole answer.
    ///
    /// # Errors
    /// A sentence that says what failed.
    pub fn get(&self, path: &str) -> Result<Answer, String> {
        self.send(&Method::GET, path, &[], Bytes::new())
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    /// A sentence that says what failed.
    pub fn send(
        &self,
        method: &Method,
        path: &str,
        fields: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Answer, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(self.ask(method, path, fields, body))
    }

    /// The same for those who are in a runtime already.
    ///
    /// # Errors
    /// A sentence that says what failed.
    pub async fn ask(
        &self,
        method: &Method,
        path: &str,
        fields: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Answer, String> {
        let asking = self.exchange(method, path, fields, body);
        tokio::time::timeout(PATIENCE, asking)
            .await
            .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?
    }

    async fn exchange(
        &self,
        method: &Method,
        path: &str,
        fields: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Answer, String> {
        let (begun, _connection) = self.begin(method, path, fields, body).await?;
        let (head, body) = begun.into_parts();
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        Ok(Answer { status: head.status, fields: head.headers, body })
    }

    /// Sends a request and waits for the head of the answer. Its body comes as long as the
    /// connection is held.
    ///
    /// # Errors
    /// A sentence that says what failed.
    pub(super) async fn begin(
        &self,
        method: &Method,
        path: &str,
        fields: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<(Response<Incoming>, Held), String> {
        let text = |error: &dyn fmt::Display| error.to_string();
        let stream = TcpStream::connect(&self.address).await.map_err(|e| text(&e))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| text(&e))?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::USER_AGENT, Client::AGENT)
            .body(Full::new(body))
            .map_err(|e| text(&e))?;
        for (name, value) in fields {
            request.headers_mut().append(name, value.clone());
        }
        let begun = sender.send_request(request).await.map_err(|e| text(&e))?;
        Ok((begun, Held(connection)))
    }
}

/// A connection, until this is dropped.
pub(super) struct Held(JoinHandle<hyper::Result<()>>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The operator's door of a running larder.
#[derive(Debug)]
pub(super) struct Admin {
    client: Client,
    token: Option<HeaderValue>,
}

impl Admin {
    /// Finds it as the command line says.
    pub fn at(place: &Place) -> Result<Admin, String> {
        Admin::find(place.config.as_deref(), place.admin.as_deref(), place.token.as_deref())
    }

    /// Finds it: as given, else as configured, else where it is by default.
    pub fn find(
        file: Option<&Path>,
        given: Option<&str>,
        token: Option<&str>,
    ) -> Result<Admin, String> {
        let (mut address, mut secret) = ("127.0.0.1:6082".to_string(), token.map(str::to_string));
        // The app's address is none of our business here, and may be missing.
        let overrides = Overrides { to: Some("unix:/".into()), ..Overrides::default() };
        let configured = match (file, given) {
            (Some(file), _) => Some(Source::File(file)),
            (None, None) => Some(Source::Search),
            (None, Some(_)) => None,
        }
        .map(|source| config::load(source, config::environment(), &overrides))
        .transpose()
        .map_err(|error| error.to_string())?;
        if let Some(settings) = configured {
            let listen = settings.admin.listen.ok_or("error: the admin port is off")?;
            address = reachable(listen);
            let set = settings.admin.token.map(|token| token.expose().to_string());
            secret = secret.or(set);
        }
        if let Some(given) = given {
            let bare = given.strip_prefix("http://").unwrap_or(given);
            address = bare.trim_end_matches('/').to_string();
        }
        let token = match secret {
            Some(secret) => Some(
                HeaderValue::from_str(&format!("Bearer {secret}"))
                    .map_err(|_| "error: the token has characters that cannot be sent")?,
            ),
            None => None,
        };
        Ok(Admin { client: Client::new(&address, &address), token })
    }

    /// The token that is configured, if there is one: in this file, or where files are
    /// looked for.
    pub fn secret(file: Option<&Path>) -> Result<Option<String>, String> {
        let overrides = Overrides { to: Some("unix:/".into()), ..Overrides::default() };
        let source = file.map_or(Source::Search, Source::File);
        match config::load(source, config::environment(), &overrides) {
            Ok(settings) => Ok(settings.admin.token.map(|token| token.expose().to_string())),
            Err(error) => Err(error.to_string()),
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a JSON document.
    pub fn post(&self, path: &str, document: &serde_json::Value) -> Result<Answer, String> {
        let json = HeaderValue::from_static("application/json");
        let body = Bytes::from(document.to_string());
        self.ask(&Method::POST, path, vec![(header::CONTENT_TYPE, json)], body)
    }

    /// Asks for a JSON document.
    pub fn get(&self, path: &str) -> Result<Answer, String> {
        self.ask(&Method::GET, path, Vec::new(), Bytes::new())
    }

    /// Gives on the lines of an answer that has no end as they come, until one isn't
    /// taken, or the answer has ended all the same. Whether it was the former.
    ///
    /// # Errors
    /// A sentence that says what failed: there was no such answer.
    pub fn follow(&self, path: &str, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let mut fields = Vec::new();
        fields.extend(self.authorization());
        runtime.block_on(async {
            let begun = self.client.begin(&Method::GET, path, &fields, Bytes::new());
            let begun = tokio::time::timeout(PATIENCE, begun).await;
            let begun = begun.unwrap_or_else(|_| Err("no answer came in time".to_string()));
            let unheard = |why| format!("no larder answers at {}: {why}", self.client);
            let (begun, _connection) = begun.map_err(unheard)?;
            let status = begun.status();
            let mut body = begun.into_body();
            if !status.is_success() {
                let said = body.collect().await.map(http_body_util::Collected::to_bytes);
                let said: serde_json::Value =
                    serde_json::from_slice(&said.unwrap_or_default()).unwrap_or_default();
                return Err(format!("{status}: {}", refusal(&said)));
            }
            let mut rest = Vec::new();
            while let Some(Ok(frame)) = body.frame().await {
                rest.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    if !take(&rest[..end]) {
                        return Ok(true);
                    }
                    rest.drain(..=end);
                }
            }
            Ok(false)
        })
    }

    fn authorization(&self) -> Option<(HeaderName, HeaderValue)> {
        self.token.clone().map(|token| (header::AUTHORIZATION, token))
    }

    fn ask(
        &self,
        method: &Method,
        path: &str,
        mut fields: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Result<Answer, String> {
        fields.extend(self.authorization());
        self.client.send(method, path, &fields, body)
    }
}

/// Why the admin port refuses, in its own words. What says nothing is not the admin port.
pub(super) fn refusal(said: &serde_json::Value) -> &str {
    said["detail"].as_str().unwrap_or(
        "that is no answer of larder's admin port. This may be the port for visitors: the admin port is \
         6082 by default (--admin)",
    )
}

/// An address that means "any" is reached through loopback.
pub(super) fn reachable(mut address: std::net::SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address.to_string()
}
