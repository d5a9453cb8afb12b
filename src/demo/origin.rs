//! The demo's origin: a small news site that takes its time.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// How long a page takes to make.
const SLOWNESS: Duration = Duration::from_millis(300);
/// When the articles were written.
const WRITTEN: &str = "Sat, 21 Nov 2026 05:00:00 GMT";

/// A running origin, for as long as the process runs.
pub(super) struct Origin {
    address: SocketAddr,
    site: Arc<Site>,
}

#[derive(Default)]
struct Site {
    requests: AtomicUsize,
    /// What has been written since the start, by article.
    edits: Mutex<HashMap<u32, String>>,
}

impl Origin {
    /// Starts it on a free port of loopback.
    pub fn start() -> std::io::Result<Origin> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let site = Arc::new(Site::default());
        let served = Arc::clone(&site);
        std::thread::Builder::new().name("origin".into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve(listener, served)) {
                tracing::error!(%error, "the demo's origin ended");
            }
        })?;
        Ok(Origin { address, site })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests that have come so far.
    pub fn requests(&self) -> usize {
        self.site.requests.load(Ordering::SeqCst)
    }
}

async fn serve(listener: std::net::TcpListener, site: Arc<Site>) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let site = Arc::clone(&site);
        let service = service_fn(move |request| {
            let site = Arc::clone(&site);
            async move { Ok::<_, std::convert::Infallible>(site.answer(request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

impl Site {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let article = path.strip_prefix("/articles/").and_then(|number| number.parse().ok());
        match (&head.method, path, article) {
            (_, "/style.css", _) => stylesheet(),
            (&Method::POST, _, Some(number)) => {
                let text = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
                let text = String::from_utf8_lossy(&text).replace('+', " ");
                let text = text.strip_prefix("text=").unwrap_or(&text).to_string();
                self.edits.lock().insert(number, text);
                let mut response = text_page(StatusCode::SEE_OTHER, "text/plain", String::new());
                set(&mut response, &[("location", path)]);
                response
            }
            (_, _, Some(number)) => {
                tokio::time::sleep(SLOWNESS).await;
                self.article(number, &head.headers)
            }
            (_, "/", _) => {
                tokio::time::sleep(SLOWNESS).await;
                index()
            }
            (_, "/account", _) => {
                tokio::time::sleep(SLOWNESS).await;
                let mut response =
                    page(StatusCode::OK, "Your account", "<p>For your eyes only.</p>");
                set(&mut response, &[("cache-control", "private")]);
                response
            }
            _ => page(StatusCode::NOT_FOUND, "Not found", "<p>There is no such page.</p>"),
        }
    }

    fn article(&self, number: u32, fields: &http::HeaderMap) -> Response<Full<Bytes>> {
        let text = self.edits.lock().get(&number).cloned();
        let etag = format!("\"{number}-{}\"", text.as_deref().map_or(0, str::len));
        let text = text.unwrap_or_else(|| "The quick brown fox jumps over the lazy dog.".into());
        let tags = format!("article:{number}, articles");
        let known = fields.get(header::IF_NONE_MATCH).is_some_and(|tag| *tag == etag.as_str());
        let mut response = match known {
            true => text_page(StatusCode::NOT_MODIFIED, "text/html", String::new()),
            false => page(StatusCode::OK, &format!("Article {number}"), &format!("<p>{text}</p>")),
        };
        set(
            &mut response,
            &[
                ("cache-control", "max-age=60"),
                ("etag", &etag),
                ("last-modified", WRITTEN),
                ("vary", "Accept-Language"),
                ("cache-tag", &tags),
            ],
        );
        response
    }
}

fn index() -> Response<Full<Bytes>> {
    let list: String =
        (1..=5).map(|n| format!("<li><a href=\"/articles/{n}\">Article {n}</a></li>")).collect();
    let mut response = page(StatusCode::OK, "News", &format!("<ul>{list}</ul>"));
    set(&mut response, &[("cache-control", "max-age=60"), ("cache-tag", "articles")]);
    response
}

fn stylesheet() -> Response<Full<Bytes>> {
    let css = "body { font: 18px/1.5 Georgia, serif; max-width: 40em; margin: 2em auto; }\n";
    let mut response = text_page(StatusCode::OK, "text/css", css.into());
    set(&mut response, &[("cache-control", "public, max-age=3600"), ("etag", "\"style-1\"")]);
    response
}

fn page(status: StatusCode, title: &str, body: &str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/style.css\"></head>\
         <body><h1>{title}</h1>{body}<p><a href=\"/\">All articles</a></p></body></html>\n"
    );
    text_page(status, "text/html; charset=utf-8", html)
}

fn text_page(status: StatusCode, media_type: &str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    set(&mut response, &[("content-type", media_type)]);
    response
}

fn set(response: &mut Response<Full<Bytes>>, fields: &[(&'static str, &str)]) {
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}
