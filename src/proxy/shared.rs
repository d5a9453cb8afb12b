//! What the runtimes have in common, and what of it outlives a reload.

use super::fetch::Arrived;
use super::rebound::Rebounds;
use super::refill::Refills;
use super::uncacheable::Uncacheable;
use super::{FlightKey, Options};
use crate::access_log::AccessLog;
use crate::account::{Account, Room};
use crate::clock::Clock;
use crate::collapse::Collapser;
use crate::dialects::{Dialect, litespeed};
use crate::error::OriginError;
use crate::gate::{Gate, Most};
use crate::key::{CacheKey, Target};
use crate::metrics::{Leave, Metrics, Trouble};
use crate::observe::Observer;
use crate::origin::Watched;
use crate::purge::{Audit, Purger, Selectors};
use crate::semantics::offer::LARDER_FILL;
use crate::semantics::{tags, targeted};
use crate::storage::Memory;
use crate::telemetry::Telemetry;
use http::HeaderName;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What all runtimes share.
#[derive(Clone)]
pub struct Shared {
    /// What is configured.
    pub options: Arc<Options>,
    /// What is stored.
    pub memory: Arc<Memory>,
    /// What all that takes, and what is under way besides.
    pub account: Arc<Account>,
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
    /// What goes to the origin, and what that costs.
    pub observer: Arc<Observer>,
    /// Which requests are traced, and who is told of them; nobody until it is said.
    pub telemetry: Telemetry,
    /// How the origin is doing.
    pub origin: Watched,
    /// Connections of clients.
    pub gate: Arc<Gate>,
    /// Fields of the app's that no client is shown.
    pub(super) unshown: Arc<[HeaderName]>,
    /// Requests that are at the origin or wait for it, by address.
    pub(super) at_origin: Arc<Gate>,
    pub(super) collapser: Arc<Collapser<FlightKey, Arrived>>,
    pub(super) uncacheable: Arc<Uncacheable>,
    pub(super) refills: Arc<Refills>,
    pub(super) rebounds: Arc<Rebounds>,
    /// Nothing that is fetched by these options is stored any more.
    pub(super) retired: Arc<AtomicBool>,
}

/// The fields that are taken off answers, so that they are known where they come before or
/// behind one: those with tags, and those that say what larder is to do.
fn unshown(options: &Options) -> Arc<[HeaderName]> {
    let tags = options.tag_fields.iter().filter(|name| !tags::is_for_all(name));
    let own = options.policy.targeted.iter().filter(|name| targeted::is_own(name));
    let purges = options.dialects.has(Dialect::LiteSpeed).then_some(litespeed::FIELD);
    tags.chain(own).cloned().chain(purges).chain([LARDER_FILL]).collect()
}

impl Shared {
    /// Puts the parts together. Everybody may connect until the [gate](Shared::gate) is
    /// told otherwise.
    pub fn new(
        options: Options,
        account: Arc<Account>,
        memory: Arc<Memory>,
        purger: Arc<Purger>,
        clock: Arc<dyn Clock>,
        log: AccessLog,
        origin: Watched,
    ) -> Shared {
        let uncacheable = Arc::new(Uncacheable::new(options.uncacheable_ttl));
        let unshown = unshown(&options);
        let at_origin = Arc::new(Gate::new(options.at_origin.clone()));
        let options = Arc::new(options);
        let metrics = Arc::new(Metrics::new(clock.wall()));
        let gate = Arc::new(Gate::new(Most::default()));
        let (audit, collapser) = (Arc::default(), Arc::default());
        let observer = Arc::default();
        Shared {
            options,
            account,
            memory,
            purger,
            audit,
            metrics,
            clock,
            log,
            observer,
            telemetry: Telemetry::default(),
            origin,
            gate,
            unshown,
            at_origin,
            collapser,
            uncacheable,
            refills: Arc::default(),
            rebounds: Arc::default(),
            retired: Arc::default(),
        }
    }

    /// From now on nothing that is fetched by these options is stored.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// The same store, purges and counters under other options. Fetches under
    /// way are not shared with it, nor stored: by the old options they may be for visitors
    /// whom the new ones tell apart. Nor is what was not storable by the old.
    pub fn renewed(&self, options: Options, log: AccessLog, origin: Watched) -> Shared {
        let Shared { account, memory, purger, audit, metrics, observer, clock, .. } = self.clone();
        let at_origin = Arc::clone(&self.at_origin);
        at_origin.set(options.at_origin.clone());
        let (refills, rebounds) = (Arc::clone(&self.refills), Arc::clone(&self.rebounds));
        let gate = Arc::clone(&self.gate);
        self.retire();
        Shared {
            audit,
            metrics,
            observer,
            telemetry: self.telemetry.clone(),
            gate,
            at_origin,
            refills,
            rebounds,
            ..Shared::new(options, account, memory, purger, clock, log, origin)
        }
    }

    /// Has what is stored give way to so many bytes, if there isn't plenty of room for
    /// them. Returns how much there is then.
    pub(super) fn make_room(&self, bytes: usize) -> Room {
        let room = self.account.room_with(bytes);
        if room == Room::Plenty {
            return room;
        }
        self.memory.shed(self.account.excess(bytes));
        self.account.room_with(bytes)
    }

    /// What a purge names, as it is keyed: a URL with parameters that are ignored means the
    /// page without them. The URL as it stands is named too: it may have been stored before
    /// they were ignored.
    pub fn as_keyed<'a>(&self, selectors: &'a Selectors) -> Cow<'a, Selectors> {
        let ignored = &self.options.presented.ignored_parameters;
        let is_named = |key: &CacheKey| ignored.are_in(key.target().path_and_query());
        if !selectors.keys.iter().any(is_named) {
            return Cow::Borrowed(selectors);
        }
        let mut named = selectors.clone();
        for at in 0..named.keys.len() {
            let target = named.keys[at].target();
            let without = ignored.without(target.path_and_query());
            if let Some(Ok(target)) = without.map(|path| target.with_path(&path)) {
                // In its place, which its count is told by.
                let as_it_stood = std::mem::replace(&mut named.keys[at], CacheKey::new(target));
                named.keys.push(as_it_stood);
            }
        }
        Cow::Owned(named)
    }

    /// Counts what went wrong. Returns whether it may be written down.
    pub fn met(&self, trouble: Trouble) -> Option<Leave> {
        self.metrics.troubles.met(trouble, self.clock.now())
    }

    /// Counts a request for this target that the origin did not answer, or was not
    /// sent to it, and writes it down.
    pub(super) fn note_failure(&self, target: &Target, error: &OriginError) {
        let trouble = Trouble::from(error);
        let is_own =
            matches!(trouble, Trouble::Memory | Trouble::OriginPerIp | Trouble::Descriptors);
        if !is_own && error.is_origins_fault() {
            self.metrics.origin_failures.count();
        }
        if let Some(Leave { unlogged }) = self.met(trouble) {
            let what = match trouble {
                Trouble::Origin => "the origin failed",
                Trouble::Body | Trouble::SlowBody | Trouble::BrokenBody => "a body did not come",
                _ => "a request was not sent to the origin",
            };
            let origin = self.origin.addresses();
            tracing::warn!(%target, origin, %error, unlogged, "{what}");
        }
    }

    /// The number of fetches under way that others may wait for.
    pub fn fetches_under_way(&self) -> usize {
        self.collapser.under_way()
    }
}
