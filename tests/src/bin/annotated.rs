//! Runs the connector of `by_hand`, written with annotations.

use omni_connector::prelude::*;
use omni_connector_tests::system::{self, is_watched};

#[derive(Deserialize, JsonSchema)]
struct Settings {
    api_url: String,
}

#[derive(Deserialize, JsonSchema)]
struct ApiKey {
    #[allow(dead_code, reason = "the system asks for none, the sources have one")]
    api_key: SecretString,
}

#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    cursor: Option<String>,
}

struct Item {
    project: String,
}

/// Items of an imaginary system.
#[connector(
    name = "my_connector",
    display_name = "My Connector",
    source_types = [Web],
    sync_modes = [full, incremental],
    config = Settings,
    credentials = ApiKey,
    state = Cursor,
    actions = [actions::validate_connection, actions::greet, actions::export, actions::fall_over],
    search_operators = [project],
    skill(id = "my-help", title = "How to ask", text = "Ask for an item."),
)]
struct Asking;

#[connector]
impl Asking {
    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        _key: Credentials<ApiKey>,
        checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        items(&config, checkpoint, &ctx).await
    }
}

/// Items of an imaginary system, as they change.
#[connector(
    name = "my_connector",
    display_name = "My Connector",
    source_types = [Web],
    sync_modes = [full, realtime],
    config = Settings,
    credentials = ApiKey,
    state = Cursor,
    actions = [actions::validate_connection, actions::greet, actions::export, actions::fall_over],
    search_operators = [project],
    skill(id = "my-help", title = "How to ask", text = "Ask for an item."),
)]
struct Watching;

#[connector]
impl Watching {
    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        _key: Credentials<ApiKey>,
        checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        items(&config, checkpoint, &ctx).await
    }
}

/// `project:alpha` finds the items of one project.
#[search_operator(attribute = "project_id")]
fn project(item: &Item) -> &str {
    &item.project
}

async fn items(
    config: &Settings,
    mut checkpoint: Checkpoint<Cursor>,
    ctx: &SyncContext,
) -> Result<()> {
    let item = Item {
        project: "alpha".to_owned(),
    };
    let emit = || async {
        let document = Document::new("item-123", DocumentPermissions::public())
            .title("Example item")
            .text("Hello from my data source")
            .url("https://example.com/items/123")
            .content_type("text/plain")
            .mime_type("text/plain")
            .attributes_of(&item);
        ctx.upsert(document).await?;
        Ok(())
    };
    if system::follow(&config.api_url, ctx, emit).await? {
        checkpoint.cursor = Some(system::next(checkpoint.cursor.as_deref()));
        checkpoint.save().await?;
    }
    Ok(())
}

mod actions {
    use omni_connector::prelude::*;

    /// Validate connector credentials.
    #[action(read, hidden)]
    pub(super) async fn validate_connection() -> Result<Value> {
        Ok(json!({ "ok": true }))
    }

    /// Greet somebody.
    #[action(read)]
    pub(super) async fn greet(
        /// Who is greeted
        #[arg]
        name: String,
    ) -> Result<Value> {
        Ok(json!({ "text": format!("Hello {name}") }))
    }

    /// Everything as a file.
    #[action(read)]
    pub(super) async fn export() -> Result<File> {
        Ok(File::bytes("id\nitem-123\n", "text/csv", "items.csv"))
    }

    /// Fail.
    #[action(read)]
    pub(super) async fn fall_over() -> Result<Value> {
        bail!("the system is down")
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    if is_watched() {
        omni_connector::run(Watching).await
    } else {
        omni_connector::run(Asking).await
    }
}
