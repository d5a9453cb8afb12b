//! The requests: so many at a time, so many a second.

use super::Fields;
use super::progress::Progress;
use super::tally::{Came, How, Tally, varied};
use crate::cli::asking;
use crate::cli::connection::{Asked, Connection, Place};
use crate::clock::{Clock, SystemClock};
use crate::key::Target;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};

/// What is asked for, and how fast.
#[derive(Debug)]
pub(super) struct Plan {
    pub urls: Vec<Target>,
    pub variants: Vec<Fields>,
    pub via: Option<String>,
    /// Requests a second; 0 for as many as the answers allow.
    pub rate: f64,
    pub concurrency: usize,
}

impl Plan {
    pub fn requests(&self) -> usize {
        self.urls.len().saturating_mul(self.variants.len())
    }
}

/// What the senders share.
struct Shared {
    plan: Plan,
    next: AtomicUsize,
    pace: Option<Mutex<Interval>>,
}

impl Shared {
    /// The next request when it is time for it.
    async fn next(&self) -> Option<(&Target, Asked)> {
        if let Some(pace) = &self.pace {
            pace.lock().await.tick().await;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let variants = self.plan.variants.len();
        let target = self.plan.urls.get(number / variants)?;
        Some((target, Asked::of(target, self.plan.variants[number % variants].clone())))
    }
}

/// Sends all, until they are answered or the operator interrupts.
pub(super) async fn send(plan: Plan, mut progress: Progress) -> Tally {
    let clock = SystemClock::start();
    let began = clock.now();
    let pace = (plan.rate > 0.0).then(|| {
        let mut interval = tokio::time::interval(Duration::from_secs_f64(1.0 / plan.rate));
        // What was late is not made up for by a burst.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Mutex::new(interval)
    });
    let mut tally = Tally::of(plan.urls.len(), plan.requests());
    let at_once = plan.concurrency.min(plan.requests());
    let shared = Arc::new(Shared { plan, next: AtomicUsize::new(0), pace });
    let (answers, mut came) = mpsc::channel(64);
    let mut senders = JoinSet::new();
    for _ in 0..at_once {
        senders.spawn(work(Arc::clone(&shared), answers.clone()));
    }
    drop(answers);
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let answer = tokio::select! {
            biased;
            answer = came.recv() => answer,
            _ = &mut interrupt => {
                tally.interrupted = true;
                break;
            }
        };
        let Some((url, came)) = answer else { break };
        tally.take(&url, came);
        progress.show(tally.requests, clock.now().since(began));
    }
    progress.end();
    tally.took = clock.now().since(began);
    let sent = shared.plan.variants.iter().flatten();
    tally.note_varied(|name| sent.clone().any(|(field, _)| field == name));
    tally
}

/// Asks with one connection to each place in turn.
async fn work(shared: Arc<Shared>, answers: mpsc::Sender<(String, Came)>) {
    let mut connection: Option<(String, Connection)> = None;
    while let Some((target, asked)) = shared.next().await {
        let answer = match asking::address(target, shared.plan.via.as_deref()) {
            Ok(address) => {
                let kept = connection.take().filter(|(place, _)| *place == address);
                let (_, connection) = connection.insert(
                    kept.unwrap_or_else(|| (address.clone(), Connection::to(Place::Tcp(address)))),
                );
                connection.get(&asked).await
            }
            Err(error) => Err(error),
        };
        let came = Came { varied: varied(&answer), how: How::of(answer) };
        if answers.send((target.to_string(), came)).await.is_err() {
            return;
        }
    }
}
