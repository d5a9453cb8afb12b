//! One place for each thread, for what all of them write all the time: threads that
//! write to the same cache line wait for each other.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Places. With more threads some share one, which costs time and nothing else.
const LANES: usize = 16;

/// As many of a thing as there are places.
#[derive(Debug, Default)]
pub struct Lanes<T>([Lane<T>; LANES]);

/// Alone on its cache lines; processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lane<T>(T);

impl<T> Lanes<T> {
    /// The calling thread's.
    pub fn own(&self) -> &T {
        &self.0[own()].0
    }

    /// Those of all threads.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|lane| &lane.0)
    }
}

/// The place of the calling thread.
fn own() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % LANES;
    }
    OWN.with(|own| *own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::collections::BTreeSet;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn a_thread_keeps_its_place_and_none_is_missed() {
        let lanes: Lanes<AtomicU64> = Lanes::default();
        let places = Mutex::new(BTreeSet::new());
        std::thread::scope(|scope| {
            for _ in 0..3 * LANES {
                scope.spawn(|| {
                    let first = own();
                    for _ in 0..100 {
                        lanes.own().fetch_add(1, Ordering::Relaxed);
                        assert_eq!(own(), first);
                    }
                    places.lock().insert(first);
                });
            }
        });
        let all: u64 = lanes.iter().map(|lane| lane.load(Ordering::Relaxed)).sum();
        assert_eq!(all, 300 * LANES as u64);
        assert!(places.into_inner().len() > LANES / 2, "they are shared out");
    }
}
