//! Waiting for an upstream to come back while every one refuses connections, as
//! it is for a moment when an application is deployed.

use super::places::Places;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

/// Who waits for an upstream to accept a connection.
#[derive(Debug)]
pub(super) struct Hold {
    most: usize,
    waiting: AtomicUsize,
    back: Notify,
    looking: AtomicBool,
}

/// The pause before an upstream is tried again, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(500));

impl Hold {
    /// Nobody yet, and never more than `most`.
    pub fn new(most: usize) -> Hold {
        let (waiting, looking) = (AtomicUsize::new(0), AtomicBool::new(false));
        Hold { most, waiting, back: Notify::new(), looking }
    }

    /// Those who wait.
    pub fn held(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// A connection was made.
    pub fn accepted(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.back.notify_waiters();
        }
    }

    /// Waits until a connection has been made; tells whether one was. While
    /// anybody waits, one task tries to connect, for at most `within` each time.
    pub async fn wait(
        self: &Arc<Self>,
        places: &Arc<Places>,
        until: Instant,
        within: Duration,
    ) -> bool {
        let Some(_counted) = self.count() else { return false };
        let mut back = std::pin::pin!(self.back.notified());
        back.as_mut().enable();
        if !self.looking.swap(true, Ordering::SeqCst) {
            let looking = Looking { hold: Arc::clone(self), handed_over: false };
            tokio::spawn(looking.look(Arc::clone(places), within));
        }
        timeout_at(until, back).await.is_ok()
    }

    fn count(&self) -> Option<Counted<'_>> {
        let more = |count| (count < self.most).then_some(count + 1);
        self.waiting.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        Some(Counted(self))
    }
}

/// One who waits.
struct Counted<'a>(&'a Hold);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The one task that looks. Should its runtime end, another may look.
struct Looking {
    hold: Arc<Hold>,
    handed_over: bool,
}

impl Looking {
    async fn look(mut self, places: Arc<Places>, within: Duration) {
        let (mut pause, longest) = PAUSES;
        loop {
            while self.hold.waiting.load(Ordering::SeqCst) > 0 {
                if accepts(&places, within).await {
                    self.hold.back.notify_waiters();
                    pause = PAUSES.0;
                }
                sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
            self.hold.looking.store(false, Ordering::SeqCst);
            // Somebody may have come who saw this task still looking.
            let nobody = self.hold.waiting.load(Ordering::SeqCst) == 0;
            if nobody || self.hold.looking.swap(true, Ordering::SeqCst) {
                self.handed_over = true;
                return;
            }
        }
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        if !self.handed_over {
            self.hold.looking.store(false, Ordering::SeqCst);
        }
    }
}

async fn accepts(places: &Places, within: Duration) -> bool {
    for upstream in &places.upstreams {
        if upstream.way.open(within).await.is_ok() {
            return true;
        }
    }
    false
}
