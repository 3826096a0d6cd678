//! The connector process of these tests. The config of its source controls its behaviour.

use std::{collections::BTreeMap, fs, process, time::Duration};

use anyhow::{Result, bail};
use axum::response::{IntoResponse, Response};
use omni_connector::{
    ActionDefinition, ActionMode, ActionResponse, Connector, Document, DocumentPermissions,
    FromCall, ManagerClient, OAuthConfig, PersonSyncRecord, SearchOperator, ServiceCredential,
    Source, SourceType, SyncContext, SyncType, Webhook, WebhookRequest,
    arguments::Credentials,
    arguments::{self, ItemId},
    async_trait, connector, http,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) struct Shelf;

/// A message whose attached file no reader reads.
const LETTER: &str = "Subject: Hello\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
    --x\r\nContent-Type: text/plain\r\n\r\nthe letter\r\n\
    --x\r\nContent-Type: application/octet-stream\r\n\
    Content-Disposition: attachment; filename=a.bin\r\n\r\n\u{1}\u{2}\r\n--x--\r\n";

/// What a run does, step by step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Documents by id, with their texts; everybody may see them.
    #[serde(default)]
    documents: BTreeMap<String, String>,
    /// Pictures by id, of which nothing is read.
    #[serde(default)]
    pictures: Vec<String>,
    /// Messages by id, with a file of which nothing is read.
    #[serde(default)]
    letters: Vec<String>,
    /// The people who read the document `private`.
    readers: Option<Vec<String>>,
    /// The groups that read the document `shared`. No run sends them.
    groups: Option<Vec<String>>,
    /// People whose records are sent.
    #[serde(default)]
    people: Vec<String>,
    /// Documents that an earlier run sent, and that are gone.
    #[serde(default)]
    gone: Vec<String>,
    /// How often each document is sent.
    times: Option<usize>,
    /// The bytes of the text of the document `thick`.
    thick: Option<usize>,
    /// Items to skip.
    #[serde(default)]
    skips: Vec<String>,
    /// Items that fail.
    #[serde(default)]
    failures: Vec<String>,
    /// Items that fail unless the run is a resume.
    #[serde(default)]
    lost: Vec<String>,
    /// The same, and a resume sends them.
    #[serde(default)]
    late: Vec<String>,
    /// Saved as the checkpoint after the documents.
    checkpoint: Option<String>,
    /// Waits after the checkpoint, unless the run is a resume.
    #[serde(default)]
    wait: bool,
    /// Delays the validation of the settings.
    #[serde(default)]
    think: bool,
    /// Looks at the settings for a moment.
    #[serde(default)]
    glance: bool,
    /// Refuses every run while this file exists.
    lock: Option<String>,
    /// Fails the run.
    fail: Option<String>,
    /// Ends the process.
    exit: Option<i32>,
}

#[async_trait]
impl Connector for Shelf {
    type Config = Config;
    type Credentials = Value;
    type State = String;

    fn name(&self) -> &'static str {
        if is_plain() { "plain_shelf" } else { "shelf" }
    }

    fn version(&self) -> &'static str {
        "1.2.3"
    }

    fn display_name(&self) -> String {
        "Shelf".to_owned()
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::LocalFiles, SourceType::FileSystem]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Full, SyncType::Incremental]
    }

    fn search_operators(&self) -> Vec<SearchOperator> {
        if is_plain() {
            return Vec::new();
        }
        vec![SearchOperator {
            operator: "letter".to_owned(),
            attribute_key: "letter".to_owned(),
            value_type: "text".to_owned(),
        }]
    }

    async fn validate(
        &self,
        _: SyncType,
        source: &Source,
        _: Option<&ServiceCredential>,
        _: &ManagerClient,
    ) -> Result<()> {
        let config: Config = serde_json::from_value(source.config.clone())?;
        if config.lock.is_some_and(|lock| fs::exists(lock).unwrap()) {
            bail!("the shelf is locked");
        }
        if config.glance {
            write_pid()?;
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        if config.think {
            write_pid()?;
            tokio::time::sleep(Duration::from_secs(15)).await;
        }
        Ok(())
    }

    async fn sync(
        &self,
        source: Source,
        _: Option<ServiceCredential>,
        _: Option<String>,
        ctx: SyncContext,
    ) -> Result<()> {
        let config: Config = serde_json::from_value(source.config)?;
        write_pid()?;
        for (id, text) in &config.documents {
            for _ in 0..config.times.unwrap_or(1) {
                let letter = id.chars().take(1).collect::<String>();
                let document = Document::new(id, DocumentPermissions::public())
                    .title(format!("Book {id}"))
                    .path(format!("shelf/{id}"))
                    .attribute("letter", letter)
                    .text(text);
                ctx.upsert(document).await?;
            }
        }
        if let Some(bytes) = config.thick {
            let document = Document::new("thick", DocumentPermissions::public());
            let text = "word ".repeat(bytes / 5);
            ctx.upsert(document.text(text)).await?;
        }
        for id in &config.letters {
            let document = Document::new(id, DocumentPermissions::public()).title(id);
            let letter = document.extract(LETTER.as_bytes(), "message/rfc822", id);
            ctx.upsert(letter).await?;
        }
        for id in &config.pictures {
            let document = Document::new(id, DocumentPermissions::public()).title(id);
            ctx.upsert(document.extract(&b"\x89PNG"[..], "image/png", id))
                .await?;
        }
        if let Some(readers) = config.readers {
            let access = DocumentPermissions::users(readers);
            ctx.upsert(Document::new("private", access).text("own"))
                .await?;
        }
        if let Some(groups) = config.groups {
            let access = DocumentPermissions::private().and_groups(groups);
            ctx.upsert(Document::new("shared", access).text("ours"))
                .await?;
        }
        for email in config.people {
            ctx.person(PersonSyncRecord::new(&email, &email)).await?;
        }
        if !config.gone.is_empty() {
            let listing = ctx.listing(config.gone);
            ctx.delete_unseen(listing.finish()?).await?;
        }
        for item in config.skips {
            ctx.skip(item, "torn pages");
        }
        let lost = config.lost.into_iter().filter(|_| !ctx.is_resume());
        for item in config.failures.into_iter().chain(lost) {
            ctx.item_failed(item, "404 Not Found", None::<&str>);
        }
        for item in config.late {
            if ctx.is_resume() {
                ctx.upsert(Document::new(item, DocumentPermissions::public()))
                    .await?;
            } else {
                ctx.item_failed(item, "404 Not Found", None::<&str>);
            }
        }
        if let Some(checkpoint) = config.checkpoint {
            ctx.save_checkpoint(checkpoint).await?;
        }
        if let Some(code) = config.exit {
            process::exit(code);
        }
        if config.wait && !ctx.is_resume() {
            ctx.cancelled().await;
            // Emitted while the process is being terminated.
            ctx.upsert(Document::new("last", DocumentPermissions::public()))
                .await?;
            return Ok(());
        }
        if let Some(message) = config.fail {
            bail!(message);
        }
        Ok(())
    }

    fn oauth_config(&self) -> Option<OAuthConfig> {
        let provider = std::env::var("SHELF_OAUTH").ok()?;
        let at = |path: &str| format!("{provider}/{path}");
        let config = OAuthConfig::new("github", at("authorize"), at("token"), at("me"))
            .read_scopes(SourceType::LocalFiles, ["read"])
            .write_scopes(SourceType::LocalFiles, ["lend"]);
        Some(config)
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        let mut actions: Vec<_> = ["echo", "file", "refuse", "say", "print"]
            .map(action)
            .into();
        if self.oauth_config().is_some() {
            let source_types = vec![SourceType::LocalFiles];
            actions.push(ActionDefinition {
                source_types,
                ..action("token")
            });
        }
        actions
    }

    fn action_scopes(&self, action: &str) -> Option<Vec<String>> {
        (action == "token").then(|| vec!["lend".to_owned()])
    }

    async fn execute_action(
        &self,
        action: &str,
        params: Value,
        credential: Option<ServiceCredential>,
    ) -> Result<Response> {
        Ok(match action {
            "token" => {
                let token = credential.map(|row| row.credentials["access_token"].clone());
                ActionResponse::success(token.unwrap_or_default()).into_response()
            }
            "echo" => ActionResponse::success(params).into_response(),
            "say" => ActionResponse::success(params["word"].clone()).into_response(),
            "print" => params["word"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
                .into_response(),
            "file" => (
                [("content-type", "image/png"), ("x-file-name", "a.png")],
                "not text",
            )
                .into_response(),
            "refuse" => ActionResponse::error("the shelf is locked").into_response(),
            other => ActionResponse::not_supported(other).into_response(),
        })
    }
}

fn write_pid() -> Result<()> {
    if let Ok(path) = std::env::var("SHELF_PID") {
        fs::write(path, process::id().to_string())?;
    }
    Ok(())
}

/// Returns whether this process is the other connector, the one without operators.
fn is_plain() -> bool {
    std::env::var("SHELF_START").as_deref() == Ok("plain")
}

fn action(name: &str) -> ActionDefinition {
    ActionDefinition {
        name: name.to_owned(),
        description: name.to_owned(),
        input_schema: json!({ "type": "object" }),
        mode: ActionMode::Read,
        source_types: Vec::new(),
        admin_only: false,
        hidden: false,
    }
}

/// The settings of [`Tracker`].
#[derive(Deserialize)]
pub(crate) struct Settings {
    api_url: String,
    /// The issue that fails in a run.
    fails: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Key {
    key: String,
}

#[derive(Deserialize, serde::Serialize)]
struct Issue {
    id: String,
}

#[derive(Clone, FromCall)]
pub(crate) struct Api {
    api: http::Api,
}

impl http::ApiClient for Api {
    type Config = Settings;
    type Credentials = Key;

    fn connect(config: &Settings, secret: &Key) -> Result<Self> {
        let key = http::Auth::query("key", &secret.key.clone().into());
        let api = http::Api::at(&config.api_url).auth(key);
        Ok(Self { api })
    }
}

/// A connector that asks a source by the client of the kit.
#[connector(name = "tracker", source_types = [LocalFiles], config = Settings, credentials = Key)]
pub(crate) struct Tracker;

#[connector]
impl Tracker {
    #[sync]
    async fn sync(
        &self,
        Api { api }: Api,
        settings: arguments::Config<Settings>,
        ctx: SyncContext,
    ) -> Result<()> {
        let pages = api.get("issues").pages(http::Paging::cursor("/next"));
        let mut pages = pages.items::<Issue>("/issues");
        while let Some(page) = pages.next().await? {
            for issue in &page {
                if settings.fails.as_ref() == Some(&issue.id) {
                    ctx.item_failed(&issue.id, "it is torn", None);
                    continue;
                }
                let document = Document::new(&issue.id, DocumentPermissions::public());
                ctx.upsert(document.title(&issue.id).text("an issue"))
                    .await?;
            }
        }
        drop(pages.finish()?);
        Ok(())
    }

    #[refetch]
    async fn again(&self, item: ItemId, ctx: SyncContext) -> Result<()> {
        let document = Document::new(&item.0, DocumentPermissions::public());
        ctx.upsert(document.title("Mended").text("fetched alone"))
            .await?;
        Ok(())
    }

    #[webhook(path = "/hooks/{source_id}")]
    async fn notified(
        &self,
        request: WebhookRequest,
        source: Source,
        key: Credentials<Key>,
    ) -> Result<Webhook> {
        request.verify_hmac_sha256(&key.key.clone().into(), "x-signature")?;
        Ok(Webhook::sync(source.id))
    }

    /// Create an issue.
    #[action(write)]
    async fn create(
        &self,
        Api { api }: Api,
        /** What it is about */
        #[arg]
        title: String,
        /** How long it may take */
        #[arg(default = 3)]
        days: u32,
    ) -> Result<Value> {
        let body = json!({ "title": title, "days": days });
        Ok(api.post("issues").json(&body).read().await?)
    }
}

/// Serves until a signal, or exits at once when `SHELF_START` is set to do so.
pub(crate) fn main() {
    if let Ok(says) = std::env::var("SHELF_SAYS") {
        eprintln!("{says}");
    }
    if std::env::var("SHELF_START").as_deref() == Ok("die") {
        eprintln!("the shelf has fallen down");
        process::exit(7);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if std::env::var("SHELF_START").as_deref() == Ok("tracker") {
        runtime.block_on(omni_connector::serve(Tracker)).unwrap();
    } else {
        runtime.block_on(omni_connector::serve(Shelf)).unwrap();
    }
}
