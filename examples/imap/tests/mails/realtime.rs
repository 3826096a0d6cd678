//! IDLE: what happens in INBOX is in Omni soon after.

use std::time::{Duration, Instant};

use omni_connector::SyncType::Realtime;
use omni_connector_dev::store::runs::RunStatus;

use crate::support::{Setup, mail};

with_each_server! {
    idle_brings_a_new_mail_and_takes_an_expunged_one_away,
}

async fn idle_brings_a_new_mail_and_takes_an_expunged_one_away(setup: Setup) {
    let mut client = setup.client();
    client.append("INBOX", &mail("boats", None));
    let (boats, tea) = (setup.id("INBOX", "boats"), setup.id("INBOX", "tea"));
    let run = setup.begin(Realtime).await;
    setup.until_ids(&[&boats]).await;
    // Nothing but IDLE looks again this soon.
    tokio::time::sleep(Duration::from_secs(1)).await;

    let begun = Instant::now();
    client.append("INBOX", &mail("tea", None));
    setup.until_ids(&[&boats, &tea]).await;
    eprintln!("a new mail was a document after {:?}", begun.elapsed());

    client.expunge("INBOX", 1);
    setup.until_ids(&[&tea]).await;
    let progress = setup.manager.progress(&run.id).await.unwrap().unwrap();
    assert_eq!(progress.run.status, RunStatus::Running);
    assert_eq!(setup.report(&run.id).await.unwrap().failed, 0);
}
