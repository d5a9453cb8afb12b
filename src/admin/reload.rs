//! `POST /v1/reload`: the configuration is read again.

use super::problem::Kind;
use super::reply;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

/// What a reload has done, a sentence each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// What holds now.
    pub changed: Vec<String>,
    /// What waits for the next start.
    pub left: Vec<String>,
}

/// Where the outcome is awaited: what was done, or why nothing was.
pub type ReloadRequest = oneshot::Sender<Result<Reloaded, String>>;

/// Tells whoever can reload.
pub type Reloader = mpsc::Sender<ReloadRequest>;

pub(super) async fn answer(reloader: Option<&Reloader>) -> Response<Full<Bytes>> {
    let Some(reloader) = reloader else {
        let detail = "this larder was started without a configuration file: there is none to read";
        return reply::problem(Kind::NothingToReload, detail);
    };
    let (request, outcome) = oneshot::channel();
    // Neither fails but when the process is closing.
    let asked = reloader.send(request).await;
    match (asked, outcome.await) {
        (Ok(()), Ok(Ok(Reloaded { changed, left }))) => {
            reply::document(&json!({ "changed": changed, "left": left }))
        }
        (Ok(()), Ok(Err(detail))) => reply::problem(Kind::NotReloaded, detail),
        _ => reply::problem(Kind::Closing, "larder is closing"),
    }
}
