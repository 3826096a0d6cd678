//! How quickly documents came during a run, from the times when its pane was asked for.

use std::{collections::VecDeque, fmt::Write, time::Duration};

use maud::{Markup, html};
use tokio::time::Instant;

/// The shortest time between two samples.
const APART: Duration = Duration::from_millis(500);
/// The latest samples that are kept.
const KEPT: usize = 60;
/// The height of the line.
const HEIGHT: f64 = 24.0;

/// The number of documents of one run at several times.
#[derive(Debug, Default)]
pub(super) struct Samples {
    run: String,
    taken: VecDeque<(Instant, u64)>,
}

impl Samples {
    /// Takes a sample, and returns the documents a second between each two.
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    pub(super) fn take(&mut self, run: &str, documents: u64, now: Instant) -> Vec<f64> {
        if self.run != run {
            run.clone_into(&mut self.run);
            self.taken.clear();
        }
        let last = self.taken.back();
        if last.is_none_or(|(at, _)| now.duration_since(*at) >= APART) {
            self.taken.push_back((now, documents));
        }
        if self.taken.len() > KEPT {
            self.taken.pop_front();
        }
        let pairs = self.taken.iter().zip(self.taken.iter().skip(1));
        pairs
            .map(|((from, before), (to, after))| {
                let seconds = to.duration_since(*from).as_secs_f64();
                after.saturating_sub(*before) as f64 / seconds
            })
            .collect()
    }
}

/// Renders the rates as a line whose top is the highest of them.
pub(super) fn line(rates: &[f64]) -> Markup {
    let most = rates.iter().copied().fold(0.0, f64::max);
    let mut points = String::new();
    for (index, rate) in rates.iter().enumerate() {
        let y = HEIGHT - rate / most.max(1.0) * HEIGHT;
        let _ = write!(points, "{index},{y:.1} ");
    }
    html! {
        @if rates.len() > 1 {
            p.rate {
                svg.line viewBox={ "0 0 " (rates.len() - 1) " " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true" { polyline points=(points.trim_end()) vector-effect="non-scaling-stroke" {} }
                span.quiet { " " (format!("{:.0}", rates.last().copied().unwrap_or_default())) " documents a second now, at most " (format!("{most:.0}")) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_between_two_samples_of_one_run() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut samples = Samples::default();
        assert!(samples.take("R1", 0, at(0)).is_empty());
        assert!(samples.take("R1", 7, at(10)).is_empty(), "too early to say");
        assert_eq!(samples.take("R1", 50, at(1_000)), [50.0]);
        assert_eq!(samples.take("R1", 50, at(3_000)), [50.0, 0.0]);
        assert!(samples.take("R2", 9, at(4_000)).is_empty(), "another run");
        for second in 5..200 {
            samples.take("R2", 9, at(second * 1_000));
        }
        assert_eq!(samples.take("R2", 9, at(200_000)).len(), KEPT - 1);
        let line = line(&[50.0, 0.0]).into_string();
        assert!(line.contains("points=\"0,0.0 1,24.0\""), "{line}");
    }
}
