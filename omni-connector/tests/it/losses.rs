//! Losses are reported without the secrets in their messages.

use omni_connector::{
    Connector, Document, DocumentPermissions, Inventory, Part, ServiceCredential, Source,
    SourceType, SyncContext, async_trait,
};
use serde_json::{Value, json};

use crate::support;

const SECRET: &str = "s3cret-of-the-tracker";

/// A connector that loses items in every way, with its secret in every message.
struct Leaky;

#[async_trait]
impl Connector for Leaky {
    type Config = Value;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "leaky"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        _: Option<Value>,
        ctx: SyncContext,
    ) -> anyhow::Result<()> {
        let link = format!("https://tracker.example.com/{SECRET}");
        ctx.skip_with(&link, format!("no place for {SECRET}"), SECRET);
        ctx.item_failed(&link, SECRET, Some(&link));
        let document = Document::new("poison", DocumentPermissions::public());
        ctx.upsert(document.url(link)).await?;
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_in_the_items_reasons_links_and_causes_of_a_report() {
    let manager = support::Manager::start().await;
    manager.give_credentials(&json!({ "api_key": SECRET }));
    manager.poison("poison");
    let served = support::serve(Leaky, &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    let (_, report) = served.get("/sync/R1/report").await;
    assert_eq!(
        (&report["skipped"], &report["failed"]),
        (&json!(1), &json!(2))
    );
    assert!(!report.to_string().contains(SECRET), "{report}");
}

/// The checkpoint keeps the ids of missing documents, by which the next run tries them again.
#[tokio::test]
async fn no_secret_is_in_what_a_report_remembers_of_earlier_runs() {
    let sync = |ctx: SyncContext, saved: Option<Value>| async move {
        let known: Inventory<u8> = serde_json::from_value(saved.unwrap_or_default())?;
        if ctx.sync_run_id() == "R1" {
            let link = format!("https://tracker.example.com/{SECRET}");
            let mut walk = known.walk(&ctx);
            walk.failed(&link, SECRET, Some(&link));
            walk.part_failed(&Part::prefix(format!("{link}/parts")), SECRET, None);
        }
        ctx.save_checkpoint(&known).await?;
        Ok(())
    };
    let manager = support::Manager::start().await;
    manager.give_credentials(&json!({ "api_key": SECRET }));
    let served = support::serve(support::Scripted::new(sync), &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    let saved = manager.told_of("/checkpoint").await;
    let next = json!({ "sync_run_id": "R2", "source_id": "S1", "sync_mode": "incremental", "checkpoint": saved });
    served.post("/sync", next.to_string()).await;
    served.ended("R2").await;
    let (_, report) = served.get("/sync/R2/report").await;
    assert_eq!(report["failed"], 2, "{report}");
    assert!(!report.to_string().contains(SECRET), "{report}");
}
