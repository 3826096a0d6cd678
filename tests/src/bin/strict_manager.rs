//! Runs the development manager as a process, with all data that the conformance suite needs.
//! `strict_manager FOLDER [SETTING=NUMBER …]` prints the names listed in `tests/README.md` as one
//! line of JSON and runs until it is killed. Times are in milliseconds. Defaults are Omni's, but
//! the scheduler is off.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use omni_connector::{
    AuthType, ServiceCredential,
    wire::{IntegrationType, SourceScope},
};
use omni_connector_dev::{
    Manager, Options, Storage,
    store::{
        Store, StoreError, configs, credentials,
        sources::{self, SourceRecord},
        users::{self, User, UserRole},
    },
};
use serde_json::json;

/// The type that the suite's scripted connector serves, and two that are served only if a row says
/// so.
const SERVED: &str = "github";
const UNSERVED: &str = "imap";
const SCHEDULED: &str = "linear";

fn options(arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options::default();
    options.runs.tick = None;
    options.calls.sync_retries = vec![Duration::from_millis(20); 3];
    options.calls.jitter = Duration::from_millis(5);
    options.progress_interval = Duration::from_millis(50);
    for argument in arguments {
        let (setting, number) = argument
            .split_once('=')
            .context("a setting is `NAME=NUMBER`")?;
        let number: usize = number.parse().with_context(|| argument.clone())?;
        let time = Duration::from_millis(number as u64);
        match setting {
            "tick" => options.runs.tick = Some(time),
            "stale" => options.runs.stale = time,
            "probe" => options.calls.probe = time,
            "call" => options.calls.call = time,
            "ttl" => options.registration_ttl = time,
            "backoff" => options.runs.backoff_base = time,
            "failures" => options.runs.max_failures = number,
            "concurrent" => options.runs.concurrent = number,
            "concurrent_per_class" => options.runs.concurrent_per_class = number,
            "extractions" => options.extraction.concurrency = number,
            "extract_retry_after" => options.extraction.retry_after = u32::try_from(number)?,
            "extract_input" => options.extraction.max_input_bytes = number,
            "extract_text" => options.extraction.max_text_bytes = number,
            "extract_rows" => options.extraction.max_rows = number,
            _ => bail!("there is no setting `{setting}`"),
        }
    }
    Ok(options)
}

/// Prepared data, by name.
struct Prepared<'a> {
    store: &'a Store,
    names: BTreeMap<String, String>,
    admin: User,
}

impl Prepared<'_> {
    /// Stores a source, changed by `change`, and its credentials.
    async fn source(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut SourceRecord),
        secrets: impl FnOnce(&str) -> Vec<ServiceCredential>,
    ) -> Result<(), StoreError> {
        let config = json!({ "repo": "acme/wiki", "page_size": 50 });
        let mut source = SourceRecord::new(name, SERVED, config, &self.admin.id);
        change(&mut source);
        self.names.insert(name.to_owned(), source.id.clone());
        let secrets = secrets(&source.id);
        self.store
            .write(move |db| {
                sources::put(db, &source)?;
                secrets
                    .iter()
                    .try_for_each(|secret| credentials::put(db, secret))
            })
            .await
    }
}

fn of_organisation(source: &str) -> ServiceCredential {
    let secret = json!({ "api_url": "https://api.example.com", "token": "org-token", "refresh_token": "org-refresh" });
    let mut row = credentials::new(source, None, "github", AuthType::BearerToken, secret);
    row.principal_email = Some("service@example.com".to_owned());
    row.config = json!({ "domain": "example.com" });
    row
}

fn of_user(source: &str, user: &User) -> ServiceCredential {
    let secret = json!({ "access_token": "own-access", "token": "own-token" });
    let mut row = credentials::new(
        source,
        Some(user.id.clone()),
        "github",
        AuthType::Oauth,
        secret,
    );
    row.principal_email = Some(user.email.clone());
    row.config = json!({ "granted_scopes": ["read"] });
    row
}

async fn prepare(store: &Store) -> Result<BTreeMap<String, String>> {
    let admin = User::new("ada@example.com", UserRole::Admin);
    let user = User::new("bob@example.com", UserRole::User);
    let (a, b) = (admin.clone(), user.clone());
    store
        .write(move |db| {
            users::put(db, &a)?;
            users::put(db, &b)?;
            let config = json!({ "oauth_client_id": "app", "oauth_client_secret": "secret" });
            configs::put(db, "github", &config)
        })
        .await?;
    let people = [
        ("ADMIN", admin.id.clone()),
        ("ADMIN_EMAIL", admin.email.clone()),
        ("USER", user.id.clone()),
        ("USER_EMAIL", user.email.clone()),
        ("PROVIDER", "github".to_owned()),
        ("SOURCE_TYPE", SERVED.to_owned()),
        ("UNSERVED_TYPE", UNSERVED.to_owned()),
        ("SCHEDULED_TYPE", SCHEDULED.to_owned()),
    ];
    let names = people
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    let mut prepared = Prepared {
        store,
        names: names.collect(),
        admin,
    };
    let organisation = |source: &str| vec![of_organisation(source)];
    for name in ["SOURCE", "SOURCE_2", "SOURCE_3", "SOURCE_FRESH"] {
        prepared.source(name, |_| {}, organisation).await?;
    }
    prepared
        .source(
            "SOURCE_INACTIVE",
            |source| source.is_active = false,
            organisation,
        )
        .await?;
    prepared
        .source(
            "SOURCE_DELETED",
            |source| source.is_deleted = true,
            organisation,
        )
        .await?;
    let unserved = |source: &mut SourceRecord| UNSERVED.clone_into(&mut source.source_type);
    prepared
        .source("SOURCE_UNSERVED", unserved, organisation)
        .await?;
    prepared
        .source("SOURCE_BARE", |_| {}, |_| Vec::new())
        .await?;
    let read_only = |source: &mut SourceRecord| source.config = json!({ "read_only": true });
    prepared
        .source("SOURCE_READ_ONLY", read_only, organisation)
        .await?;
    let not_boolean = |source: &mut SourceRecord| source.config = json!({ "read_only": "true" });
    prepared
        .source("SOURCE_READ_ONLY_TEXT", not_boolean, organisation)
        .await?;
    let creator = user.id.clone();
    let personal = |source: &mut SourceRecord| {
        source.scope = SourceScope::User;
        source.created_by = creator;
    };
    let own = user.clone();
    prepared
        .source("SOURCE_PERSONAL", personal, |id| vec![of_user(id, &own)])
        .await?;
    let both = |id: &str| vec![of_organisation(id), of_user(id, &own)];
    prepared.source("SOURCE_SHARED", |_| {}, both).await?;
    let remote = |source: &mut SourceRecord| {
        "acme_mcp".clone_into(&mut source.source_type);
        source.integration_type = IntegrationType::RemoteMcp;
    };
    prepared
        .source("SOURCE_REMOTE_MCP", remote, |_| Vec::new())
        .await?;
    // No run is started for it: a row gets a copy, which becomes active once the connector is
    // there.
    let scheduled = |source: &mut SourceRecord| {
        SCHEDULED.clone_into(&mut source.source_type);
        source.is_active = false;
    };
    prepared
        .source("SOURCE_SCHEDULED", scheduled, organisation)
        .await?;
    Ok(prepared.names)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .context("usage: strict_manager FOLDER [SETTING=NUMBER …]")?;
    let mut options = options(arguments)?;
    options.storage = Storage::Folder(folder.into());
    let manager = Manager::start(options).await?;
    let mut names = prepare(manager.store()).await?;
    names.insert("MANAGER_URL".to_owned(), manager.url());
    println!("{}", serde_json::to_string(&names)?);
    std::future::pending().await
}
