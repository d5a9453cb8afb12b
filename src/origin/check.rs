//! Asking the upstreams how they are, without anybody's request.

use super::attempt::bounds;
use super::connect::Connection;
use super::pool::Pool;
use super::upstream::Upstream;
use crate::body::Body;
use http::{HeaderValue, Request, Uri, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How upstreams are checked.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    /// What is asked for, by GET.
    pub path: Uri,
    /// The `Host` it is asked of.
    pub host: HeaderValue,
    /// The time between two checks.
    pub interval: Duration,
    /// The longest time that a check may take.
    pub timeout: Duration,
}

impl Pool {
    /// Checks every upstream again and again, if that is wanted; for one of the
    /// runtimes to do. 2xx and 3xx are good. One that hangs holds up no other's check.
    pub async fn watch(self: &Arc<Self>) {
        let Some(check) = &self.options.health_check else { return };
        let mut watching = JoinSet::new();
        for at in 0..self.places.upstreams.len() {
            let (pool, check) = (Arc::clone(self), check.clone());
            watching.spawn(async move { pool.watch_one(at, &check).await });
        }
        watching.join_all().await;
    }

    async fn watch_one(&self, at: usize, check: &HealthCheck) {
        let upstream = &self.places.upstreams[at];
        loop {
            let good = timeout(check.timeout, self.is_good(upstream, check)).await;
            upstream.checked(good.unwrap_or(false));
            // Of one that has come back there are places.
            self.places.serve();
            sleep(check.interval).await;
        }
    }

    async fn is_good(&self, upstream: &Upstream, check: &HealthCheck) -> bool {
        let options = &self.options;
        let connected = upstream.way.connect(options.connect_timeout, bounds(options)).await;
        let mut sender = match connected {
            Ok(Connection { sender, .. }) => sender,
            Err(error) => {
                tracing::debug!(upstream = %upstream.address, %error, "a check found nobody");
                return false;
            }
        };
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = check.path.clone();
        let fields = request.headers_mut();
        fields.insert(header::HOST, check.host.clone());
        fields.insert(header::USER_AGENT, HeaderValue::from_static("larder"));
        fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
        let answer = sender.send_request(request).await;
        answer.is_ok_and(|answer| answer.status().is_success() || answer.status().is_redirection())
    }
}
