//! Walks every route that shows something, with a secret in every spelling in everything that the store holds.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use omni_connector::{AuthType, SyncType};
use omni_connector_dev::{
    shown::Shown,
    store::{self, StoreError, reports, runs},
};
use serde_json::json;

use crate::{World, bring, document, requests};

/// The secret: letters, signs that each spelling writes differently, and a letter beyond ASCII.
const SECRET: &str = "canaryWORD/7f3a+9\"<&>\\é=tailWORD";

fn percent(text: &str) -> String {
    let bytes: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

fn quoted(text: &str) -> String {
    let quoted = json!(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Returns the secret as programs quote it. JSON answers escape each of them once more, and links percent-encode it.
fn spellings() -> Vec<String> {
    vec![
        SECRET.to_owned(),
        quoted(SECRET),
        percent(SECRET),
        percent(SECRET).to_lowercase(),
        percent(SECRET).replace('%', "%25"),
        quoted(&quoted(SECRET)),
        percent(&quoted(SECRET)),
        percent(&SECRET.replace('&', "&amp;").replace('"', "&quot;")),
        STANDARD.encode(quoted(SECRET)),
        STANDARD.encode(SECRET),
        STANDARD_NO_PAD.encode(SECRET),
        URL_SAFE_NO_PAD.encode(SECRET),
        STANDARD.encode(format!("ann:{SECRET}")),
        STANDARD.encode(format!("me:{SECRET}")),
    ]
}

/// Returns parts of each spelling that are long enough to guess the rest.
fn telling() -> Vec<String> {
    let mut pieces = Vec::new();
    for written in spellings() {
        let html = written.replace('&', "&amp;").replace('<', "&lt;");
        let html = html.replace('>', "&gt;").replace('"', "&quot;");
        for written in [quoted(&written), html, written] {
            let middle = written.floor_char_boundary(written.len() / 2 - 6);
            let piece = &written[middle..written.ceil_char_boundary(middle + 12)];
            pieces.push(piece.to_owned());
        }
    }
    pieces.extend(["canaryWORD", "tailWORD"].map(str::to_owned));
    pieces
}

/// The routes of a source file that answer GET. A new one must be walked as well.
fn routes(file: &str) -> Vec<&str> {
    let mut routes: Vec<_> = file
        .split(".route(")
        .skip(1)
        .filter_map(|route| {
            let (path, handlers) = route.trim_start().strip_prefix('"')?.split_once('"')?;
            let handlers = &handlers[..handlers.find(")\n").unwrap_or(handlers.len())];
            handlers.contains("get(").then_some(path)
        })
        .collect();
    routes.sort_unstable();
    routes
}

impl World {
    /// A world whose store holds a text in every place that a connector can write.
    async fn with_leak(leak: &str) -> (Self, [String; 2]) {
        let world = Self::new().await;
        let credential = json!({ "key": SECRET });
        let (manager, source) = (&world.manager, &world.source);
        let kept = manager.put_credential(source, None, "github", AuthType::ApiKey, credential);
        kept.await.unwrap();
        let mut event = document(
            leak,
            "c1",
            leak,
            json!({ "public": true, "users": [], "groups": [] }),
        );
        // Long values are cut in the lists of suggestions.
        event["attributes"] = json!({ "project": [leak, format!("{}{leak}", "x".repeat(50))] });
        event["permissions"] = json!({ "public": true, "users": [leak], "groups": [leak] });
        event["metadata"]["url"] = format!("https://acme.example/?key={leak}").into();
        event["metadata"]["path"] = leak.into();
        event["metadata"]["author"] = leak.into();
        let mut older = event.clone();
        older["metadata"]["title"] = format!("older {leak}").into();
        let mut ids = Vec::new();
        for event in [older, event] {
            let text = format!("leakword {leak}");
            let texts = [text.as_str()];
            let run = bring(manager, source, &texts, vec![event], SyncType::Incremental);
            ids.push(run.await);
        }
        let last = ids[1].clone();
        let (failed, leaked) = (source.clone(), leak.to_owned());
        let write = manager.store().write(move |db| {
            let report = json!({
                "scanned": 1, "updated": 1, "deleted": 0, "skipped": 1, "reasons": { leaked.clone(): 1 },
                "skips": [{ "item": leaked, "reason": leaked, "detail": leaked }],
                "failed": 1, "failed_at": { "read": 1 },
                "failures": [{ "item": leaked, "stage": "read", "cause": leaked, "link": leaked }],
                "held_back": 0, "bytes": 10, "contents": 1, "current": null,
            });
            reports::put(db, &last, &report)?;
            let mut said = requests::said(1_000);
            let call = &mut said["requests"][0];
            call["url"] = format!("https://acme.example/?key={leaked}").into();
            call["exchange"] = requests::exchange(json!({ "issues": [leaked], "key": leaked, "id": leaked }));
            call["exchange"]["asked"]["query"] = json!([["q", leaked]]);
            call["exchange"]["asked"]["body"] = json!({ "json": { "q": leaked } });
            call["exchange"]["answered"]["headers"] = json!({ "etag": leaked });
            let said = serde_json::from_value(said).expect("requests of a run");
            store::requests::put(db, &last, said)?;
            let run = runs::insert(db, &failed, SyncType::Full, runs::TriggerType::Manual)?;
            runs::save_checkpoint(db, &run.id, &json!({ "cursor": leaked }))?;
            reports::put(db, &run.id, &report)?;
            runs::fail(db, &run.id, &leaked)?;
            Ok::<_, StoreError>(())
        });
        write.await.unwrap();
        let ids = ids.try_into().unwrap();
        (world, ids)
    }
}

#[tokio::test]
async fn no_route_shows_a_secret_in_any_spelling() {
    let pieces = telling();
    let mut walked: Vec<String> = Vec::new();
    for leak in spellings() {
        let (world, [first, second]) = World::with_leak(&leak).await;
        let browser = world.browser().await;
        let source = &world.source;
        let escaped = percent(&leak);
        let shown = |document, word| Shown {
            source,
            runs: [&second, &first],
            document,
            word,
            action: "echo",
            call: Some("1000-1"),
        };
        let mut paths = shown(&escaped, "leakword").pages();
        paths.extend(shown(&escaped, &escaped).pages());
        paths.extend(shown(&escaped, "leakword").answers());
        for path in &paths {
            for accept in ["text/html", "application/json"] {
                let answer = browser.get(path, accept).await;
                let status = answer.status();
                assert!(status.as_u16() < 400, "{path} as {accept}: {status}");
                let text = answer.text().await.unwrap();
                for piece in &pieces {
                    let at = text.find(piece.as_str());
                    assert!(
                        at.is_none(),
                        "{path} as {accept} shows {piece} of {leak}: {}",
                        &text[text.floor_char_boundary(at.unwrap().saturating_sub(200))
                            ..text.ceil_char_boundary(at.unwrap() + 60)]
                    );
                }
            }
        }
        walked = paths;
    }
    // Streams tell only that something changed; the rest is the same for everybody.
    let fixed = [
        "/dev",
        "/dev/events",
        "/dev/api/page",
        "/dev/api/about",
        "/dev/assets/page.css",
        "/dev/assets/page.js",
        "/dev/api/sign-ins/next",
        "/dev/api/missing-scopes",
        "/dev/api/sources/{id}/settings",
    ];
    for file in [
        include_str!("../../src/page/mod.rs"),
        include_str!("../../src/routes/dev.rs"),
    ] {
        for route in routes(file) {
            let is_walked = walked.iter().any(|path| {
                let path = path.split('?').next().unwrap();
                path.split('/').count() == route.split('/').count()
                    && path
                        .split('/')
                        .zip(route.split('/'))
                        .all(|(given, wanted)| given == wanted || wanted.starts_with('{'))
            });
            assert!(is_walked || fixed.contains(&route), "{route} is not walked");
        }
    }
}
