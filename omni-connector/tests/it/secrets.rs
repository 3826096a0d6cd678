//! Generated secrets, in generated spellings, on every way out of the process: reports, requests to the manager, logs,
//! metrics, answers of actions and webhooks.

use std::time::Duration;

use base64::{Engine, engine::general_purpose};
use omni_connector::{
    ActionError, Credentials,
    http::{Api, ApiClient, Auth, Paging},
    prelude::*,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use crate::{
    http::source::{Source as Served, reply},
    support::{Log, Manager, serve, source},
};

/// A part of every secret. The search for leaks looks for it in all spellings.
const CANARY: &str = "canarybirdsings";

#[derive(Deserialize)]
struct Settings {
    api_url: Url,
}

#[derive(Debug, Clone, Deserialize)]
struct Key {
    api_key: SecretString,
}

#[derive(Clone, FromCall)]
struct Client {
    api: Api,
}

impl ApiClient for Client {
    type Config = Settings;
    type Credentials = Key;

    fn connect(config: &Settings, key: &Key) -> Result<Self> {
        let api = Api::at(&config.api_url).auth(Auth::bearer(&key.api_key));
        Ok(Self { api })
    }
}

/// Spells a secret as errors of libraries do.
fn spelled(secret: &str) -> Vec<String> {
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let json = json!(secret).to_string();
    vec![
        secret.to_owned(),
        percent.clone(),
        utf8_percent_encode(&percent, NON_ALPHANUMERIC).to_string(),
        json.clone(),
        json!(json).to_string(),
        format!("{secret:?}"),
        general_purpose::STANDARD.encode(secret),
        general_purpose::URL_SAFE_NO_PAD.encode(format!("u:{secret}")),
        general_purpose::STANDARD_NO_PAD.encode(format!("me:{secret}")),
    ]
}

/// Says its secrets wherever it can.
#[connector(name = "parrot", source_types = [Web], config = Settings, credentials = Key)]
struct Parrot;

#[connector]
impl Parrot {
    #[sync]
    async fn sync(
        &self,
        client: Client,
        Credentials(key): Credentials<Key>,
        ctx: SyncContext,
    ) -> Result<()> {
        let secret = key.api_key.expose();
        for said in spelled(secret) {
            let link = format!("https://acme/x?q={said}");
            ctx.working_on(&format!("item {said}"));
            ctx.item_failed(format!("item {said}"), format!("no: {said}"), Some(&link));
            ctx.skip_with(
                format!("item {said}"),
                format!("it is {said}"),
                format!("as {said}"),
            );
            let groups = DocumentPermissions::private().and_groups([format!("{said}@nowhere")]);
            ctx.upsert(Document::new("doc", groups)).await?;
            ctx.upsert(Document::new(
                "doc",
                DocumentPermissions::users([said.clone()]),
            ))
            .await?;
        }
        // Services take their token in a path, in a query, in a name.
        let path = utf8_percent_encode(secret, NON_ALPHANUMERIC);
        for call in [
            client.api.get(format!("bot{path}/things")),
            client.api.get("things").query(&[("key", secret)]),
            client
                .api
                .get("things")
                .named(format!("things of {secret}")),
        ] {
            let error = call.read::<Value>().await.unwrap_err();
            ctx.item_failed("a call", &error, None);
            tracing::warn!("{}", ctx.sync_run_id());
        }
        let mut pages = client
            .api
            .get(format!("bot{path}/pages"))
            .pages(Paging::cursor("/next"))
            .items::<Value>("/all");
        if let Err(error) = pages.next().await {
            ctx.item_failed("a page", &error, None);
        }
        bail!("the last was {}", spelled(secret).join(" and "))
    }

    /// Says it.
    #[action(read)]
    async fn say(
        &self,
        client: Client,
        Credentials(key): Credentials<Key>,
        /// How it ends
        #[arg]
        how: String,
    ) -> Result<Value> {
        let secret = key.api_key.expose().to_owned();
        let all = spelled(&secret).join(" and ");
        match how.as_str() {
            "panic" => panic!("{all}"),
            "refuse" => Err(ActionError::not_found(all).into()),
            "call" => Ok(client
                .api
                .get(format!(
                    "bot{}/x",
                    utf8_percent_encode(&secret, NON_ALPHANUMERIC)
                ))
                .read()
                .await?),
            _ => bail!("{all}"),
        }
    }
}

/// Returns what leaves the process, by way out.
async fn ways_out(secret: &str) -> Vec<(&'static str, String)> {
    let (log, guard) = Log::of_this_thread(tracing::Level::DEBUG);
    let acme = Served::start(|asked| {
        let said = asked.header("authorization").unwrap_or_default().to_owned();
        reply(404).json(json!({ "message": format!("nothing for {said} at {}", asked.path) }))
    })
    .await;
    let manager = Manager::start().await;
    manager.change_source("config", json!({ "api_url": acme.url }));
    manager.give_credentials(&json!({ "api_key": secret }));
    let served = serve(Parrot, &manager).await;
    served.start("R1", "full").await;
    served.ended("R1").await;
    let mut out = vec![
        ("report", served.get("/sync/R1/report").await.1.to_string()),
        ("status", served.get("/sync/R1").await.1.to_string()),
    ];
    for call in manager.calls("/fail") {
        out.push(("message to the manager", call.body.to_string()));
    }
    for how in ["fail", "panic", "refuse", "call"] {
        let mut about = source();
        about["config"] = json!({ "api_url": acme.url });
        let request = json!({
            "action": "say", "params": { "how": how }, "source": about,
            "credentials": {
                "id": "K1", "source_id": "S1", "user_id": null, "provider": "atlassian", "auth_type": "api_key",
                "principal_email": null, "credentials": { "api_key": secret }, "config": {}, "expires_at": null,
                "last_validated_at": null, "created_at": "+002026-08-01T09:00:00.000000000Z",
                "updated_at": "+002026-08-01T09:00:00.000000000Z",
            },
        });
        let (status, answer) = served.post("/action", request.to_string()).await;
        assert!(status >= 400, "{how}: {answer}");
        out.push(("answer of an action", answer.to_string()));
    }
    let metrics = reqwest::Client::builder().no_proxy().build().unwrap();
    let metrics = metrics
        .get(format!("{}/metrics", served.url))
        .send()
        .await
        .unwrap();
    out.push(("metrics", metrics.text().await.unwrap()));
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(guard);
    out.push(("log", log.lines().join("\n")));
    out
}

/// Returns the pieces by which a canary is recognised: as it is, and in base64 at each of the three offsets.
fn pieces() -> Vec<String> {
    let mut pieces = vec![CANARY[..8].to_owned(), CANARY[6..].to_owned()];
    for offset in 0..3 {
        let encoded =
            general_purpose::STANDARD_NO_PAD.encode(format!("{}{CANARY}", &"  "[..offset]));
        // Without the characters that depend on what is before and after.
        pieces.push(encoded[4..encoded.len() - 4].to_owned());
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_leaves_by_any_way_out(
        before in r#"[a-z"\\%+/ é]{0,4}"#, after in r#"[a-z"\\%+/=é😀]{0,4}"#,
    ) {
        let secret = format!("{}{CANARY}{}", before.trim_start(), after.trim_end());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let out = runtime.block_on(ways_out(&secret));
        prop_assert!(out.len() >= 9, "{out:?}");
        for (way, text) in out {
            for piece in pieces() {
                let found = text.find(&piece);
                let shown = found.map(|at| {
                    let from = text.floor_char_boundary(at.saturating_sub(160));
                    &text[from..text.ceil_char_boundary(at + 60)]
                });
                prop_assert!(found.is_none(), "{way} of {secret:?}: {shown:?}");
            }
        }
    }
}
