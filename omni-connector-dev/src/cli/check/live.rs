//! A real source, read twice into memory. The client of the connector sends nothing that could change something.

use std::time::{Duration, Instant};

use omni_connector::{RunReport, SyncType};
use serde_json::{Value, json};

use super::{Depth, Line, Verdict, drift};
use crate::{
    cli::{
        Failure, Interrupts,
        running::Running,
        session::{http, source_type},
        taping::recorded,
        target::Program,
    },
    rules::{Progress, Secret},
    store::runs::RunStatus,
    tape::Tape,
};

/// How long one run may take.
const PATIENCE: Duration = Duration::from_hours(2);
/// How many failed items are named.
const NAMED: usize = 5;

/// The source on the command line.
pub(super) struct Asked {
    pub(super) config: Option<Value>,
    pub(super) secret: Option<Secret>,
    pub(super) source_type: Option<String>,
    /// A tape that is compared with the source.
    pub(super) tape: Option<Tape>,
}

fn line(rule: &str, verdict: Verdict, message: impl Into<String>) -> Line {
    Line::new(Depth::Live, rule, verdict, message)
}

/// Starts the connector anew, and reads the source.
pub(super) async fn look(
    program: &Program,
    asked: Asked,
    interrupts: &Interrupts,
) -> Result<Vec<Line>, Failure> {
    let mut program = program.clone();
    program
        .environment
        .push(("OMNI_HTTP_READ_ONLY".to_owned(), "1".to_owned()));
    if asked.tape.is_some() {
        program
            .environment
            .push(("OMNI_HTTP_RECORD".to_owned(), "1".to_owned()));
    }
    let running = Running::start(&program, interrupts).await?;
    let looked = tokio::select! {
        looked = twice(&running, asked) => looked,
        () = interrupts.first() => Err(Failure::interrupted()),
    };
    running.stop(interrupts).await;
    looked
}

async fn twice(running: &Running, asked: Asked) -> Result<Vec<Line>, Failure> {
    let manager = &running.manager;
    let source_type = source_type(&running.manifest, asked.source_type.as_deref())?;
    let config = asked.config.unwrap_or_else(|| json!({}));
    let source = manager.source("check", source_type, config).await?;
    if let Some(secret) = asked.secret {
        let provider = secret.provider.unwrap_or_else(|| source_type.to_owned());
        manager
            .put_credential(
                &source.id,
                None,
                &provider,
                secret.auth_type,
                secret.credentials,
            )
            .await?;
    }
    let mut lines = Vec::new();
    let first = match once(running, &source.id).await? {
        Ok(first) => first,
        Err(refused) => {
            let help = "correct the settings or the credentials";
            lines.push(line("validate", Verdict::Fail, refused).help(help));
            return Ok(lines);
        }
    };
    lines.push(line("validate", Verdict::Ok, "the source is accepted"));
    lines.extend(first.lines("first run"));
    if first.is_completed() {
        match once(running, &source.id).await? {
            Ok(second) => lines.push(second.compared()),
            Err(refused) => lines.push(line("second run", Verdict::Fail, refused)),
        }
    }
    let metrics = metrics(running).await?;
    lines.extend(rights(&metrics, &first.report));
    lines.extend(quota(&metrics));
    if let Some(tape) = &asked.tape {
        lines.extend(drifted(running, tape).await?);
    }
    for doubt in manager.doubts(&source.id).await? {
        let verdict = if doubt.is_serious {
            Verdict::Fail
        } else {
            Verdict::Warn
        };
        lines.push(line("doubts", verdict, doubt.text).at(doubt.topic));
    }
    Ok(lines)
}

/// Compares a tape with what the connector has recorded now.
async fn drifted(running: &Running, tape: &Tape) -> Result<Vec<Line>, Failure> {
    let recorded = recorded(&http()?, &running.manifest.connector_url).await;
    let now =
        recorded.and_then(|text| Tape::parse("now", &text).map_err(|error| error.to_string()));
    Ok(match now {
        Ok(now) => drift::drift(tape, &now),
        Err(why) => vec![line("schema drift", Verdict::LeftOut, why)],
    })
}

/// One full run.
struct Once {
    progress: Progress,
    report: RunReport,
    seconds: f64,
    calls: u64,
}

/// Runs once; the connector's own words when it refuses the source.
async fn once(running: &Running, source_id: &str) -> Result<Result<Once, String>, Failure> {
    let calls_before = calls(running).await?;
    let started = Instant::now();
    let run = match running.manager.sync(source_id, SyncType::Full).await {
        Ok(run) => run,
        Err(refused) => return Ok(Err(refused.to_string())),
    };
    let waited = tokio::time::timeout(PATIENCE, running.manager.wait(&run.id, |_| {})).await;
    let Ok(progress) = waited else {
        let minutes = PATIENCE.as_secs() / 60;
        return Ok(Err(format!("the run did not end within {minutes} minutes")));
    };
    Ok(Ok(Once {
        progress: progress?,
        report: report(running, &run.id).await?,
        seconds: started.elapsed().as_secs_f64(),
        calls: calls(running).await? - calls_before,
    }))
}

async fn report(running: &Running, run: &str) -> Result<RunReport, Failure> {
    let url = format!("{}/sync/{run}/report", running.manifest.connector_url);
    let answer = http()?.get(url).send().await;
    Ok(match answer {
        // Connectors of other SDKs have no report.
        Ok(answer) if answer.status().is_success() => answer.json().await.unwrap_or_default(),
        _ => RunReport::default(),
    })
}

/// Calls to the source so far.
async fn calls(running: &Running) -> Result<u64, Failure> {
    let metrics = metrics(running).await?;
    Ok(counted(&metrics).map(|call| call.count).sum())
}

/// Returns the metrics of the connector; empty if it has none.
async fn metrics(running: &Running) -> Result<String, Failure> {
    let url = format!("{}/metrics", running.manifest.connector_url);
    let Ok(answer) = http()?.get(url).send().await else {
        return Ok(String::new());
    };
    Ok(answer.text().await.unwrap_or_default())
}

/// Calls of one operation with one outcome.
struct Counted<'a> {
    operation: &'a str,
    outcome: &'a str,
    count: u64,
}

fn counted(metrics: &str) -> impl Iterator<Item = Counted<'_>> {
    metrics.lines().filter_map(|line| {
        let line = line.strip_prefix("omni_connector_source_calls_total{")?;
        let (labels, count) = line.rsplit_once("} ")?;
        let label = |name: &str| {
            let (_, value) = labels.split_once(&format!("{name}=\""))?;
            Some(value.split_once('"')?.0)
        };
        Some(Counted {
            operation: label("operation")?,
            outcome: label("outcome")?,
            count: count.parse().ok()?,
        })
    })
}

/// Names the operations that the credential may not call, with the source's own words if a failed item has them. They
/// often name the scope.
fn rights(metrics: &str, report: &RunReport) -> Vec<Line> {
    let refused = counted(metrics).filter(|call| call.outcome == "forbidden");
    let named = refused.map(|call| {
        let operation = call.operation;
        let mut causes = report.failures.iter().map(|failure| &failure.cause);
        let words = causes.find(|cause| cause.contains(&format!("`{operation}`")));
        let message = match words {
            Some(words) => words.clone(),
            None => format!("the source says 403 to `{operation}`"),
        };
        line("rights", Verdict::Warn, message).at(operation).help(
            "grant the credential the scope or the role for it; what it would show stays unknown",
        )
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return vec![line("rights", Verdict::Ok, "no call was refused with 403")];
    }
    named
}

/// Says how many calls the source still accepts, if it says so itself.
fn quota(metrics: &str) -> Option<Line> {
    let mut lines = metrics.lines();
    let left =
        lines.find_map(|line| line.strip_prefix("omni_connector_source_quota_remaining "))?;
    let message = format!("the source says that {left} calls are left after both runs");
    Some(line("quota", Verdict::Ok, message))
}

impl Once {
    fn is_completed(&self) -> bool {
        self.progress.run.status == RunStatus::Completed
    }

    fn lines(&self, rule: &str) -> Vec<Line> {
        let run = &self.progress.run;
        if !self.is_completed() {
            let error = run
                .error_message
                .as_deref()
                .unwrap_or("it did not complete");
            return vec![
                line(rule, Verdict::Fail, error)
                    .help("`cargo omni dev` shows the run with its requests and failures"),
            ];
        }
        let cost = format!(
            "{} documents, {} calls, {:.1} s",
            self.progress.effects.created, self.calls, self.seconds
        );
        let mut lines = vec![line(rule, Verdict::Ok, cost)];
        let failed = &self.report.failures;
        for failure in failed.iter().take(NAMED) {
            lines.push(line("items", Verdict::Fail, &failure.cause).at(&failure.item));
        }
        let more = self.report.failed.saturating_sub(NAMED as u64);
        if more > 0 {
            lines.push(line(
                "items",
                Verdict::Fail,
                format!("{more} more items failed"),
            ));
        }
        if self.progress.effects.refused > 0 {
            let refused = self.progress.effects.refused;
            lines.push(
                line(
                    "events",
                    Verdict::Fail,
                    format!("Omni cannot apply {refused} events"),
                )
                .help("`cargo omni sync` names them"),
            );
        }
        lines
    }

    /// What the second run says, compared with the first.
    fn compared(&self) -> Line {
        let effects = &self.progress.effects;
        let changed = effects.created + effects.updated + effects.deleted;
        if !self.is_completed() {
            let error = self.progress.run.error_message.as_deref();
            return line(
                "second run",
                Verdict::Fail,
                error.unwrap_or("it did not complete"),
            );
        }
        if changed > 0 {
            let message = format!(
                "it changes what the first one brought: {} created, {} updated, {} deleted",
                effects.created, effects.updated, effects.deleted
            );
            return line("second run", Verdict::Fail, message).help(
                "send nothing that differs from run to run, unless the source changed meanwhile",
            );
        }
        let message = format!(
            "it changes nothing; {} calls, {:.1} s",
            self.calls, self.seconds
        );
        line("second run", Verdict::Ok, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_over_all_operations_and_outcomes() {
        let metrics = "# TYPE omni_connector_source_calls_total counter\n\
            omni_connector_source_calls_total{operation=\"GET issues\",outcome=\"ok\"} 3\n\
            omni_connector_source_calls_total{operation=\"GET issues\",outcome=\"busy\"} 1\n\
            omni_connector_runs_total 7\n";
        assert_eq!(counted(metrics).map(|call| call.count).sum::<u64>(), 4);
    }

    #[test]
    fn a_missing_right_is_named_with_the_words_of_the_source_and_the_rest_of_the_quota() {
        let metrics = "omni_connector_source_calls_total{operation=\"GET groups\",outcome=\"forbidden\"} 2\n\
            omni_connector_source_calls_total{operation=\"GET teams\",outcome=\"forbidden\"} 1\n\
            omni_connector_source_calls_total{operation=\"GET issues\",outcome=\"ok\"} 9\n\
            omni_connector_source_quota_remaining 4711\n";
        let words = "`GET groups`: the source says 403 `missing scope groups:read`";
        let failure =
            json!({ "item": "ops@example.com", "stage": "access", "cause": words, "link": null });
        let mut report = RunReport::default();
        report
            .failures
            .push(serde_json::from_value(failure).unwrap());
        let found: Vec<_> = rights(metrics, &report)
            .into_iter()
            .map(|line| (line.verdict, line.message))
            .collect();
        let other = "the source says 403 to `GET teams`";
        assert_eq!(
            found,
            [
                (Verdict::Warn, words.to_owned()),
                (Verdict::Warn, other.to_owned())
            ]
        );
        let left = quota(metrics).unwrap().message;
        assert!(left.contains("4711 calls are left"), "{left}");
        let none = rights("", &RunReport::default());
        assert!(none.len() == 1 && none[0].verdict == Verdict::Ok);
        assert!(quota("").is_none());
    }
}
