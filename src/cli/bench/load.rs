//! The load: the same for both, whoever answers.

use super::histogram::Histogram;
use crate::cli::connection::{Asked, Connection, Place};
use crate::cli::decision::Decision;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// When it is enough.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    Requests(u64),
    Passed(Duration),
}

/// What is asked for, and by how many.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub asked: Vec<Asked>,
    pub until: Until,
    pub connections: usize,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub answers: u64,
    pub bytes: u64,
    /// Answers of 400 and above, and requests without one.
    pub errors: u64,
    /// The first of them.
    pub error: Option<String>,
    pub times: Histogram,
    /// How often a connection was opened.
    pub opened: u64,
    pub took: Duration,
}

impl Load {
    /// Asks for each page once. What larder says of them, if it is larder.
    pub async fn warm_up(&self, place: &Place) -> Result<Vec<Option<Decision>>, String> {
        let mut connection = Connection::to(place.clone());
        let mut decided = Vec::new();
        for asked in &self.asked {
            let seen = connection.get(asked).await?;
            let field = seen.fields.get_all("cache-status").iter().next_back();
            decided.push(field.and_then(|value| value.to_str().ok()).map(Decision::read));
        }
        Ok(decided)
    }
    pub async fn run(&self, place: &Place) -> Outcome {
        let began = Instant::now();
        let begun = Arc::new(AtomicU64::new(0));
        let load = Arc::new(self.clone());
        let mut workers = JoinSet::new();
        for _ in 0..self.connections {
            workers.spawn(work(Arc::clone(&load), place.clone(), began, Arc::clone(&begun)));
        }
        let mut whole = Outcome::none();
        while let Some(part) = workers.join_next().await {
            whole.add(part.unwrap_or_else(|_| Outcome::none()));
        }
        whole.took = began.elapsed();
        whole
    }

    fn is_over(&self, number: u64, took: Duration) -> bool {
        match self.until {
            Until::Requests(requests) => number >= requests,
            Until::Passed(time) => took >= time,
        }
    }
}
async fn work(load: Arc<Load>, place: Place, began: Instant, begun: Arc<AtomicU64>) -> Outcome {
    let mut connection = Connection::to(place);
    let mut outcome = Outcome::none();
    loop {
        let number = begun.fetch_add(1, Ordering::Relaxed);
        let sent = Instant::now();
        if load.is_over(number, sent.duration_since(began)) {
            break;
        }
        let pages = load.asked.len() as u64;
        match connection.get(&load.asked[(number % pages) as usize]).await {
            Ok(seen) => {
                outcome.times.add(sent.elapsed());
                outcome.answers += 1;
                outcome.bytes += seen.bytes;
                if seen.status.as_u16() >= 400 {
                    outcome.fail(seen.status.to_string());
                }
            }
            Err(error) => {
                outcome.fail(error);
                // Who refuses at once would be asked without end.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    outcome.opened = connection.opened;
    outcome
}

impl Outcome {
    fn none() -> Outcome {
        Outcome {
            answers: 0,
            bytes: 0,
            errors: 0,
            error: None,
            times: Histogram::new(),
            opened: 0,
            took: Duration::ZERO,
        }
    }

    fn fail(&mut self, error: String) {
        self.errors += 1;
        self.error.get_or_insert(error);
    }

    fn add(&mut self, part: Outcome) {
        self.answers += part.answers;
        self.bytes += part.bytes;
        self.errors += part.errors;
        self.error = self.error.take().or(part.error);
        self.times.merge(&part.times);
        self.opened += part.opened;
    }

    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.took.as_secs_f64().max(0.001)
    }
}
