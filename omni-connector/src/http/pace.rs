//! Limits the call rate of one account: quotas, pauses that the source requests, and a learned pace where
//! no quota is known.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turn, Notify},
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Quota,
    quota::Left,
    scope::{Budgeted, Wait},
};

/// Successful answers after a pause before calls run concurrently again.
const GOOD_ENOUGH: u32 = 10;
/// A call that arrives at the very end of a window might be counted in it.
const MARGIN: Duration = Duration::from_millis(2);
/// How often the message about a wait is updated.
const TICK: Duration = Duration::from_secs(1);

/// The pace of one account, which all its runs and actions share.
#[derive(Debug)]
pub(super) struct Pacer {
    pace: Mutex<Pace>,
    /// The lock for the next call; other calls queue for it.
    turn: Turn<()>,
    changed: Notify,
}

/// Why a call must wait, and until when if known.
#[derive(Debug, Clone, PartialEq)]
struct NotYet {
    until: Option<Instant>,
    why: String,
}

#[derive(Debug)]
struct Pace {
    next: u64,
    /// Unanswered calls: their number and their cost.
    flying: BTreeMap<u64, u32>,
    windows: Vec<Window>,
    /// The source's latest report on each declared quota and on an undeclared one.
    said: Vec<Option<Reported>>,
    closed_until: Option<Instant>,
    /// When the next call stops waiting, if it waits and the time is known.
    head_waits_until: Option<Instant>,
    /// Successful answers still needed before calls run concurrently again.
    missing: u32,
    learned: Option<Learned>,
    /// Calls since `counted_from`, to compute the pace at which the source refused.
    counted: u32,
    counted_from: Instant,
}

/// A quota, and when its calls were answered. A source counts a call at the latest when it answers.
#[derive(Debug)]
struct Window {
    limit: u32,
    per: Duration,
    words: String,
    log: VecDeque<Entry>,
    used: u32,
}

/// Calls that were answered close together: a log of a million calls a day stays small.
#[derive(Debug)]
struct Entry {
    first: Instant,
    last: Instant,
    cost: u32,
}

/// The source's report on a quota: how much was left when call `number` was answered.
#[derive(Debug, Clone, Copy)]
struct Reported {
    left: u64,
    until: Instant,
    number: u64,
}

/// A learned pace: halved by each refusal, then increased every second.
#[derive(Debug)]
struct Learned {
    per_second: f64,
    step: f64,
    since: Instant,
    next: Instant,
}

/// Permission to send a call. If dropped without an answer, the call counts as sent.
#[derive(Debug)]
pub(super) struct Ticket {
    pacer: Arc<Pacer>,
    number: u64,
}

impl Pacer {
    pub(super) fn new(quotas: &[Quota]) -> Self {
        let window = |quota: &Quota| Window {
            limit: quota.limit,
            per: quota.per,
            words: quota.words(),
            log: VecDeque::new(),
            used: 0,
        };
        Self {
            pace: Mutex::new(Pace {
                next: 0,
                flying: BTreeMap::new(),
                windows: quotas.iter().map(window).collect(),
                said: vec![None; quotas.len() + 1],
                closed_until: None,
                head_waits_until: None,
                missing: 0,
                learned: None,
                counted: 0,
                counted_from: Instant::now(),
            }),
            turn: Turn::new(()),
            changed: Notify::new(),
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a call that costs this much of each quota may be sent.
    ///
    /// # Errors
    /// Returns the length of the wait, if known, when it exceeds the patience of the call.
    pub(super) async fn admit(
        self: &Arc<Self>,
        costs: &[u32],
        waits: &mut Budgeted<'_>,
    ) -> Result<Ticket, Option<Duration>> {
        let ends = waits.ends();
        let began = Instant::now();
        let turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) => {
                if let Some(wait) = self.known_wait().filter(|wait| began + *wait > ends) {
                    return Err(Some(wait));
                }
                let said = waits.show_wait(Wait::Pace, "other calls go first");
                let turn = timeout_at(ends, self.turn.lock()).await;
                drop(said);
                turn.map_err(|_| self.known_wait())?
            }
        };
        let admitted = self.admit_next(costs, ends, waits).await;
        drop(turn);
        waits.waited(Wait::Pace, began);
        admitted.map(|number| Ticket {
            pacer: Arc::clone(self),
            number,
        })
    }

    async fn admit_next(
        &self,
        costs: &[u32],
        ends: Instant,
        waits: &Budgeted<'_>,
    ) -> Result<u64, Option<Duration>> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let not_yet = {
                let mut pace = self.pace();
                let admitted = pace.admit(costs, Instant::now());
                pace.head_waits_until = admitted.as_ref().err().and_then(|not_yet| not_yet.until);
                match admitted {
                    Ok(number) => return Ok(number),
                    Err(not_yet) => not_yet,
                }
            };
            let now = Instant::now();
            let left = not_yet
                .until
                .map(|until| until.saturating_duration_since(now));
            if ends <= now || not_yet.until.is_some_and(|until| until > ends) {
                return Err(left);
            }
            let text = match left {
                Some(left) => format!("{}, {} s", not_yet.why, super::error::whole_seconds(left)),
                None => not_yet.why,
            };
            let _said = waits.show_wait(Wait::Pace, &text);
            let next = not_yet.until.unwrap_or(ends).min(now + TICK).min(ends);
            tokio::select! {
                () = changed => {}
                () = sleep_until(next) => {}
            }
        }
    }

    /// Returns the minimum wait of every call from now on, as far as known.
    pub(super) fn known_wait(&self) -> Option<Duration> {
        let pace = self.pace();
        let until = pace.closed_until.max(pace.head_waits_until)?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// Returns the remaining calls of the quota with the fewest, as reported by the source.
    pub(super) fn left(&self) -> Option<u64> {
        self.pace()
            .said
            .iter()
            .flatten()
            .map(|said| said.left)
            .min()
    }

    /// Blocks all calls until a time chosen by the source or by us.
    pub(super) fn close(&self, pause: Duration) {
        let mut pace = self.pace();
        pace.close(Instant::now(), pause);
        drop(pace);
        self.changed.notify_waiters();
    }
}

impl Ticket {
    /// Records an answer and its quota report.
    pub(super) fn answered(self, is_good: bool, said: &[Option<Left>]) {
        self.pacer
            .pace()
            .answered(self.number, is_good, said, Instant::now());
        // The following drop finds nothing to do, and wakes the next call.
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut pace = self.pacer.pace();
        if pace.flying.contains_key(&self.number) {
            pace.answered(self.number, false, &[], Instant::now());
        }
        drop(pace);
        self.pacer.changed.notify_waiters();
    }
}

impl Pace {
    fn admit(&mut self, costs: &[u32], now: Instant) -> Result<u64, NotYet> {
        let wait = |until, why: &str| {
            Err(NotYet {
                until,
                why: why.to_owned(),
            })
        };
        if let Some(until) = self.closed_until {
            if now < until {
                return wait(Some(until), "the source asked for a pause");
            }
            self.closed_until = None;
        }
        if self.missing > 0 && !self.flying.is_empty() {
            return wait(
                None,
                "the source asked for a pause before; calls go one by one",
            );
        }
        let flying: u32 = self.flying.values().sum();
        for (window, cost) in self.windows.iter_mut().zip(costs) {
            if let Err(until) = window.admit(*cost, flying, now) {
                return wait(until, &window.words);
            }
        }
        for (index, said) in self.said.iter_mut().enumerate() {
            let Some(last) = said else { continue };
            if last.until <= now {
                *said = None;
                continue;
            }
            // Calls that were not answered before the source counted may not be in its number.
            let uncounted = self.next - last.number;
            let before = self.flying.range(..last.number).count() as u64;
            if last.left <= uncounted + before {
                let words = self.windows.get(index).map(|window| window.words.as_str());
                let (until, why) = (Some(last.until), words.unwrap_or("the quota is used up"));
                return wait(if self.flying.is_empty() { until } else { None }, why);
            }
        }
        if let Some(learned) = &mut self.learned {
            let next = learned.next;
            if now < next {
                return wait(Some(next), "the source has set the pace");
            }
            learned.sent(now);
        }
        self.next += 1;
        self.counted += 1;
        let cost = costs.iter().copied().max().unwrap_or(1);
        self.flying.insert(self.next, cost);
        Ok(self.next)
    }

    fn answered(&mut self, number: u64, is_good: bool, said: &[Option<Left>], now: Instant) {
        let Some(cost) = self.flying.remove(&number) else {
            return;
        };
        for window in &mut self.windows {
            window.count(cost.min(window.limit), now);
        }
        if is_good {
            self.missing = self.missing.saturating_sub(1);
        }
        for (last, left) in self.said.iter_mut().zip(said) {
            // An overtaken answer reports an earlier state.
            let is_news = last.is_none_or(|last| last.number < number);
            if let (Some(left), true) = (left, is_news)
                && let Some(resets_in) = left.resets_in
            {
                let until = now + resets_in.min(super::retry::LONGEST_ASKED) + MARGIN;
                *last = Some(Reported {
                    left: left.calls,
                    until,
                    number,
                });
            }
        }
    }

    fn close(&mut self, now: Instant, pause: Duration) {
        let is_open = self.closed_until.is_none_or(|until| until <= now);
        let until = now + pause;
        self.closed_until = Some(self.closed_until.map_or(until, |last| last.max(until)));
        self.missing = GOOD_ENOUGH;
        let knows_a_quota = !self.windows.is_empty() || self.said.iter().any(Option::is_some);
        if knows_a_quota || !is_open {
            // Calls in flight at the first refusal give no new information.
            return;
        }
        let observed = f64::from(self.counted) / (now - self.counted_from).as_secs_f64().max(0.1);
        let pace = match &self.learned {
            Some(learned) => learned.at(now).min(observed.max(0.01)),
            None => observed,
        };
        self.learned = Some(Learned {
            per_second: (pace / 2.0).max(0.01),
            step: pace / 40.0,
            since: until,
            next: until,
        });
        (self.counted, self.counted_from) = (0, until);
    }
}

impl Window {
    /// Returns whether a call of this cost fits now. If not, returns when it will, unless that depends on calls in
    /// flight.
    fn admit(&mut self, cost: u32, flying: u32, now: Instant) -> Result<(), Option<Instant>> {
        while let Some(entry) = self.log.front()
            && entry.last + self.per + MARGIN <= now
        {
            self.used -= entry.cost;
            self.log.pop_front();
        }
        let cost = cost.clamp(1, self.limit);
        let mut surplus = (self.used + flying + cost).saturating_sub(self.limit);
        if surplus == 0 {
            return Ok(());
        }
        for entry in &self.log {
            surplus = surplus.saturating_sub(entry.cost);
            if surplus == 0 {
                return Err(Some(entry.last + self.per + MARGIN));
            }
        }
        Err(None)
    }

    fn count(&mut self, cost: u32, now: Instant) {
        self.used += cost;
        match self.log.back_mut() {
            Some(entry) if now.saturating_duration_since(entry.first) < self.per / 2_000 => {
                entry.last = now;
                entry.cost += cost;
            }
            _ => self.log.push_back(Entry {
                first: now,
                last: now,
                cost,
            }),
        }
    }
}

impl Learned {
    fn at(&self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        self.per_second + self.step * seconds
    }

    fn sent(&mut self, now: Instant) {
        self.next = now + Duration::from_secs_f64(1.0 / self.at(now));
    }
}

#[cfg(test)]
mod tests;
