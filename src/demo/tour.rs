//! The tour: each step is a request, what came of it, and what should have.

use super::origin::Origin;
use crate::cli::{Answer, Client, say};
use crate::clock::{Clock, SystemClock};
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use std::time::Duration;

struct Tour<'a> {
    origin: &'a Origin,
    proxy: Client,
    admin: Client,
    clock: SystemClock,
    good: bool,
}

/// Walks the tour. Returns whether every step was as it should be.
pub(super) fn walk(origin: &Origin, proxy: Client, admin: Client) -> bool {
    let mut tour = Tour { origin, proxy, admin, clock: SystemClock::start(), good: true };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(tour.steps()),
        Err(error) => tour.check("a runtime", false, &error.to_string()),
    }
    say("");
    say(if tour.good {
        "All of it was as it should be."
    } else {
        "Something was NOT as it should be."
    });
    tour.good
}

impl Tour<'_> {
    async fn steps(&mut self) {
        self.page("/articles/1", &[], "MISS", |a| is(a, "fwd=uri-miss") && is(a, "stored")).await;
        let first = self.page("/articles/1", &[], "HIT", |a| is(a, "hit")).await;
        let etag = first.as_ref().and_then(|a| a.fields.get(header::ETAG).cloned());
        let known = [(header::IF_NONE_MATCH, etag.unwrap_or(HeaderValue::from_static("\"none\"")))];
        self.page("/articles/1", &known, "304", |a| {
            a.status == StatusCode::NOT_MODIFIED && is(a, "hit")
        })
        .await;
        self.crowd("/articles/2", 50).await;
        self.page("/account", &[], "PRIVATE", |a| is(a, "detail=private")).await;
        self.purge_url("/articles/1").await;
        self.page("/articles/1", &[], "MISS", |a| is(a, "fwd=uri-miss")).await;
        self.purge_tag("article:2").await;
        self.page("/articles/2", &[], "MISS", |a| is(a, "fwd=uri-miss")).await;
        self.edit("/articles/1", "The fox has woken the dog.").await;
        self.page("/articles/1", &[], "MISS", |a| {
            is(a, "fwd=uri-miss") && a.body.windows(9).any(|w| w == b"has woken")
        })
        .await;
    }

    /// Asks for a page and shows what the cache did.
    async fn page(
        &mut self,
        path: &str,
        fields: &[(HeaderName, HeaderValue)],
        expected: &str,
        as_it_should: impl Fn(&Answer) -> bool,
    ) -> Option<Answer> {
        let (answer, took) = self.timed(&Method::GET, path, fields, "").await;
        let what = format!("GET {path}");
        match answer {
            Ok(answer) => {
                let status = answer.field("cache-status").unwrap_or("no Cache-Status");
                let text = format!("{expected:<8} {}   {status}", millis(took));
                self.check(&what, as_it_should(&answer), &text);
                Some(answer)
            }
            Err(error) => {
                self.check(&what, false, &error);
                None
            }
        }
    }

    /// Many clients ask for one cold page at once.
    async fn crowd(&mut self, path: &'static str, count: usize) {
        let (before, began) = (self.origin.requests(), self.clock.now());
        let clients: Vec<_> = (0..count)
            .map(|_| {
                let proxy = self.proxy.clone();
                tokio::spawn(async move { proxy.ask(&Method::GET, path, &[], Bytes::new()).await })
            })
            .collect();
        let mut answered = 0;
        for client in clients {
            if let Ok(Ok(answer)) = client.await {
                answered += usize::from(answer.status == StatusCode::OK);
            }
        }
        let took = self.clock.now().since(began);
        let asked = self.origin.requests() - before;
        let text =
            format!("         {}   {answered} answers, {asked} origin request", millis(took));
        self.check(&format!("{count} x GET {path}"), answered == count && asked == 1, &text);
    }

    async fn purge_url(&mut self, path: &str) {
        let method = Method::from_bytes(b"PURGE").unwrap_or(Method::DELETE);
        let (answer, took) = self.timed(&method, path, &[], "").await;
        self.purged(&format!("PURGE {path}"), answer, took);
    }

    async fn purge_tag(&mut self, tag: &str) {
        let body = format!("{{\"tags\": [\"{tag}\"]}}");
        let began = self.clock.now();
        let answer = self.admin.ask(&Method::POST, "/v1/purge", &[], Bytes::from(body)).await;
        let took = self.clock.now().since(began);
        self.purged(&format!("purge tag {tag}"), answer, took);
    }

    fn purged(&mut self, what: &str, answer: Result<Answer, String>, took: Duration) {
        let count = answer
            .as_ref()
            .ok()
            .and_then(|a| serde_json::from_slice::<serde_json::Value>(&a.body).ok())
            .and_then(|document| document["purged"].as_u64());
        let text = match (&answer, count) {
            (_, Some(count)) => format!("PURGED   {}   {count} stored response", millis(took)),
            (Ok(answer), None) => answer.status.to_string(),
            (Err(error), None) => error.clone(),
        };
        self.check(what, count == Some(1), &text);
    }

    async fn edit(&mut self, path: &str, text: &str) {
        let body = format!("text={}", text.replace(' ', "+"));
        let (answer, took) = self.timed(&Method::POST, path, &[], &body).await;
        let good = answer.as_ref().is_ok_and(|a| a.status == StatusCode::SEE_OTHER);
        let said = answer.map_or_else(|error| error, |a| a.status.to_string());
        self.check(&format!("POST {path}"), good, &format!("EDIT     {}   {said}", millis(took)));
    }

    async fn timed(
        &self,
        method: &Method,
        path: &str,
        fields: &[(HeaderName, HeaderValue)],
        body: &str,
    ) -> (Result<Answer, String>, Duration) {
        let began = self.clock.now();
        let body = Bytes::copy_from_slice(body.as_bytes());
        let answer = self.proxy.ask(method, path, fields, body).await;
        (answer, self.clock.now().since(began))
    }

    fn check(&mut self, what: &str, good: bool, text: &str) {
        self.good &= good;
        say(&format!("  {} {what:<22} {text}", if good { " " } else { "FAIL" }));
    }
}

/// Whether `Cache-Status` has a parameter.
fn is(answer: &Answer, parameter: &str) -> bool {
    answer
        .field("cache-status")
        .is_some_and(|status| status.split(';').any(|p| p.trim() == parameter))
}

fn millis(took: Duration) -> String {
    format!("{:>4} ms", took.as_millis())
}
