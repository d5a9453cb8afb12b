//! `POST /v1/purge`: many selectors at once, with counts.

use super::document::Asked;
use super::idempotency::{Begun, Key, Keys, Known};
use super::problem::{Kind, Problem};
use super::purges::progress;
use super::reply;
use super::routes::Asker;
use crate::body::{self, Unread};
use crate::proxy::Shared;
use crate::purge::{Made, Purged, Selectors, Softness};
use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;

/// The largest request, in bytes.
const MOST_BYTES: usize = 4 << 20;

pub(super) async fn answer(
    asker: &Asker<'_>,
    keys: &Arc<Keys>,
    fields: &HeaderMap,
    body: Incoming,
) -> Response<Full<Bytes>> {
    let (asked, selectors, digest) = match read(body).await {
        Ok(read) => read,
        Err(problem) => return problem.answer(),
    };
    let granted = match asked.dry_run {
        true => asker.grant.allows_to_preview(&selectors),
        false => asker.grant.allows(&selectors),
    };
    if let Err(denied) = granted {
        return asker.refused(&denied.to_string());
    }
    let begun = match begin(asker, keys, fields, digest) {
        Ok(Some(Known::Done(answer))) => return reply::json(answer),
        Ok(Some(Known::New(begun))) => Some(begun),
        Ok(None) => None,
        Err(problem) => return problem.answer(),
    };
    let purge = Purge {
        asked,
        selectors,
        by: Arc::clone(&asker.grant.who),
        peer: asker.peer,
        shared: asker.shared.clone(),
        begun,
    };
    // On its own: whoever asked may leave, and it is done all the same.
    match tokio::spawn(purge.run()).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "a purge did not end");
            let detail = "the purge did not end; it holds for requests all the same";
            reply::problem(Kind::Internal, detail)
        }
    }
}

async fn read(mut body: Incoming) -> Result<(Asked, Selectors, [u8; 32]), Problem> {
    let bytes = body::document(&mut body, MOST_BYTES).await.map_err(|unread| match unread {
        Unread::TooLarge => Problem::new(Kind::TooLarge, "the document is larger than 4 MiB"),
        Unread::Broken => Problem::new(Kind::InvalidRequest, "the document broke off"),
        Unread::Late => Problem::new(Kind::TooSlow, "the document did not come in time"),
    })?;
    let (asked, selectors) = Asked::read(&bytes)?;
    Ok((asked, selectors, Sha256::digest(&bytes).into()))
}

fn begin(
    asker: &Asker<'_>,
    keys: &Arc<Keys>,
    fields: &HeaderMap,
    document: [u8; 32],
) -> Result<Option<Known>, Problem> {
    let key = Key::of(fields, &asker.grant.who)?;
    key.map(|key| keys.begin(key, document, asker.shared.clock.now())).transpose()
}

/// A purge that may be made.
struct Purge {
    asked: Asked,
    selectors: Selectors,
    by: Arc<str>,
    peer: SocketAddr,
    shared: Shared,
    begun: Option<Begun>,
}

impl Purge {
    async fn run(mut self) -> Response<Full<Bytes>> {
        let begun = self.begun.take();
        let done = tokio::task::spawn_blocking(move || self.done()).await;
        match done {
            Ok(value) => {
                let answer = Bytes::from(format!("{value}\n"));
                if let Some(begun) = begun {
                    begun.done(&answer);
                }
                reply::json(answer)
            }
            Err(error) => {
                tracing::error!(%error, "a purge did not end");
                let detail = "the purge did not end; it holds for requests all the same";
                reply::problem(Kind::Internal, detail)
            }
        }
    }

    /// Takes time in proportion to what is stored.
    fn done(self) -> Value {
        if self.asked.dry_run { self.preview() } else { self.make() }
    }

    fn preview(self) -> Value {
        let Purge { asked, selectors, shared, .. } = self;
        let (mut bytes, mut a_second, now) = (0, 0.0, shared.clock.now());
        let counts = shared.purger.visit(&shared.as_keyed(&selectors), |_, stored| {
            bytes += stored.weight() as u64;
            a_second += stored.hits_a_second(now);
        });
        let mut answer = json!({
            "dry_run": true,
            "soft": asked.softness() == Softness::Soft,
            "objects": counts.total,
            "bytes": bytes,
            "requests_per_second": (a_second * 1000.0).round() / 1000.0,
        });
        if asked.refresh {
            let (wanted, left_out) = shared.hot(&selectors).counts();
            answer["refresh"] = json!({ "wanted": wanted, "left_out": left_out });
        }
        asked.count(&counts, "objects", &mut answer);
        answer
    }

    fn make(self) -> Value {
        let Purge { asked, selectors, by, peer, shared, .. } = self;
        let softness = asked.softness();
        // Looked at before: what is forgotten can't say how it is asked for.
        let hot = asked.refresh.then(|| shared.hot(&selectors));
        let Purged { number, counts } = shared.purge(&selectors, softness);
        let refill = hot.map(|hot| shared.refill(hot));
        let record = shared.audit.record(Made {
            by: &by,
            peer: peer.ip(),
            via: "api",
            at: shared.clock.wall(),
            selectors: &selectors,
            softness,
            purge: Some(number),
            purged: Some(counts.total),
            refill: refill.clone(),
        });
        let mut answer = json!({
            "number": record.number,
            "purged": counts.total,
            "soft": softness == Softness::Soft,
        });
        if let Some(refill) = refill {
            answer["refresh"] = progress(&refill);
        }
        asked.count(&counts, "purged", &mut answer);
        answer
    }
}
