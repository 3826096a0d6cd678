//! A sync must survive every fault on every route with the outcome of an undisturbed one.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use omni_connector::SyncType;
use omni_connector_dev::{
    Manager,
    testing::{Fault, Journal, Proxy, Random},
};
use omni_connector_tests::{
    crawler::{Blocks, Wiki},
    is_full,
    outcome::Outcome,
    served::{Served, options},
};

/// The routes that a crawler run uses.
const ROUTES: [&str; 10] = [
    "source",
    "credentials",
    "content",
    "extract-content",
    "events/batch",
    "scanned",
    "updated",
    "checkpoint",
    "heartbeat",
    "complete",
];

/// Number of cases in the sample.
const SAMPLE: usize = 24;

/// Selects the calls that a fault hits: the first two, then some later ones.
const fn is_hit(number: usize) -> bool {
    number < 2 || number % 17 == 9
}

/// Returns the outcome of a sync with `fault` on `route`, and how many calls it hit.
async fn outcome(
    wiki: Wiki,
    route: &'static str,
    fault: Option<Fault>,
) -> Result<(Outcome, usize)> {
    let manager = Manager::start(options()).await?;
    let plan =
        move |called: &str, number| fault.clone().filter(|_| called == route && is_hit(number));
    let proxy = Proxy::to_manager(&manager.url(), Box::new(plan), Journal::default()).await?;
    let connector = Served::start(&proxy.url());
    manager
        .registration("crawler", Duration::from_secs(30))
        .await
        .context("the connector does not register")?;
    let source = manager
        .source("wiki", "web", serde_json::to_value(wiki)?)
        .await?;
    let run = manager.sync(&source.id, SyncType::Full).await?;
    let progress = manager.wait(&run.id, |_| {}).await?;
    let outcome = Outcome::of(manager.store(), &source.id, wiki).await?;
    ensure!(
        progress.run.status == omni_connector_dev::store::runs::RunStatus::Completed,
        "the run is {:?}: {:?}; calls: {:?}",
        progress.run.status,
        progress.run.error_message,
        proxy.calls()
    );
    let faults = proxy.faults();
    connector.stop().await?;
    manager.shutdown().await;
    Ok((outcome, faults))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_ends_the_same_under_every_fault_on_every_route() {
    let wiki = if is_full() {
        Wiki {
            pages: 50,
            per_page: 100,
            blocks: Blocks::Nothing,
        }
    } else {
        Wiki {
            pages: 5,
            per_page: 100,
            blocks: Blocks::Nothing,
        }
    };
    let (undisturbed, _) = outcome(wiki, "", None).await.unwrap();
    let deleted = (0..wiki.per_page).filter(|n| n % 9 == 4).count() * (wiki.pages - 1);
    assert_eq!(undisturbed.documents.len(), wiki.documents() - deleted);
    assert_eq!(undisturbed.groups[&Wiki::group(2)], [""; 0]);
    assert_eq!(
        undisturbed.checkpoint,
        Some(serde_json::json!({ "page": wiki.pages }))
    );

    let mut cases: Vec<_> = ROUTES
        .iter()
        .flat_map(|route| Fault::all().into_iter().map(move |fault| (*route, fault)))
        .collect();
    if !is_full() {
        let mut random = Random::from_environment();
        while cases.len() > SAMPLE {
            cases.swap_remove(random.below(cases.len()));
        }
    }
    let undisturbed = Arc::new(undisturbed);
    println!("{:<18} {:<24} {:>5}  outcome", "route", "fault", "hits");
    let mut differences = 0;
    for (route, fault) in cases {
        let name = format!("{fault:?}");
        let (hits, verdict) = match outcome(wiki, route, Some(fault)).await {
            Ok((outcome, hits)) => (hits, outcome.difference(&undisturbed)),
            Err(error) => (0, Some(format!("{error:#}"))),
        };
        // A fault that hits no call proves nothing.
        let is_same = verdict.is_none() && hits > 0;
        differences += usize::from(!is_same);
        let verdict = verdict.unwrap_or_else(|| "the same".to_owned());
        println!("{route:<18} {name:<24} {hits:>5}  {verdict}");
    }
    assert_eq!(differences, 0, "outcomes differ, see the table");
}
