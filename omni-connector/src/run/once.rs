//! Caches look-ups for the duration of a run.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

type Found = Arc<OnceCell<Arc<dyn Any + Send + Sync>>>;

/// The results of look-ups, by type and key.
#[derive(Default)]
pub(super) struct LookedUp(Mutex<HashMap<(TypeId, String), Found>>);

impl LookedUp {
    pub(super) async fn once<T, E>(
        &self,
        key: String,
        look_up: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E>
    where
        T: Clone + Send + Sync + 'static,
    {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry((TypeId::of::<T>(), key)).or_default())
        };
        let mut found = None;
        let kept = cell
            .get_or_try_init(|| async {
                let value = look_up.await?;
                found = Some(value.clone());
                Ok(Arc::new(value) as Arc<dyn Any + Send + Sync>)
            })
            .await?;
        // The type is part of the key.
        let kept = kept.downcast_ref::<T>().cloned();
        Ok(kept
            .or(found)
            .unwrap_or_else(|| unreachable!("the type is part of the key")))
    }
}

impl fmt::Debug for LookedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookedUp")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn concurrent_look_ups_of_a_key_run_once_and_an_error_is_retried() {
        let (looked_up, calls) = (&LookedUp::default(), &AtomicUsize::new(0));
        let ask = |answer: Result<u32, &'static str>| {
            looked_up.once("group".to_owned(), async move {
                calls.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
                answer
            })
        };
        assert_eq!(ask(Err("down")).await, Err("down"));
        let answers = join_all((0..10).map(|n| ask(Ok(n)))).await;
        assert!(
            answers.iter().all(|answer| answer == &answers[0]),
            "{answers:?}"
        );
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        let other = looked_up.once("group".to_owned(), async { Ok::<_, ()>("another type") });
        assert_eq!(other.await, Ok("another type"));
    }
}
