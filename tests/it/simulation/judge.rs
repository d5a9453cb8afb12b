//! What a proxy must not do, whatever happens around it.

use super::client::Outcome;
use super::site::{Keeping, MAX_OBJECT, Rules};
use super::world::{Exchange, When, World};

/// `stale_when_down`, in seconds.
pub const WHEN_DOWN: u64 = 20;
/// `soft_purge_window`, in seconds.
pub const SOFT_WINDOW: u64 = 5;
/// Timers count whole milliseconds, here and there.
const SLACK: u64 = 3;
/// Requests that were let go alone reach the origin within this, in
/// milliseconds; so do those that joined before a purge.
const TOGETHER: u64 = 100;
/// How long after its return it may not have been noticed that the origin is
/// back, in milliseconds.
const NOTICED: u64 = 1_000;
/// `uncacheable_ttl`, in seconds.
pub const UNCACHEABLE: u64 = 5;
/// `origin.hold`, in milliseconds.
pub const HOLD: u64 = 5_000;

/// Nothing, or what is wrong.
type Judged = Result<(), String>;

fn hold(holds: bool, what: impl FnOnce() -> String) -> Judged {
    if holds { Ok(()) } else { Err(what()) }
}

impl World {
    /// Judges what a client was given.
    pub fn judge(&mut self, outcome: &Outcome) {
        let status = outcome.status();
        let cache_status = outcome.field("cache-status").to_string();
        let brought = outcome.number("x-serial");
        self.note(&format!(
            "client {}: {status} by {brought:?}, {cache_status}, {} bytes, whole: {}",
            outcome.ask.number,
            outcome.body.len(),
            outcome.complete
        ));
        let known = brought.filter(|serial| *serial < self.exchanges.len());
        if let Some(serial) = known {
            self.exchanges[serial].given += 1;
        }
        self.count(&word(status, &cache_status));
        if status > 0 && !outcome.complete {
            self.count("broken off");
        }
        let judged = match known {
            Some(serial) => self.judge_brought(outcome, serial),
            None => self.judge_own(outcome, status),
        };
        if let Err(what) = judged {
            self.blame(format!("client {}: {what}", outcome.ask.number));
        }
        if outcome.ask.method == "POST" && status == 204 {
            self.purge_is_answered(outcome);
        }
    }

    /// From now on, whoever asks is after the POST.
    fn purge_is_answered(&mut self, outcome: &Outcome) {
        let Some(sent) = outcome.number("x-serial").and_then(|s| self.exchanges[s].head) else {
            return;
        };
        let now = self.now();
        for purge in self.purges.iter_mut().filter(|purge| purge.sent == sent) {
            purge.answered = Some(now);
        }
    }

    /// An answer of the proxy's own: there has to be a reason.
    fn judge_own(&self, outcome: &Outcome, status: u16) -> Judged {
        let troubled = self.was_trouble(outcome.asked, outcome.ask.page);
        match status {
            504 if outcome.ask.only_if_cached => Ok(()),
            0 | 502..=504 => hold(troubled, || format!("{status} without a reason")),
            _ => Err(format!("{status}, and not by the origin")),
        }
    }

    /// Whether the origin did anything wrong for this page, or was away, since
    /// then.
    fn was_trouble(&self, since: When, page: usize) -> bool {
        // What was over just before may not have been noticed.
        let after =
            |when: Option<When>| when.is_none_or(|when| when.millis + SLACK >= since.millis);
        // Who joins a fetch that is being held shares what comes of it.
        let noticed = |to: When| to.millis + NOTICED >= since.millis;
        let faulty = |x: &Exchange| x.faulty && x.edition.page == page && after(x.ended);
        self.exchanges.iter().any(faulty)
            || self.away.iter().any(|(_, to)| to.is_none_or(noticed))
            || self.full.is_some_and(|full| after(Some(full)))
    }

    /// An answer that an exchange with the origin has brought.
    fn judge_brought(&self, outcome: &Outcome, serial: usize) -> Judged {
        let (ask, exchange) = (&outcome.ask, &self.exchanges[serial]);
        let born = outcome.number("x-born").map_or(exchange, |born| &self.exchanges[born]);
        hold(exchange.edition.page == ask.page, || format!("another page, of {serial}"))?;
        if exchange.status >= 500 || ask.method == "POST" {
            let own = exchange.began > outcome.asked || exchange.ended > Some(outcome.asked);
            return hold(own, || format!("the error {serial} was kept"));
        }
        let whole = self.pages[ask.page].edition(ask.page, ask.language, &ask.who, &ask.query);
        let edition = &exchange.edition;
        hold(edition.who == whole.who || edition.who == "-", || {
            format!("{serial} was made for {:?}", edition.who)
        })?;
        hold(edition.language == whole.language, || format!("{serial} is {}", edition.language))?;
        hold(edition.query == whole.query, || format!("{serial} is about {}", edition.query))?;
        self.judge_body(outcome, exchange)?;
        self.judge_time(outcome, exchange, serial)?;
        self.judge_age(outcome, exchange, serial)?;
        self.judge_purges(outcome, exchange, born)
    }

    /// A body is the whole of one version, or the part that it says; or its
    /// connection breaks.
    fn judge_body(&self, outcome: &Outcome, exchange: &Exchange) -> Judged {
        let status = outcome.status();
        let whole = exchange.edition.body();
        let expected = match (status, exchange.status) {
            (200, 200 | 206 | 304) | (404, 404) => &whole[..],
            (404, 304) if exchange.edition.gone => &whole[..],
            (206, 200 | 206 | 304) => {
                let place = outcome.field("content-range");
                part(&whole, place).ok_or_else(|| format!("no such part: {place}"))?
            }
            (304, _) => {
                let known = outcome.ask.if_none_match.as_deref();
                let unasked = exchange.faulty && exchange.status == 304 && known.is_some();
                let same = known == Some(exchange.edition.etag().as_str());
                return hold(same || unasked, || format!("304 about {}", exchange.edition.etag()));
            }
            (416, _) => return Ok(()),
            (_, given) => return Err(format!("{status}, but the origin said {given}")),
        };
        let body = &outcome.body[..];
        let head_only = outcome.ask.method == "HEAD";
        hold(expected.starts_with(body), || {
            let says = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            format!("another body than v{}: {says}", exchange.edition.version)
        })?;
        if outcome.complete {
            return hold(head_only || body.len() == expected.len(), || {
                format!("{} bytes of {}, as if whole", body.len(), expected.len())
            });
        }
        let troubled = self.was_trouble(outcome.asked, outcome.ask.page);
        hold(troubled, || "broken off without a reason".into())
    }

    /// What comes from the store has to be storable, and new enough.
    fn judge_time(&self, outcome: &Outcome, exchange: &Exchange, serial: usize) -> Judged {
        let rules = &exchange.rules;
        let asked = outcome.asked;
        if !rules.storable() {
            return hold(exchange.given <= 1, || format!("{serial} may answer only once"));
        }
        if exchange.began > asked {
            return Ok(());
        }
        hold(exchange.method != "POST", || "the answer to a POST".into())?;
        let said = detail(outcome.field("cache-status"));
        let softened = self.softened(exchange, asked);
        if exchange.head.is_some_and(|head| head > asked) {
            // It was under way already: others may share it if it is fresh.
            let may = !rules.never_fresh() && softened.is_none() || window(rules, said)? > 0;
            return hold(may, || format!("shared, and not fresh: {serial}"));
        }
        let fresh_until = exchange.began.millis + rules.max_age * 1000;
        let stale_since = match softened {
            Some(soft) => fresh_until.min(soft.millis),
            None => fresh_until,
        };
        let fresh_until = if rules.no_cache { 0 } else { stale_since };
        let window = window(rules, said)?;
        hold(asked.millis < fresh_until + window * 1000 + SLACK, || {
            format!("{serial} was fresh until {fresh_until} ms, and {window} s for {said:?}")
        })
    }

    /// An answer from the store says how old it is (RFC 9111 section 5.1).
    fn judge_age(&self, outcome: &Outcome, exchange: &Exchange, serial: usize) -> Judged {
        let Some(age) = outcome.number("age") else {
            let hit = outcome.field("cache-status").contains("; hit");
            return hold(!hit, || format!("{serial} is from the store, and of no age"));
        };
        let seconds = |from: u64, to: When| to.millis.saturating_sub(from) / 1000;
        let least = exchange.head.map_or(0, |head| seconds(head.millis, outcome.asked));
        let most = seconds(self.left(exchange), outcome.came) + 1;
        hold((least..=most).contains(&(age as u64)), || {
            format!("{serial} is {least} to {most} s old, not {age}")
        })
    }

    /// The first soft purge that has met what an exchange brought, and was
    /// answered before somebody asked.
    fn softened(&self, exchange: &Exchange, asked: When) -> Option<When> {
        let met = |purge: &&super::world::Purge| {
            purge.soft
                && purge.sent > exchange.began
                && purge.answered.is_some_and(|answered| answered < asked)
                && self.meets(purge, exchange)
        };
        self.purges.iter().filter(met).filter_map(|purge| purge.answered).min()
    }

    /// What was purged is not given to anyone who asks afterwards.
    fn judge_purges(&self, outcome: &Outcome, exchange: &Exchange, born: &Exchange) -> Judged {
        for purge in self.purges.iter().filter(|purge| !purge.soft) {
            let over = purge.answered.is_some_and(|answered| answered < outcome.asked);
            let older = born.began < purge.sent || exchange.began < purge.sent;
            hold(!(over && older && self.meets(purge, born)), || {
                format!("v{} was purged: {purge:?}", born.edition.version)
            })?;
        }
        Ok(())
    }

    /// The earliest time that a request may have left for the origin, in
    /// milliseconds: it is held while the origin is away.
    fn left(&self, exchange: &Exchange) -> u64 {
        let began = exchange.began.millis;
        let held = |(_, to): &(When, Option<When>)| to.is_none_or(|to| to.millis + HOLD >= began);
        began.saturating_sub(if self.away.iter().any(held) { HOLD } else { 0 })
    }

    /// At most one fetch of a variant is under way, unless they don't wait for
    /// each other for a reason.
    pub fn one_at_a_time(&mut self, serial: usize) {
        let new = &self.exchanges[serial];
        if !sharable(new) || self.let_go(new) {
            return;
        }
        let other = self.exchanges[..serial].iter().find(|x| {
            x.ended.is_none()
                && sharable(x)
                && x.edition.page == new.edition.page
                && x.edition.query == new.edition.query
                && x.edition.language == new.edition.language
                && !self.purged_since(self.left(x))
                && !self.landed_just_before(x)
        });
        if let Some(other) = other {
            let path = &self.pages[new.edition.page].path;
            let what = format!("two fetches of {path}: {:?} and {:?}", other.began, new.began);
            self.blame(what);
        }
    }

    /// After an error, and after an answer that may not be shared, everybody
    /// goes alone for a while.
    fn let_go(&self, new: &Exchange) -> bool {
        self.exchanges.iter().any(|x| {
            x.edition.page == new.edition.page
                && (x.faulty || x.method != "GET")
                && x.ended.is_none_or(|end| end.millis + UNCACHEABLE * 1000 >= new.began.millis)
        })
    }

    /// Who comes after a purge doesn't wait for what left before it.
    fn purged_since(&self, millis: u64) -> bool {
        let late = |when: When| when.millis + TOGETHER >= millis;
        self.purges.iter().any(|purge| late(purge.sent) || purge.answered.is_none_or(late))
    }

    /// Who finds that what it waited for is not for it may go alone too.
    fn landed_just_before(&self, x: &Exchange) -> bool {
        let just_before = |head: When| head < x.began && head.millis + SLACK >= x.began.millis;
        self.exchanges.iter().any(|y| {
            y.edition.page == x.edition.page && y.method == "GET" && y.head.is_some_and(just_before)
        })
    }
}

/// An answer that all who ask at the same time are to share.
fn sharable(x: &Exchange) -> bool {
    let for_all = x.rules.keeping == Keeping::Everybody && !x.rules.never_fresh();
    x.plain && for_all && x.edition.length as u64 <= MAX_OBJECT
}

/// Which part of a body `Content-Range` says that it is.
fn part<'a>(whole: &'a [u8], place: &str) -> Option<&'a [u8]> {
    let (range, length) = place.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    if length.parse() != Ok(whole.len()) { None } else { whole.get(first..=last) }
}

fn detail(cache_status: &str) -> &str {
    let after = cache_status.split_once("detail=").map_or("", |(_, detail)| detail);
    after.split([';', ',']).next().unwrap_or_default()
}

/// For how many seconds past its freshness a response may be used, for what the
/// proxy says is the reason.
fn window(rules: &Rules, detail: &str) -> Result<u64, String> {
    let strict = rules.must_revalidate || rules.no_cache;
    let down = if rules.s_maxage { 0 } else { WHEN_DOWN };
    let window = match detail {
        "" | "early-refresh" => 0,
        _ if strict => 0,
        "stale-while-revalidate" => rules.revalidate,
        "soft-purge" => rules.revalidate.max(SOFT_WINDOW),
        "stale-if-error" => rules.on_error,
        "stale-if-slow" => down.max(rules.revalidate).max(SOFT_WINDOW),
        "stale-when-down" => rules.on_error.max(down),
        other => return Err(format!("from the store, for {other:?}")),
    };
    Ok(window)
}

/// What happened, in a word.
fn word(status: u16, cache_status: &str) -> String {
    let kind = match cache_status {
        text if text.contains("; hit") => "hit",
        text if text.contains("collapsed") => "collapsed",
        text if text.contains("fwd-status=304") => "validated",
        text if text.contains("stored") => "stored",
        text if text.contains("fwd=partial") => "completed",
        _ => "forwarded",
    };
    format!("{status} {kind} {}", detail(cache_status))
}
