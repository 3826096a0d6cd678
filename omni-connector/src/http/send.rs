//! The retry loop of a call.

use std::time::Duration;

use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until, timeout_at},
};
use tracing::Instrument;

use super::{
    Answer, At, Call, Download, Saved, SourceError,
    api::Shared,
    attempt::{self, Again, Failure, request_id},
    flight::Failed,
    keys::{Key, KeyState},
    pace::Ticket,
    repeat,
    retry::{LONGEST_ASKED, backoff},
    scope::{Budgeted, Scope, Wait},
    tape,
};
use crate::{
    clock,
    redact::are_requests_kept,
    run::{RequestStep, SourceRequest, millis},
    telemetry::SourceCall,
};

/// The requested form of an answer, and its size limit.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReplyForm {
    Answer(u64),
    Download(u64),
    Saved(u64),
}

impl ReplyForm {
    pub(super) const fn limit(self) -> u64 {
        match self {
            Self::Answer(limit) | Self::Download(limit) | Self::Saved(limit) => limit,
        }
    }
}

/// The result of a call.
pub(super) enum Reply {
    Answer(Answer),
    Download(Download),
    Saved(Saved),
}

impl Reply {
    fn status(&self) -> u16 {
        match self {
            Self::Answer(answer) => answer.status().as_u16(),
            Self::Download(_) | Self::Saved(_) => 200,
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Answer(answer) => answer.bytes().len() as u64,
            Self::Download(_) => 0,
            Self::Saved(saved) => saved.len(),
        }
    }
}

/// Makes a call. An unpolled future never blocks other calls. The call stops when the future is dropped or the run is
/// cancelled.
pub(super) async fn send(call: Call, form: ReplyForm) -> Result<(Reply, Made), SourceError> {
    if let Some(problem) = call.problem() {
        return Err(problem);
    }
    let span = tracing::info_span!(
        "source_call",
        operation = call.operation(),
        method = %call.method,
        page = call.page,
        status = tracing::field::Empty,
        attempts = tracing::field::Empty,
        waited_ms = tracing::field::Empty,
        bytes = tracing::field::Empty,
    );
    let carrier = call.api.shared().carrier.clone();
    let work = async move {
        let scope = call.api.scope().clone();
        let began = Instant::now();
        let mut making = Making::new(&call, &scope);
        let outcome = tokio::select! {
            biased;
            () = scope.cancelled() => Err(SourceError::Cancelled),
            outcome = making.make(form) => outcome,
        };
        let span = tracing::Span::current();
        let bytes = outcome.as_ref().map_or(0, Reply::bytes);
        let waited = making.waits.waited;
        span.record("attempts", making.attempts);
        span.record("waited_ms", waited.iter().sum::<Duration>().as_millis());
        span.record("bytes", bytes);
        let label = outcome.as_ref().err().map_or("ok", SourceError::outcome);
        let steps = std::mem::take(&mut making.waits.steps);
        let kept = Kept {
            began,
            steps,
            bytes,
            outcome: label,
        };
        keep(&call, kept, making.answer.take());
        if let Some(metrics) = &scope.metrics {
            metrics.source(&SourceCall {
                operation: &call.operation(),
                outcome: label,
                took: began.elapsed(),
                waited: Wait::ALL.map(|wait| (wait.as_str(), waited[wait as usize])),
                bytes,
                left: call.api.shared().pacer.left(),
            });
        }
        let attempts = making.attempts;
        outcome.map(|reply| (reply, Made { call, attempts }))
    };
    carrier.carry(work.instrument(span)).await
}

/// A call that was made.
pub(super) struct Made {
    call: Call,
    attempts: u32,
}

impl Made {
    /// Returns the location of errors in its answer.
    pub(super) fn at(&self, answer: &Answer) -> Box<At> {
        let mut at = self.call.at(self.attempts);
        at.request_id = request_id(answer.headers());
        at
    }
}

/// Makes a call once more for the development page. Returns its last answer as well.
pub(super) async fn send_again(
    call: &Call,
    form: ReplyForm,
) -> (Result<Reply, SourceError>, Option<Answer>) {
    let scope = call.api.scope().clone();
    let mut making = Making::new(call, &scope);
    let outcome = making.make(form).await;
    (outcome, making.answer)
}

/// How a call went.
struct Kept<'a> {
    began: Instant,
    steps: Vec<RequestStep>,
    bytes: u64,
    outcome: &'a str,
}

/// Keeps a call that has ended in the log of its run, where one is kept.
fn keep(call: &Call, kept: Kept<'_>, answer: Option<Answer>) {
    let scope = call.api.scope();
    let (Some(run), Some(log)) = (&scope.run, scope.requests()) else {
        return;
    };
    let Kept {
        began,
        mut steps,
        bytes,
        outcome,
    } = kept;
    for error in steps.iter_mut().filter_map(|step| step.error.as_mut()) {
        *error = run.without_secrets(error);
    }
    let url = call.url.as_ref().map(ToString::to_string);
    let number = log.note(SourceRequest {
        number: 0,
        operation: run.without_secrets(&call.operation()),
        method: call.method.to_string(),
        url: run.without_secrets(&url.unwrap_or_default()),
        page: call.page,
        walk: call.walk,
        at_ms: log.at(began),
        took_ms: millis(began.elapsed()),
        bytes,
        outcome: outcome.to_owned(),
        steps,
        exchange: answer.and_then(|answer| tape::exchange(call, &answer)),
    });
    repeat::keep(log.began_ms(), number, call);
}

/// A call that is being made.
struct Making<'a> {
    call: &'a Call,
    shared: &'a Shared,
    waits: Budgeted<'a>,
    /// Requests that were sent.
    attempts: u32,
    /// Consecutive requests that failed through the source's fault.
    failures: u32,
    /// Whether the credential was renewed for this call.
    renewed: bool,
    /// The last answer that was read.
    answer: Option<Answer>,
}

/// The permits and credential of one attempt.
pub(super) struct Ready {
    /// Released when the answer was read.
    pub(super) slot: OwnedSemaphorePermit,
    pub(super) ticket: Ticket,
    pub(super) key: Key,
}

impl<'a> Making<'a> {
    fn new(call: &'a Call, scope: &'a Scope) -> Self {
        Self {
            waits: Budgeted::new(scope, call.api.patience_left()),
            shared: call.api.shared(),
            attempts: 0,
            failures: 0,
            renewed: false,
            answer: None,
            call,
        }
    }

    async fn make(&mut self, form: ReplyForm) -> Result<Reply, SourceError> {
        self.shared.budget.call(self.shared.made);
        loop {
            let ready = self.ready().await?;
            let key = ready.key.clone();
            self.attempts += 1;
            let began = Instant::now();
            let attempt = attempt::attempt(self.call, self.attempts, ready, form);
            let outcome = attempt.await;
            self.waits.step(began, |step| match &outcome {
                Ok(got) => step.status = Some(got.status()),
                Err(failure) => {
                    step.status = failure.status.map(|status| status.as_u16());
                    step.error = Some(failure.error.to_string());
                }
            });
            let mut failure = match outcome {
                Ok(got) => {
                    self.answer = match &got {
                        Reply::Answer(answer) if are_requests_kept() => Some(answer.clone()),
                        _ => None,
                    };
                    return Ok(got);
                }
                Err(failure) => failure,
            };
            self.answer = failure.answer.take().map(|answer| *answer);
            tracing::debug!(error = %failure.error, "the source did not do it");
            self.prepare_another(failure, &key).await?;
        }
    }

    fn at(&self) -> Box<At> {
        self.call.at(self.attempts)
    }

    fn busy(&self, retry_after: Option<Duration>) -> SourceError {
        SourceError::Busy {
            retry_after,
            at: self.at(),
        }
    }

    /// Waits for a slot, for the pace and for a credential.
    async fn ready(&mut self) -> Result<Ready, SourceError> {
        let slots = &self.shared.slots;
        let slot = match slots.clone().try_acquire_owned() {
            Ok(slot) => slot,
            Err(_) => {
                let began = Instant::now();
                let at_once = self.call.api.settings().at_once;
                let said = self.waits.show_wait(
                    Wait::Slot,
                    &format!("{at_once} calls to the source are under way"),
                );
                let slot = timeout_at(self.waits.ends(), slots.clone().acquire_owned()).await;
                drop(said);
                self.waits.waited(Wait::Slot, began);
                // The semaphore is never closed.
                let slot = slot.ok().and_then(Result::ok);
                slot.ok_or_else(|| self.busy(self.shared.pacer.known_wait()))?
            }
        };
        let key = self.key().await?;
        let costs: Vec<u32> = self
            .call
            .api
            .settings()
            .quotas
            .iter()
            .map(|quota| quota.weight.map_or(1, |weight| weight(self.call)))
            .collect();
        let ticket = self.shared.pacer.admit(&costs, &mut self.waits).await;
        let ticket = ticket.map_err(|retry_after| self.busy(retry_after))?;
        Ok(Ready { slot, ticket, key })
    }

    /// Returns the credential for the next attempt, renewed first if it expires soon.
    async fn key(&mut self) -> Result<Key, SourceError> {
        let account = self.call.api.scope().account.as_ref();
        // Do not loop when a renewal yields a stale credential.
        for _ in 0..2 {
            let taken = self.shared.keys.take(account);
            match taken.map_err(|failed| self.refused(failed))? {
                KeyState::Key(key) => return Ok(key),
                KeyState::Stale(seen) => drop(self.renew(seen).await?),
            }
        }
        let why = "a token that was just made is about to end".to_owned();
        Err(self.refused(Failed::Other(why)))
    }

    /// Renews the credential. Returns false if it cannot be renewed.
    async fn renew(&mut self, seen: u64) -> Result<bool, SourceError> {
        let began = Instant::now();
        let account = self.call.api.scope().account.as_ref();
        let said = self
            .waits
            .show_wait(Wait::Credential, "a new credential is on its way");
        let renewing = self.shared.keys.renew(account, seen);
        let renewed = timeout_at(self.waits.ends(), renewing).await;
        drop(said);
        self.waits.waited(Wait::Credential, began);
        match renewed {
            Ok(renewed) => renewed.map_err(|failed| self.refused(failed)),
            Err(_) => Err(self.busy(None)),
        }
    }

    fn refused(&self, failed: Failed) -> SourceError {
        match failed {
            Failed::Source(error) => error,
            Failed::Other(message) => SourceError::Unauthorized {
                setting: None,
                message: super::answer::short(&message),
                at: self.at(),
            },
        }
    }

    /// Waits until a retry makes sense; otherwise returns the error.
    async fn prepare_another(&mut self, failure: Failure, key: &Key) -> Result<(), SourceError> {
        let Failure {
            error,
            again,
            asked,
            status: _,
            answer: _,
        } = failure;
        let may_repeat = match again {
            Again::Never => false,
            Again::IfRepeatable => self.call.is_repeatable,
            Again::Unheard | Again::Busy | Again::WithNewKey => true,
        };
        if !may_repeat {
            return Err(error);
        }
        if again == Again::Busy {
            // All calls wait for the pause, including this one while it waits for its turn.
            let pause = asked.map_or_else(|| backoff(self.failures + 1), clock::pause);
            self.shared.pacer.close(pause.min(LONGEST_ASKED));
        }
        if matches!(self.call.body, super::call::Body::Once(_)) {
            let error = match again {
                Again::Busy => self.busy(asked),
                _ => error,
            };
            return Err(error.giving_up("its body can be sent only once"));
        }
        match again {
            Again::WithNewKey => {
                if self.renewed {
                    return Err(error);
                }
                self.renewed = true;
                // The source refuses the same credential again.
                let is_renewed =
                    self.renew(key.seen).await? && !self.key().await?.auth.is_same(&key.auth);
                return if is_renewed { Ok(()) } else { Err(error) };
            }
            Again::Busy => {
                self.failures += 1;
                return Ok(());
            }
            Again::Never | Again::IfRepeatable | Again::Unheard => {}
        }
        self.failures += 1;
        let asked_pause = clock::pause(asked.unwrap_or_default().min(LONGEST_ASKED));
        let pause = backoff(self.failures).max(asked_pause);
        if pause > self.waits.left() {
            if asked.is_some() {
                return Err(self.busy(asked));
            }
            return Err(error.giving_up("no time is left for another attempt"));
        }
        if !self.shared.budget.retry(self.shared.made) {
            return Err(error.giving_up("the retry budget of the source is spent"));
        }
        let began = Instant::now();
        let text = format!("the source failed and is asked again: {error}");
        let said = self.waits.show_wait(Wait::Retry, &text);
        sleep_until(began + pause).await;
        drop(said);
        self.waits.waited(Wait::Retry, began);
        Ok(())
    }
}
