//! In which phase a connection is, as its service and its stream tell each other.

use crate::proxy::ReadAhead;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::Context;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// No request has come yet.
    #[default]
    New,
    /// A request is being answered; how long that may take is not the
    /// connection's business.
    Busy,
    /// The next request is awaited.
    Idle,
    /// The connection belongs to two others who talk as they like.
    Tunnel,
}

/// The phase of a connection, as the service tells it.
#[derive(Clone, Debug, Default)]
pub(super) struct Phases(pub(super) Arc<Course>);

#[derive(Debug, Default)]
pub(super) struct Course {
    pub phase: Mutex<Phase>,
    /// The next answer is the last.
    ending: AtomicBool,
    /// A head did not come whole in time.
    pub slow_head: AtomicBool,
    /// The client takes too little of an answer: what it hasn't taken is thrown away.
    cut_off: AtomicBool,
    /// hyper may have a part of an answer that isn't written yet.
    unwritten: AtomicBool,
    /// [`SILENT`] while more of a body is awaited, [`ENDLESS`] if it states no length.
    pub silence: AtomicU8,
    /// What is read while the client takes nothing.
    ahead: Mutex<Option<ReadAhead>>,
}

/// More of the answer's body is awaited.
const SILENT: u8 = 1;
/// The body states no length.
pub(super) const ENDLESS: u8 = 2;

impl Phases {
    /// The request that has come may be answered before hyper sees it: it is not
    /// the last, and hyper has nothing to write.
    pub fn is_between(&self) -> bool {
        let wait =
            self.0.ending.load(Ordering::Relaxed) || self.0.unwritten.load(Ordering::Relaxed);
        !wait && matches!(*self.0.phase.lock(), Phase::New | Phase::Idle)
    }

    /// It has been answered so.
    pub fn answered(&self) {
        *self.0.phase.lock() = Phase::Idle;
    }

    /// A request has come; it is over when the result is dropped.
    pub fn begin(&self) -> Busy {
        *self.0.phase.lock() = Phase::Busy;
        self.0.unwritten.store(true, Ordering::Relaxed);
        Busy { phases: self.clone(), reads_ahead: false }
    }

    /// hyper has written all that it had; during an answer that says nothing.
    pub fn is_written(&self) {
        let is_over = *self.0.phase.lock() != Phase::Busy;
        if is_over {
            self.0.unwritten.store(false, Ordering::Relaxed);
        }
    }

    /// No request is read after the one that is answered now or comes next.
    pub fn end(&self) {
        self.0.ending.store(true, Ordering::Relaxed);
    }

    /// The last answer agreed to another protocol.
    pub fn is_tunnel(&self) -> bool {
        *self.0.phase.lock() == Phase::Tunnel
    }

    /// The connection has ended because a head did not come whole in time.
    pub fn had_slow_head(&self) -> bool {
        self.0.slow_head.load(Ordering::Relaxed)
    }

    /// The client took nothing for too long, or too little.
    pub fn cut_off(&self) {
        self.0.cut_off.store(true, Ordering::Relaxed);
    }

    /// Whether it did.
    pub fn is_cut_off(&self) -> bool {
        self.0.cut_off.load(Ordering::Relaxed)
    }

    /// The client takes nothing at the moment.
    pub fn stands_still(&self, cx: &mut Context<'_>) {
        if let Some(ahead) = &*self.0.ahead.lock() {
            ahead.poll_ahead(cx);
        }
    }

    /// No request has come yet.
    pub fn is_new(&self) -> bool {
        *self.0.phase.lock() == Phase::New
    }
}

/// A request is being answered.
#[derive(Debug)]
pub(super) struct Busy {
    phases: Phases,
    reads_ahead: bool,
}

impl Busy {
    /// This answer is the last.
    pub fn is_last(&self) -> bool {
        self.phases.0.ending.load(Ordering::Relaxed)
    }

    /// The answer's body may be read ahead of the client.
    pub fn reads_ahead(&mut self, ahead: &ReadAhead) {
        *self.phases.0.ahead.lock() = Some(ahead.clone());
        self.reads_ahead = true;
    }

    /// More of the answer's body is awaited, or has come.
    pub fn awaits(&self, is_awaited: bool, is_endless: bool) {
        let endless = if is_endless { ENDLESS } else { 0 };
        let silence = if is_awaited { SILENT | endless } else { 0 };
        self.phases.0.silence.store(silence, Ordering::Relaxed);
    }

    /// Too little of the answer's body is taken.
    pub fn cut_off(&self) {
        self.phases.cut_off();
    }

    /// The answer turns the connection into a tunnel.
    pub fn becomes_tunnel(&self) {
        *self.phases.0.phase.lock() = Phase::Tunnel;
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.reads_ahead {
            *self.phases.0.ahead.lock() = None;
        }
        self.phases.0.silence.store(0, Ordering::Relaxed);
        let mut phase = self.phases.0.phase.lock();
        if *phase == Phase::Busy {
            *phase = Phase::Idle;
        }
    }
}
