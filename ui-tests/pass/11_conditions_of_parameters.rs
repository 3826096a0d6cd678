//! A parameter that `cfg` removes is in no table and is not supplied.

#![deny(warnings)]

use omni_connector::prelude::*;

#[connector(name = "notes", source_types = [Notion], actions = [listed])]
struct Notes;

#[connector]
impl Notes {
    #[sync]
    async fn sync(
        &self,
        _ctx: SyncContext,
        #[cfg(any())] _gone: Credentials<DoesNotExist>,
        #[cfg(all())] _source: Source,
    ) -> Result<()> {
        Ok(())
    }

    /// Finds notes.
    #[action(read)]
    async fn find(
        &self,
        #[cfg(any())] _gone: DoesNotExist,
        /// Part of the title
        #[cfg(all())]
        #[arg]
        title: String,
        /// Has never been there
        #[cfg(any())]
        #[arg]
        gone: DoesNotExist,
    ) -> Result<String> {
        Ok(title)
    }

    #[webhook(path = "/hooks/notes")]
    async fn changed(
        &self,
        _request: WebhookRequest,
        #[cfg(any())] _gone: DoesNotExist,
    ) -> Result<Webhook> {
        Ok(Webhook::ignore())
    }
}

/// Serves every connector.
#[action(read)]
async fn listed(#[cfg(any())] _gone: DoesNotExist, #[cfg(all())] _source: Source) -> Result<u8> {
    Ok(1)
}

fn main() {
    let find = &Notes.actions()[0].input_schema;
    assert_eq!(find["required"], json!(["title"]));
    assert_eq!(find["properties"].as_object().unwrap().len(), 1);
    assert!(!Notes.requires_credentials());
}
