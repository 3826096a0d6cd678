//! Watches a source for changes: connects, collects changes, and reconnects. A watch never ends before the run.

mod gathered;

use std::{collections::BTreeSet, fmt, pin::pin, sync::Arc, time::Duration};

use anyhow::{Error, Result, anyhow};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::SyncContext;

use gathered::Gathered;

/// A connection that lasted this long was good: it is made again at once.
const STEADY: Duration = Duration::from_secs(5);
/// The pause after a bad connection. Each further pause is twice as long,
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// up to this one.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// A source that is unreachable for this long ends the watch with an error.
const GIVE_UP_AFTER: Duration = Duration::from_mins(15);

/// The settings for watching a source. [`start`](Self::start) begins.
///
/// For every source that reports changes over a connection: notices of the operating system, IMAP's IDLE, web sockets,
/// long polling.
///
/// ```
/// use futures_util::stream;
/// use omni_connector::{News, SyncContext, Watch};
///
/// # async fn look_at_everything() {}
/// # async fn look_at(_: std::collections::BTreeSet<String>) {}
/// # async fn watch(ctx: SyncContext) -> omni_connector::Result<()> {
/// let mut watching = Watch::default().start(&ctx, || async {
///     Ok(stream::iter([Ok(Some("folder/file.md".to_owned()))]))
/// });
/// while let Some(news) = watching.next().await? {
///     match news {
///         News::Connected => look_at_everything().await,
///         News::Changed(keys) => look_at(keys).await,
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    quiet: Duration,
    longest: Duration,
    silence: Option<Duration>,
    many: usize,
}

/// The next change to process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News<K> {
    /// The source was connected, or reconnected. Earlier changes are unknown, so look at everything.
    Connected,
    /// The changed keys, each once.
    Changed(BTreeSet<K>),
}

/// An active watch. Dropping it ends the connection.
pub struct Watching<K> {
    watch: Watch,
    gathered: Arc<Gathered<K>>,
    ctx: SyncContext,
    _task: AbortOnDropHandle<()>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(300),
            longest: Duration::from_secs(3),
            silence: None,
            many: 10_000,
        }
    }
}

impl Watch {
    /// Sets for how long no key may change before changes are returned. The default is 300 ms.
    #[must_use]
    pub const fn quiet(self, quiet: Duration) -> Self {
        Self { quiet, ..self }
    }

    /// Sets the longest time that a change waits while others follow it. The default is 3 s.
    #[must_use]
    pub const fn longest(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Sets after how long a silent connection counts as broken. The limit also applies to making a connection. Without
    /// it there is no limit.
    #[must_use]
    pub const fn silence(self, silence: Duration) -> Self {
        Self {
            silence: Some(silence),
            ..self
        }
    }

    /// Sets how many changes may wait. The default is 10,000. Beyond it, [`News::Connected`] asks to look at
    /// everything.
    #[must_use]
    pub const fn many(self, many: usize) -> Self {
        Self { many, ..self }
    }

    /// Connects, and collects the items of the connection's stream: a changed key, or `None` as a sign of life.
    ///
    /// Reconnects when the stream ends, fails or is silent. Let the stream fail when changes may have been lost.
    /// [`Watching::next`] returns an error if the first connection fails, or if no reconnection succeeds for 15
    /// minutes.
    pub fn start<K, C, F, S>(self, ctx: &SyncContext, connect: C) -> Watching<K>
    where
        K: Ord + Send + 'static,
        C: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<S>> + Send,
        S: Stream<Item = Result<Option<K>>> + Send,
    {
        let gathered = Arc::new(Gathered::default());
        let (run, into) = (ctx.clone(), Arc::clone(&gathered));
        let waiting = move |cause: Option<&str>| {
            run.set_waiting_for(cause.map(|cause| {
                let text = run.clean(&format!("the source to be connected again: {cause}"));
                tracing::warn!("waiting for {text}");
                text
            }));
        };
        let task = tokio::spawn(async move { self.keep_up(connect, &into, waiting).await });
        Watching {
            watch: self,
            gathered,
            ctx: ctx.clone(),
            _task: AbortOnDropHandle::new(task),
        }
    }

    async fn keep_up<K, C, F, S>(
        self,
        mut connect: C,
        into: &Gathered<K>,
        waiting: impl Fn(Option<&str>),
    ) where
        K: Ord,
        C: FnMut() -> F,
        F: Future<Output = Result<S>>,
        S: Stream<Item = Result<Option<K>>>,
    {
        let (mut pause, mut lost_at) = (FIRST_PAUSE, None);
        loop {
            let begun = Instant::now();
            let cause = match self.within(connect()).await.and_then(|outcome| outcome) {
                Ok(stream) => {
                    waiting(None);
                    lost_at = None;
                    into.connected();
                    let connected = Instant::now();
                    let cause = self.listen(stream, into).await;
                    if connected.elapsed() >= STEADY {
                        tracing::debug!("connecting again: {cause:#}");
                        pause = FIRST_PAUSE;
                        lost_at = Some(Instant::now());
                        continue;
                    }
                    cause
                }
                Err(cause) => cause,
            };
            let lost_at = *lost_at.get_or_insert(begun);
            if !into.was_connected() || lost_at.elapsed() >= GIVE_UP_AFTER {
                waiting(None);
                return into.fail(cause.context("the source cannot be watched"));
            }
            waiting(Some(&format!("{cause:#}")));
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Reads the stream until the connection is broken. Returns the cause.
    async fn listen<K: Ord>(
        self,
        stream: impl Stream<Item = Result<Option<K>>>,
        into: &Gathered<K>,
    ) -> Error {
        let mut stream = pin!(stream);
        loop {
            match self.within(stream.next()).await {
                Ok(Some(Ok(Some(key)))) => into.add(key, self.many),
                Ok(Some(Ok(None))) => {}
                Ok(Some(Err(cause))) | Err(cause) => return cause,
                Ok(None) => return anyhow!("the source ended the connection"),
            }
        }
    }

    async fn within<T>(self, work: impl Future<Output = T>) -> Result<T> {
        match self.silence {
            None => Ok(work.await),
            Some(silence) => timeout(silence, work).await.map_err(|_| {
                anyhow!(
                    "the source said nothing for {} seconds",
                    silence.as_secs_f32()
                )
            }),
        }
    }
}

impl<K: Ord> Watching<K> {
    /// Waits for the next changes, until no more arrive for a while. Returns `None` when the run is cancelled. Changes
    /// are collected while the caller works. Dropping the future loses none.
    ///
    /// # Errors
    /// The source cannot be connected.
    pub async fn next(&mut self) -> Result<Option<News<K>>> {
        tokio::select! {
            biased;
            () = self.ctx.cancelled() => Ok(None),
            news = self.gathered.next(self.watch) => news.map(Some),
        }
    }
}

impl<K> fmt::Debug for Watching<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watching")
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use futures_util::stream::{self, BoxStream};

    use super::*;

    const WATCH: Watch = Watch {
        quiet: Duration::from_millis(300),
        longest: Duration::from_secs(3),
        silence: None,
        many: 10,
    };

    type Said = BoxStream<'static, Result<Option<u32>>>;

    /// A source whose connections give these streams. The last one is repeated forever.
    struct Source {
        connects: Arc<AtomicUsize>,
        waits: Arc<Mutex<Vec<Option<String>>>>,
        gathered: Arc<Gathered<u32>>,
        _task: AbortOnDropHandle<()>,
    }

    impl Source {
        fn new(watch: Watch, connections: Vec<Box<dyn Fn() -> Result<Said> + Send>>) -> Self {
            let (connects, waits) = (
                Arc::new(AtomicUsize::new(0)),
                Arc::new(Mutex::new(Vec::new())),
            );
            let gathered = Arc::new(Gathered::default());
            let mut left: VecDeque<_> = connections.into();
            let counted = Arc::clone(&connects);
            let connect = move || {
                counted.fetch_add(1, Ordering::Relaxed);
                let made = left[0]();
                if left.len() > 1 {
                    left.pop_front();
                }
                async { made }
            };
            let (into, texts) = (Arc::clone(&gathered), Arc::clone(&waits));
            let task = tokio::spawn(async move {
                let waiting = |cause: Option<&str>| {
                    texts.lock().unwrap().push(cause.map(str::to_owned));
                };
                watch.keep_up(connect, &into, waiting).await;
            });
            Self {
                connects,
                waits,
                gathered,
                _task: AbortOnDropHandle::new(task),
            }
        }

        async fn next(&self) -> Result<News<u32>> {
            self.gathered.next(WATCH).await
        }
    }

    /// Makes a connection that gives keys, each after a pause in milliseconds, and then is silent.
    fn says(keys: &'static [(u64, u32)]) -> Box<dyn Fn() -> Result<Said> + Send> {
        Box::new(move || {
            let said = stream::iter(keys).then(|(pause, key)| async move {
                sleep(Duration::from_millis(*pause)).await;
                Ok(Some(*key))
            });
            Ok(said.chain(stream::pending()).boxed())
        })
    }

    fn fails() -> Box<dyn Fn() -> Result<Said> + Send> {
        Box::new(|| Err(anyhow!("refused")))
    }

    fn ends() -> Box<dyn Fn() -> Result<Said> + Send> {
        Box::new(|| Ok(stream::empty().boxed()))
    }

    #[tokio::test(start_paused = true)]
    async fn each_change_is_returned_once_after_a_quiet_time_and_after_connecting() {
        let source = Source::new(
            WATCH,
            vec![says(&[(10, 1), (100, 2), (200, 1), (1_000, 3)])],
        );
        assert_eq!(source.next().await.unwrap(), News::Connected);
        assert_eq!(source.next().await.unwrap(), News::Changed([1, 2].into()));
        assert_eq!(source.next().await.unwrap(), News::Changed([3].into()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_change_waits_no_longer_than_its_limit() {
        const ENDLESS: [(u64, u32); 200] = [(100, 7); 200];
        let source = Source::new(WATCH, vec![says(&ENDLESS)]);
        assert_eq!(source.next().await.unwrap(), News::Connected);
        let begun = Instant::now();
        assert_eq!(source.next().await.unwrap(), News::Changed([7].into()));
        assert_eq!(begun.elapsed(), Duration::from_millis(3_100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_aged_while_the_caller_worked_is_returned_at_once() {
        let source = Source::new(WATCH, vec![says(&[(10, 1)])]);
        assert_eq!(source.next().await.unwrap(), News::Connected);
        sleep(Duration::from_mins(1)).await;
        let begun = Instant::now();
        assert_eq!(source.next().await.unwrap(), News::Changed([1].into()));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_connection_is_retried_with_growing_pauses_and_reported() {
        let source = Source::new(WATCH, vec![ends(), fails(), fails(), says(&[(10, 5)])]);
        assert_eq!(source.next().await.unwrap(), News::Connected);
        let begun = Instant::now();
        assert_eq!(source.next().await.unwrap(), News::Connected);
        assert_eq!(begun.elapsed(), Duration::from_secs(1 + 2 + 4));
        assert_eq!(source.next().await.unwrap(), News::Changed([5].into()));
        let waits = source.waits.lock().unwrap().clone();
        let ended = Some("the source ended the connection".to_owned());
        let refused = Some("refused".to_owned());
        assert_eq!(waits, [None, ended, refused.clone(), refused, None]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_broken_and_a_sign_of_life_keeps_it() {
        let watch = WATCH.silence(Duration::from_secs(30));
        let alive: Box<dyn Fn() -> Result<Said> + Send> = Box::new(|| {
            let alive = stream::iter(0..5).then(|_| async {
                sleep(Duration::from_secs(20)).await;
                Ok(None)
            });
            Ok(alive.chain(stream::pending()).boxed())
        });
        let source = Source::new(watch, vec![alive, says(&[])]);
        assert_eq!(source.next().await.unwrap(), News::Connected);
        let begun = Instant::now();
        assert_eq!(source.next().await.unwrap(), News::Connected);
        assert_eq!(begun.elapsed(), Duration::from_secs(5 * 20 + 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_first_connection_is_an_error_at_once() {
        let source = Source::new(WATCH, vec![fails()]);
        let error = source.next().await.unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "the source cannot be watched: refused"
        );
        assert_eq!(source.connects.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_unreachable_for_15_minutes_is_an_error() {
        let source = Source::new(WATCH, vec![ends(), fails()]);
        assert_eq!(source.next().await.unwrap(), News::Connected);
        let begun = Instant::now();
        assert!(source.next().await.is_err());
        let waited = begun.elapsed();
        assert!(
            waited >= GIVE_UP_AFTER && waited <= GIVE_UP_AFTER + LONGEST_PAUSE,
            "{waited:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_changes_are_reported_as_connected() {
        const MANY: [(u64, u32); 11] = [
            (1, 0),
            (1, 1),
            (1, 2),
            (1, 3),
            (1, 4),
            (1, 5),
            (1, 6),
            (1, 7),
            (1, 8),
            (1, 9),
            (1, 10),
        ];
        let source = Source::new(WATCH, vec![says(&MANY)]);
        assert_eq!(source.next().await.unwrap(), News::Connected);
        assert_eq!(source.next().await.unwrap(), News::Connected);
    }
}
