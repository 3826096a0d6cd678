use super::*;
use crate::http::{Reset, Scope};

fn pacer(quotas: &[Quota]) -> Arc<Pacer> {
    Arc::new(Pacer::new(quotas))
}

async fn admit(pacer: &Arc<Pacer>, patience: Duration) -> Result<Ticket, Option<Duration>> {
    let scope = Scope::default();
    pacer
        .admit(&[1, 1], &mut Budgeted::new(&scope, patience))
        .await
}

const LONG: Duration = Duration::from_hours(2);

/// Lets tasks call a source that takes 50 ms. Returns when the source counted each call.
async fn calls(pacer: &Arc<Pacer>, tasks: u32, time: Duration) -> Vec<Instant> {
    let counted = Arc::new(Mutex::new(Vec::new()));
    let end = Instant::now() + time;
    let mut working = tokio::task::JoinSet::new();
    for task in 0..tasks {
        let (pacer, counted) = (Arc::clone(pacer), Arc::clone(&counted));
        working.spawn(async move {
            while let Ok(ticket) = admit(&pacer, LONG).await {
                // The source counts a call at some time between its start and its answer.
                let before = u64::from(task % 50);
                tokio::time::sleep(Duration::from_millis(before)).await;
                if Instant::now() >= end {
                    return;
                }
                counted.lock().unwrap().push(Instant::now());
                tokio::time::sleep(Duration::from_millis(50 - before)).await;
                ticket.answered(true, &[]);
            }
        });
    }
    working.join_all().await;
    let mut counted = counted.lock().unwrap().clone();
    counted.sort();
    counted
}

#[tokio::test(start_paused = true)]
async fn sixty_four_tasks_use_a_quota_and_never_exceed_it_in_any_window() {
    let pacer = pacer(&[Quota::per_minute(300)]);
    let counted = calls(&pacer, 64, Duration::from_mins(10)).await;
    let minute = Duration::from_mins(1);
    for (index, at) in counted.iter().enumerate() {
        let in_window = counted[index..]
            .iter()
            .take_while(|later| **later - *at < minute)
            .count();
        assert!(in_window <= 300, "{in_window} calls in a minute");
    }
    let allowed = 300 * 10;
    assert!(
        counted.len() * 100 >= allowed * 95,
        "{} of {allowed}",
        counted.len()
    );
}

#[tokio::test(start_paused = true)]
async fn several_quotas_hold_at_once() {
    let pacer = pacer(&[Quota::per_second(10), Quota::per_minute(100)]);
    let counted = calls(&pacer, 8, Duration::from_mins(3)).await;
    for (per, limit) in [(1, 10), (60, 100)] {
        let per = Duration::from_secs(per);
        let windows = counted.iter().enumerate().map(|(index, at)| {
            counted[index..]
                .iter()
                .take_while(|later| **later - *at < per)
                .count()
        });
        assert!(windows.max() <= Some(limit), "more than {limit} in {per:?}");
    }
    assert!(counted.len() >= 285, "{}", counted.len());
}

#[tokio::test(start_paused = true)]
async fn a_pause_blocks_all_calls_and_ends_with_one_call() {
    let pacer = pacer(&[]);
    pacer.close(Duration::from_secs(30));
    let began = Instant::now();
    let first = admit(&pacer, LONG).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(30));
    let second = tokio::time::timeout(Duration::from_mins(10), admit(&pacer, LONG)).await;
    assert!(
        second.is_err(),
        "the second goes when the first was answered"
    );
    first.answered(true, &[]);
    for _ in 0..9 {
        admit(&pacer, LONG).await.unwrap().answered(true, &[]);
    }
    let (one, other) = tokio::join!(admit(&pacer, LONG), admit(&pacer, LONG));
    assert!(
        one.is_ok() && other.is_ok(),
        "after ten good ones they go side by side"
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_cannot_wait_that_long_gets_the_length_of_the_wait() {
    let pacer = pacer(&[]);
    pacer.close(Duration::from_secs(42));
    let refused = admit(&pacer, Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(refused, Some(Duration::from_secs(42)));
}

#[tokio::test(start_paused = true)]
async fn calls_that_the_source_may_not_have_counted_yet_count() {
    let quota = Quota::per_hour(10_000)
        .remaining("x-left")
        .reset(Reset::Seconds("x-reset"));
    let pacer = pacer(&[quota]);
    let soon = Duration::from_millis(10);
    let (one, two) = (
        admit(&pacer, soon).await.unwrap(),
        admit(&pacer, soon).await.unwrap(),
    );
    let left = |calls| {
        Some(Left {
            calls,
            resets_in: Some(Duration::from_secs(30)),
        })
    };
    // The number in the first answer may not include the second call.
    one.answered(true, &[left(2)]);
    let three = admit(&pacer, soon).await.unwrap();
    assert!(admit(&pacer, soon).await.is_err());
    two.answered(true, &[left(1)]);
    assert!(admit(&pacer, soon).await.is_err());
    three.answered(true, &[left(0)]);
    let began = Instant::now();
    admit(&pacer, LONG).await.unwrap();
    assert!(
        began.elapsed() >= Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_quota_the_pace_is_halved_by_a_refusal_and_grows_again() {
    let pacer = pacer(&[]);
    for _ in 0..100 {
        admit(&pacer, LONG).await.unwrap().answered(true, &[]);
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    pacer.close(Duration::from_secs(1));
    let counted = calls(&pacer, 4, Duration::from_secs(62)).await;
    let within = |from: u64, to: u64| {
        let since = counted[0];
        let is_in = |at: &&Instant| (from..to).contains(&(**at - since).as_secs());
        counted.iter().filter(is_in).count()
    };
    let (first, last) = (within(2, 12), within(50, 60));
    assert!(
        (50..=75).contains(&first),
        "half of ten a second at first: {first}"
    );
    assert!(last > first * 2, "and more with time: {last}");
}
