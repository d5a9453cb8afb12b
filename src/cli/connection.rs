//! One connection that is kept alive, for commands that ask for much.

use super::client::{Client, PATIENCE};
use crate::config::Target;
use crate::key::{Scheme, Target as UrlTarget};
use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// Where to connect, without TLS.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Tcp(String),
    Unix(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Tcp(address) => f.write_str(address),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Place {
    /// Where an application listens.
    pub fn of(target: &Target) -> Result<Place, String> {
        match target {
            Target::Unix(path) => Ok(Place::Unix(path.clone())),
            Target::Tcp { host, port } if host.contains(':') => {
                Ok(Place::Tcp(format!("[{host}]:{port}")))
            }
            Target::Tcp { host, port } => Ok(Place::Tcp(format!("{host}:{port}"))),
            Target::Tls { .. } => Err(format!("{target}: an app over TLS is not asked directly")),
        }
    }
}

/// A request, which may be sent again and again.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub host: String,
    pub path_and_query: String,
    pub fields: Vec<(HeaderName, HeaderValue)>,
}

impl Asked {
    /// A request for a target. Whoever sends an https one is believed about it
    /// if larder trusts it as a proxy.
    pub fn of(target: &UrlTarget, mut fields: Vec<(HeaderName, HeaderValue)>) -> Asked {
        if target.scheme() == Scheme::Https {
            let name = HeaderName::from_static("x-forwarded-proto");
            fields.push((name, HeaderValue::from_static("https")));
        }
        Asked {
            host: target.host().to_string(),
            path_and_query: target.path_and_query().to_string(),
            fields,
        }
    }
}

/// The head of an answer, and how long its body was.
#[derive(Debug)]
pub(super) struct Seen {
    pub status: StatusCode,
    pub fields: HeaderMap,
    pub bytes: u64,
}

type Sender = SendRequest<Empty<Bytes>>;

/// A body that is kept, up to so many bytes.
struct Kept {
    body: Vec<u8>,
    most: usize,
}

/// A connection that is opened when it is needed, and again when it was closed.
#[derive(Debug)]
pub(super) struct Connection {
    place: Place,
    sender: Option<Sender>,
    /// How often it was opened.
    pub opened: u64,
}

impl Connection {
    pub fn to(place: Place) -> Connection {
        Connection { place, sender: None, opened: 0 }
    }

    /// Asks with GET, and takes the whole body without keeping it.
    ///
    /// # Errors
    /// A sentence that says what failed.
    pub async fn get(&mut self, asked: &Asked) -> Result<Seen, String> {
        self.patiently(asked, None).await
    }

    /// The same, with the body, if it is not larger than that.
    ///
    /// # Errors
    /// A sentence that says what failed.
    pub async fn fetch(&mut self, asked: &Asked, most: usize) -> Result<(Seen, Vec<u8>), String> {
        let mut kept = Kept { body: Vec::new(), most };
        let seen = self.patiently(asked, Some(&mut kept)).await?;
        Ok((seen, kept.body))
    }

    async fn patiently(&mut self, asked: &Asked, keep: Option<&mut Kept>) -> Result<Seen, String> {
        // What is not over in time, or fails, takes its connection with it.
        let mut sender = self.sender.take();
        let exchange = self.exchange(asked, &mut sender, keep);
        let seen = match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(seen) => seen?,
            Err(_) => return Err(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        self.sender = sender;
        Ok(seen)
    }

    async fn exchange(
        &mut self,
        asked: &Asked,
        sender: &mut Option<Sender>,
        keep: Option<&mut Kept>,
    ) -> Result<Seen, String> {
        let request = request(asked)?;
        if let Some(kept) = sender
            && kept.ready().await.is_ok()
        {
            match kept.try_send_request(request.clone()).await {
                Ok(answer) => return whole(answer, keep).await,
                Err(mut error) => match error.take_message() {
                    // It was closed before anything was sent: it may be sent again.
                    Some(_) => {}
                    None => return Err(error.into_error().to_string()),
                },
            }
        }
        let opened = self.open().await.map_err(|error| format!("{}: {error}", self.place))?;
        let answer = sender.insert(opened).send_request(request).await;
        whole(answer.map_err(|error| error.to_string())?, keep).await
    }

    async fn open(&mut self) -> Result<Sender, String> {
        self.opened += 1;
        match &self.place {
            Place::Tcp(address) => {
                let stream =
                    TcpStream::connect(address).await.map_err(|error| error.to_string())?;
                stream.set_nodelay(true).map_err(|error| error.to_string())?;
                handshake(stream).await
            }
            Place::Unix(path) => {
                handshake(UnixStream::connect(path).await.map_err(|error| error.to_string())?).await
            }
        }
    }
}

/// Takes the body of an answer.
async fn whole(
    answer: http::Response<hyper::body::Incoming>,
    mut keep: Option<&mut Kept>,
) -> Result<Seen, String> {
    let (head, mut body) = answer.into_parts();
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        let Some(data) = frame.data_ref() else { continue };
        bytes += data.len() as u64;
        if let Some(kept) = &mut keep {
            if bytes > kept.most as u64 {
                return Err(format!("larger than {} bytes", kept.most));
            }
            kept.body.extend_from_slice(data);
        }
    }
    Ok(Seen { status: head.status, fields: head.headers, bytes })
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Sender, String> {
    let made = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}

fn request(asked: &Asked) -> Result<Request<Empty<Bytes>>, String> {
    let mut request = Request::get(&asked.path_and_query)
        .header(header::HOST, &asked.host)
        .header(header::USER_AGENT, Client::AGENT)
        .body(Empty::new())
        .map_err(|error| error.to_string())?;
    for (name, value) in &asked.fields {
        request.headers_mut().append(name, value.clone());
    }
    Ok(request)
}
