//! Generated secrets, in generated spellings, on every way out of the process: reports, the log of requests, requests to the
//! manager, the log, metrics, spans, the tape, answers of actions, webhooks and refused runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, routing::post};
use base64::{Engine, engine::general_purpose};
use omni_connector::{
    ActionError, Credentials,
    http::{Api, ApiClient, Auth, Paging},
    prelude::*,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{prelude::*, strategy::ValueTree};

use crate::{
    http::source::{Source as Served, reply},
    support::{Log, Manager, Process, serve, source},
};

/// The parts of every secret. The search for leaks looks for both in all spellings.
const CANARY: [&str; 2] = ["canarybird", "singsaloud"];

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
        if ctx.sync_run_id().starts_with("talk") {
            talk(secret).await;
        }
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
        }
        // What is shown of an answer is cut somewhere within the secret.
        for before in [150, 165, 180, 191, 195] {
            let call = client.api.get("long").query(&[("before", before)]);
            let error = call.read::<Value>().await.unwrap_err();
            ctx.item_failed("a cut", &error, None);
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

    #[validate]
    async fn validate(&self, source: Source, Credentials(key): Credentials<Key>) -> Result<()> {
        let all = spelled(key.api_key.expose()).join(" and ");
        match source.config["refuse"].as_str() {
            Some("panic") => panic!("{all}"),
            Some(_) => bail!("{all}"),
            None => Ok(()),
        }
    }

    #[webhook(path = "/hooks/{source_id}/{how}")]
    async fn hook(
        &self,
        request: WebhookRequest,
        source: Source,
        Credentials(key): Credentials<Key>,
    ) -> Result<Webhook> {
        let all = spelled(key.api_key.expose()).join(" and ");
        match request.parameter("how") {
            Some("panic") => panic!("{all}"),
            Some("refuse") => Err(ActionError::bad_request(all).into()),
            Some("run") => Ok(Webhook::run(
                source.id,
                move |_| async move { bail!("{all}") },
            )),
            _ => bail!("{all}"),
        }
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

/// Says a secret in the author's own lines, in a span of their own, and in a task of their own that panics.
#[tracing::instrument]
async fn talk(word: &str) {
    for said in spelled(word) {
        tracing::info!(said, "the word is {said}");
    }
    let all = spelled(word).join(" and ");
    let panics = tokio::spawn(async move { panic!("{all}") });
    assert!(panics.await.is_err());
}

/// Starts a source that quotes what it is asked with.
async fn quoting() -> Served {
    Served::start(|asked| {
        let said = asked.header("authorization").unwrap_or_default().to_owned();
        if let Some(before) = asked.number("before") {
            let secret = said.trim_start_matches("Bearer ");
            let before = "x".repeat(usize::try_from(before).unwrap());
            return reply(404).body(format!("{before} {secret} and so on, and on, and on"));
        }
        reply(404).json(json!({ "message": format!("nothing for {said} at {}", asked.path) }))
    })
    .await
}

/// Returns what a served connector says of a run, and in its answers.
async fn answers(
    served: &crate::support::Served,
    manager: &Manager,
    acme: &Served,
    secret: &str,
    run: &'static str,
) -> Vec<(&'static str, String)> {
    manager.change_source("config", json!({ "api_url": acme.url }));
    manager.give_credentials(&json!({ "api_key": secret }));
    served.start(run, "full").await;
    served.ended(run).await;
    let mut out = Vec::new();
    for (way, path) in [
        ("report", format!("/sync/{run}/report")),
        ("status", format!("/sync/{run}")),
        ("log of requests", format!("/sync/{run}/requests/0")),
    ] {
        out.push((way, served.get(&path).await.1.to_string()));
    }
    for how in ["panic", "fail"] {
        manager.change_source("config", json!({ "api_url": acme.url, "refuse": how }));
        let (status, answer) = served.start("refused", "full").await;
        assert!(status >= 400, "{how}: {answer}");
        out.push(("refusal of a run", answer.to_string()));
    }
    manager.change_source("config", json!({ "api_url": acme.url }));
    for how in ["fail", "panic", "refuse", "run"] {
        let fails = manager.calls("/fail").len();
        let (status, answer) = served.post(&format!("/hooks/S1/{how}"), "").await;
        assert_eq!(status >= 400, how != "run", "{how}: {answer}");
        out.push(("answer of a webhook", answer.to_string()));
        if how == "run" {
            manager.told_times("/fail", fails + 1).await;
        }
    }
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
    out.push(("metrics", served.text("/metrics").await));
    out
}

/// Returns what leaves this process, by way out.
async fn ways_out(secret: &str) -> Vec<(&'static str, String)> {
    let (log, guard) = Log::of_this_thread(tracing::Level::DEBUG);
    let acme = quoting().await;
    let manager = Manager::start().await;
    let served = serve(Parrot, &manager).await;
    let mut out = answers(&served, &manager, &acme, secret, "R1").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(guard);
    out.push(("log", log.lines().join("\n")));
    out
}

/// Returns the pieces by which a canary is recognised: as it is, and in base64 at each of the three offsets.
fn pieces() -> Vec<String> {
    let mut pieces = Vec::new();
    for part in CANARY {
        pieces.extend([part[..8].to_owned(), part[2..].to_owned()]);
        for offset in 0..3 {
            let encoded =
                general_purpose::STANDARD_NO_PAD.encode(format!("{}{part}", &"  "[..offset]));
            // Without the characters that depend on what is before and after.
            pieces.push(encoded[4..encoded.len() - 3].to_owned());
        }
    }
    pieces
}

/// Returns the first leak in what left a process, with what is around it.
fn leak<'a>(text: &'a str, about: &str) -> Option<&'a str> {
    let piece = pieces().into_iter().find(|piece| text.contains(piece))?;
    let at = text.find(&piece)?;
    eprintln!("`{piece}`: {about:?}");
    let from = text.floor_char_boundary(at.saturating_sub(200));
    Some(&text[from..text.ceil_char_boundary(at + 80)])
}

/// Makes a secret, with characters in it that messages escape, join or replace.
fn secret() -> impl Strategy<Value = String> {
    let within = prop_oneof!["", "  ", "`", "'", "/", "\"", "\\\\"];
    let before = r#"[a-z"\\%+/ é]{0,4}"#;
    let after = r#"[a-z"\\%+/=é😀]{0,4}"#;
    (before, within, after).prop_map(|(before, within, after)| {
        let [head, tail] = CANARY;
        format!(
            "{}{head}{within}{tail}{}",
            before.trim_start(),
            after.trim_end()
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_leaves_by_any_way_out(secret in secret()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let out = runtime.block_on(ways_out(&secret));
        prop_assert!(out.len() >= 17, "{out:?}");
        for (way, text) in out {
            let found = leak(&text, &secret);
            prop_assert!(found.is_none(), "{way} of {secret:?}: {found:?}");
        }
    }
}

#[tokio::test]
#[ignore = "a process of the test below"]
async fn served() {
    omni_connector::serve(Parrot).await.unwrap();
}

/// The author's own lines and spans belong to a whole process, as do the tape and the log of requests.
#[tokio::test]
async fn no_secret_leaves_a_process_by_its_log_its_spans_its_tape_or_its_requests() {
    const RUNS: [&str; 8] = [
        "talk1", "talk2", "talk3", "talk4", "talk5", "talk6", "talk7", "talk8",
    ];
    let spans: Arc<Mutex<Vec<u8>>> = Arc::default();
    let taken = Arc::clone(&spans);
    let collector = post(async move |body: Bytes| taken.lock().unwrap().extend(body));
    let routes = Router::new().route("/v1/traces", collector);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let acme = quoting().await;
    let manager = Manager::start().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str()),
        ("OMNI_HTTP_RECORD", "1"),
        ("OMNI_DEV_REQUESTS", "1"),
        (
            "RUST_LOG",
            "trace,hyper=info,hyper_util=info,reqwest=info,h2=info",
        ),
    ];
    let process = Process::start("secrets::served", &manager, &variables);
    let served = crate::support::Served::registered(&manager).await;
    let (mut out, mut secrets) = (Vec::new(), Vec::new());
    let mut runner = proptest::test_runner::TestRunner::default();
    for run in RUNS {
        let secret = secret().new_tree(&mut runner).unwrap().current();
        out.extend(answers(&served, &manager, &acme, &secret, run).await);
        secrets.push(secret);
    }
    let tape = served.text("/dev/tape").await;
    assert!(tape.contains("tape_secret_"), "{tape}");
    out.push(("tape", tape));
    let log = process.end().await;
    assert_eq!(log.matches("the word is ").count(), RUNS.len() * 9);
    out.push(("log", log));
    if cfg!(feature = "otel") {
        let spans = spans.lock().unwrap();
        let spans = String::from_utf8_lossy(&spans).into_owned();
        assert!(
            spans.contains("talk") && spans.contains("[redacted]"),
            "{spans}"
        );
        out.push(("spans", spans));
    }
    let requests = out
        .iter()
        .filter(|(way, text)| *way == "log of requests" && text.contains("steps"));
    assert_eq!(requests.count(), RUNS.len());
    let leaks = out
        .iter()
        .filter_map(|(way, text)| Some((*way, leak(text, way)?)));
    let leaks: BTreeMap<_, _> = leaks.collect();
    assert!(leaks.is_empty(), "of one of {secrets:?}: {leaks:#?}");
}
