//! Other settings for a larder that runs. What is per configuration is made
//! anew; the store, the purges, the counters and every connection live on.

use super::{Running, descriptors, options};
use crate::admin::{self, Reloaded};
use crate::config::{Change, Settings, changes};
use crate::origin::Pool;

impl Running {
    /// What it runs by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes over these settings, but for those that only a start can. Requests
    /// under way end by the old ones.
    pub fn reload(&mut self, wanted: &Settings) -> Reloaded {
        let next = possible(&self.settings, wanted);
        let told = |changes: Vec<Change>| changes.iter().map(Change::to_string).collect();
        let reloaded = Reloaded {
            changed: told(changes(&self.settings, &next)),
            left: told(changes(&next, wanted)),
        };
        if !reloaded.changed.is_empty() {
            self.configure(next);
        }
        reloaded
    }

    fn configure(&mut self, next: Settings) {
        let by = |settings: &Settings| {
            let cache = &settings.cache;
            let fields = &cache.identity_fields;
            (cache.cookies.clone(), fields.clone(), cache.static_paths.clone())
        };
        if by(&next) != by(&self.settings) {
            tracing::warn!(
                "what is stored already was judged by the old cookies, identity_fields and \
                 static_paths; if they were the wrong ones, purge everything"
            );
        }
        let log = self.shared.log.with(options::log(&next));
        // Connections to the origin are worth keeping when nothing about them changes.
        let same = next.origin == self.settings.origin && next.limits == self.settings.limits;
        let pool = (!same).then(|| Pool::new(options::pool(&next)));
        let origin = pool.as_ref().map_or_else(|| self.shared.origin.clone(), Pool::watched);
        self.shared = self.shared.renewed(options::proxy(&next), log, origin);
        for worker in &mut self.workers {
            worker.configure(&next, &self.shared, pool.as_ref());
        }
        descriptors::warn_if_fewer(&next, self.descriptors);
        self.shared.gate.set(options::most_inside(&next, self.descriptors));
        let (shared, access) = (self.shared.clone(), options::admin_access(&next));
        self.at_the_door.send_replace(admin::Configured { shared, access });
        self.settings = next;
    }
}

/// The wanted settings, but what a running process can't change: its sockets,
/// its threads, the size of its memory, and whom it tells of its requests.
fn possible(running: &Settings, wanted: &Settings) -> Settings {
    let mut next = wanted.clone();
    next.listen.clone_from(&running.listen);
    next.threads = running.threads;
    next.admin.listen = running.admin.listen;
    next.cache.memory = running.cache.memory;
    next.cache.max_variants = running.cache.max_variants;
    next.limits.in_flight = running.limits.in_flight;
    next.telemetry.clone_from(&running.telemetry);
    next
}
