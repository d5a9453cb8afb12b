//! Plays the requests of logs to stores of several sizes.

use super::judge::{Change, Fate, Judge};
use super::report::{Group, Report, Size};
use crate::app;
use crate::cli::lines::{self, Record, Unread};
use crate::config::Settings;
use crate::key::CacheKey;
use crate::semantics::parameters::IgnoredParameters;
use crate::semantics::time::Moment;
use crate::storage::{Count, Limits, Trial};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The sizes that are tried, in quarters of `cache.memory`.
const QUARTERS: [u64; 5] = [1, 2, 4, 8, 16];

pub(super) struct Run {
    judge: Judge,
    ignored: IgnoredParameters,
    trials: Vec<(u64, Trial)>,
    max_object: u64,
    lifetime: Option<Duration>,
    all: Count,
    /// Requests that the cache may answer.
    cacheable: Count,
    /// When the first was made, in seconds.
    began: Option<u64>,
    ended: u64,
    timeless: u64,
    /// Whether larder wrote any of it.
    is_larders: bool,
    hits_in_log: u64,
    passed: BTreeMap<&'static str, Group>,
    changes: BTreeMap<Change, Group>,
    unread: Vec<Unread>,
}

impl Run {
    pub fn new(settings: &Settings, judge: Judge, lifetime: Option<Duration>) -> Run {
        let largest = usize::try_from(settings.cache.max_object).unwrap_or(usize::MAX);
        let trial = |quarters: u64| {
            let bytes = settings.cache.memory / 4 * quarters;
            // The store decides by itself what is too large for it.
            (bytes, Trial::new(Limits { bytes, variants: 1 }, largest, lifetime))
        };
        Run {
            judge,
            ignored: app::ignored_parameters(settings),
            trials: QUARTERS.into_iter().map(trial).collect(),
            max_object: settings.cache.max_object,
            lifetime,
            all: Count::default(),
            cacheable: Count::default(),
            began: None,
            ended: 0,
            timeless: 0,
            is_larders: false,
            hits_in_log: 0,
            passed: BTreeMap::new(),
            changes: BTreeMap::new(),
            unread: Vec::new(),
        }
    }

    pub fn log(&mut self, path: &Path) -> Result<(), String> {
        let unread = lines::each(path, |record| self.take(&record))?;
        self.unread.push(unread);
        Ok(())
    }

    fn take(&mut self, record: &Record<'_>) {
        self.all.add(record.bytes);
        self.is_larders |= record.cache.is_some();
        self.hits_in_log += u64::from(record.cache.as_deref() == Some("hit"));
        if let Some(change) = self.judge.change(record) {
            self.changes.entry(change).or_default().count(record);
        }
        let fate = self.judge.fate(record);
        if let Fate::App(code, why) = fate {
            self.passed.entry(code).or_insert_with(|| Group::about(why)).count(record);
            return;
        }
        let as_keyed = self.ignored.without(&record.target);
        let as_keyed = as_keyed.as_deref().unwrap_or(&record.target);
        let Some(target) = super::target(record.host.as_deref(), as_keyed) else {
            let why = "the target is none that a cache could know";
            self.passed.entry("target").or_insert_with(|| Group::about(why)).count(record);
            return;
        };
        let (key, now) = (CacheKey::new(target), self.moment(record));
        self.cacheable.add(record.bytes);
        for (_, trial) in &mut self.trials {
            match fate {
                // A 304 says nothing of how large the page is.
                Fate::Cache if record.status == 304 => {
                    let size = trial.size_of(&key).unwrap_or_default().min(self.max_object);
                    let hit = trial.look(&key, now);
                    if !hit {
                        trial.play(&key, size as usize, now);
                    }
                }
                Fate::Cache => {
                    trial.play(&key, record.bytes as usize, now);
                }
                Fate::Look | Fate::App(..) => {
                    trial.look(&key, now);
                }
            }
        }
    }

    /// The time since the first request.
    fn moment(&mut self, record: &Record<'_>) -> Moment {
        let Some(time) = record.time else {
            self.timeless += 1;
            return Moment(self.ended.saturating_sub(self.began.unwrap_or_default()) * 1000);
        };
        let began = *self.began.get_or_insert(time);
        // Lines are written when requests end: times may go back a little.
        self.ended = self.ended.max(time);
        Moment(self.ended.saturating_sub(began) * 1000)
    }

    pub fn end(self) -> Report {
        let size = |(memory, trial): (u64, Trial)| {
            let (usage, answered) = (trial.usage(), trial.answered());
            Size { memory, answered, used: usage.bytes, targets: usage.targets }
        };
        Report {
            all: self.all,
            cacheable: self.cacheable,
            sizes: self.trials.into_iter().map(size).collect(),
            span: Duration::from_secs(self.ended.saturating_sub(self.began.unwrap_or_default())),
            lifetime: self.lifetime,
            timeless: self.timeless,
            is_larders: self.is_larders,
            hits_in_log: self.hits_in_log,
            passed: self.passed,
            changes: self.changes,
            unread: self.unread,
        }
    }
}
