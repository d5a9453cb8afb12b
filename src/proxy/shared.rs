//! What the runtimes have in common, and what of it outlives a reload.

use super::fetch::Arrived;
use super::rebound::Rebounds;
use super::refill::Refills;
use super::uncacheable::Uncacheable;
use super::{FlightKey, Options};
use crate::access_log::AccessLog;
use crate::clock::Clock;
use crate::collapse::Collapser;
use crate::metrics::Metrics;
use crate::origin::Watched;
use crate::purge::{Audit, Purger};
use crate::storage::Memory;
use std::sync::Arc;

/// What all runtimes share.
#[derive(Clone)]
pub struct Shared {
    /// What is configured.
    pub options: Arc<Options>,
    /// What is stored.
    pub memory: Arc<Memory>,
    /// What is forgotten.
    pub purger: Arc<Purger>,
    /// Who had it forgotten.
    pub audit: Arc<Audit>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where requests are written down.
    pub log: AccessLog,
    /// How the origin is doing.
    pub origin: Watched,
    pub(super) collapser: Arc<Collapser<FlightKey, Arrived>>,
    pub(super) uncacheable: Arc<Uncacheable>,
    pub(super) refills: Arc<Refills>,
    pub(super) rebounds: Arc<Rebounds>,
}

impl Shared {
    /// Puts the parts together.
    pub fn new(
        options: Options,
        memory: Arc<Memory>,
        purger: Arc<Purger>,
        clock: Arc<dyn Clock>,
        log: AccessLog,
        origin: Watched,
    ) -> Shared {
        let uncacheable = Arc::new(Uncacheable::new(options.uncacheable_ttl));
        let options = Arc::new(options);
        let (audit, metrics, collapser) = (Arc::default(), Arc::default(), Arc::default());
        Shared {
            options,
            memory,
            purger,
            audit,
            metrics,
            clock,
            log,
            origin,
            collapser,
            uncacheable,
            refills: Arc::default(),
            rebounds: Arc::default(),
        }
    }

    /// The same store, purges and counters under other options. Fetches under
    /// way are not shared with it: by the old options they may be for visitors
    /// whom the new ones tell apart. Nor is what was not storable by the old.
    pub fn renewed(&self, options: Options, log: AccessLog, origin: Watched) -> Shared {
        let Shared { memory, purger, audit, metrics, clock, refills, rebounds, .. } = self.clone();
        Shared {
            audit,
            metrics,
            refills,
            rebounds,
            ..Shared::new(options, memory, purger, clock, log, origin)
        }
    }

    /// The number of fetches under way that others may wait for.
    pub fn fetches_under_way(&self) -> usize {
        self.collapser.under_way()
    }
}
