//! The queue of spans, and who sends them on.

use super::Options;
use super::collector::{Collector, Unusable};
use opentelemetry_sdk::trace::SpanData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// The most spans that wait; one takes about 2 KiB.
const MOST: usize = 4096;

/// Spans that are sent at a time.
const BATCH: usize = 512;

/// How long the first span of some waits for others, unless a batch is together before.
const GATHERING: Duration = Duration::from_secs(1);

/// How often that is looked at: whoever brings a span wakes nobody.
const LOOK: Duration = Duration::from_millis(50);

/// The time after a failure, and between two lines in the log.
const PAUSE: Duration = Duration::from_secs(1);

/// How long what is left may take at the end.
const AT_THE_END: Duration = Duration::from_secs(3);

/// How many spans have come to what end.
#[derive(Debug, Default)]
pub(super) struct Counts {
    exported: AtomicU64,
    lost: AtomicU64,
}

impl Counts {
    pub fn lose(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub fn exported(&self) -> u64 {
        self.exported.load(Ordering::Relaxed)
    }
}

/// A queue, and who empties it.
///
/// # Errors
/// [`Unusable`]: what the environment says of OTLP can't be used.
pub(super) fn queue(
    options: Options,
    counts: &Arc<Counts>,
) -> Result<(Sender<SpanData>, Exporter), Unusable> {
    let (queue, waiting) = channel(MOST);
    let collector = Collector::new(options)?;
    let exporter =
        Exporter { waiting, collector, counts: Arc::clone(counts), told: 0, told_at: None };
    Ok((queue, exporter))
}

/// Sends spans to the collector.
#[derive(Debug)]
pub struct Exporter {
    waiting: Receiver<SpanData>,
    collector: Collector,
    counts: Arc<Counts>,
    /// How many lost ones have been spoken of, and when last.
    told: u64,
    told_at: Option<Instant>,
}

impl Exporter {
    /// Sends what comes, until nobody can bring any more; when all is closed, for three
    /// seconds at most.
    pub async fn run(mut self, mut closed: watch::Receiver<bool>) {
        let counts = Arc::clone(&self.counts);
        let at_the_end = async {
            // An error means that whoever would say so has gone: it is closed.
            let _ = closed.wait_for(|is_closed| *is_closed).await;
            sleep(AT_THE_END).await;
        };
        tokio::select! {
            () = self.send_all() => {}
            () = at_the_end => {
                let (exported, lost) = (counts.exported(), counts.lost());
                tracing::warn!(exported, lost, "spans were left: the collector takes too long");
            }
        }
    }

    async fn send_all(&mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.waiting.recv_many(&mut batch, BATCH).await > 0 {
            self.gather(&mut batch).await;
            let count = batch.len() as u64;
            let sent = self.collector.take(std::mem::take(&mut batch)).await;
            match &sent {
                Ok(refused) => {
                    self.counts.lose(*refused);
                    let taken = count.saturating_sub(*refused);
                    self.counts.exported.fetch_add(taken, Ordering::Relaxed);
                }
                Err(_) => self.counts.lose(count),
            }
            self.tell(sent.as_ref().err().map_or("", String::as_str));
            if sent.is_err() && !self.waiting.is_closed() {
                sleep(PAUSE).await;
            }
        }
    }

    /// Waits for more, for a while.
    async fn gather(&mut self, batch: &mut Vec<SpanData>) {
        let until = Instant::now() + GATHERING;
        let is_enough = |waiting: &Receiver<SpanData>, has: usize| has + waiting.len() >= BATCH;
        while !is_enough(&self.waiting, batch.len())
            && !self.waiting.is_closed()
            && Instant::now() < until
        {
            sleep(LOOK).await;
        }
        while batch.len() < BATCH
            && let Ok(span) = self.waiting.try_recv()
        {
            batch.push(span);
        }
    }

    /// Says how many were lost since the line before, at most once a second.
    fn tell(&mut self, error: &str) {
        let lost = self.counts.lost();
        let is_due = self.told_at.is_none_or(|at| at.elapsed() >= PAUSE);
        if lost == self.told || !is_due {
            return;
        }
        let (count, why) = (lost - self.told, if error.is_empty() { "too many" } else { error });
        tracing::warn!(count, why, "spans for OpenTelemetry were left out");
        (self.told, self.told_at) = (lost, Some(Instant::now()));
    }
}
