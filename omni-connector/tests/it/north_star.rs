//! The connector of the design's first page: annotated, with a fake tracker, served over real HTTP.

use omni_connector::prelude::*;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_partial_json, header, method, path, query_param, query_param_is_missing},
};

use crate::support::{self, Manager, Served};

#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Settings {
    api_url: Url,
}

#[derive(Deserialize, JsonSchema)]
struct ApiKey {
    api_key: SecretString,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    updated_after: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Issue {
    key: String,
    project: String,
    title: String,
    text: String,
    assignee: Option<Email>,
    updated: String,
}

#[derive(Deserialize)]
struct Page {
    issues: Vec<Issue>,
    next: Option<String>,
}

/// Issues and comments of Acme Tracker.
#[connector(
    name = "acme",
    display_name = "Acme Tracker",
    source_types = [Jira],
    sync_modes = [full, incremental],
    config = Settings,
    credentials = ApiKey,
    state = Cursor,
    actions = [reports::monthly],
)]
struct Acme {
    http: HttpClient,
}

#[connector]
impl Acme {
    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        key: Credentials<ApiKey>,
        mut checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        let mut next = checkpoint.updated_after.clone();
        loop {
            let mut request = self
                .http
                .get(config.api_url.join("issues")?)
                .bearer_auth(key.api_key.expose());
            if let Some(after) = &next {
                request = request.query(&[("after", after)]);
            }
            let page: Page = request.send().await?.error_for_status()?.json().await?;
            for issue in &page.issues {
                let readers = DocumentPermissions::users(issue.assignee.clone());
                ctx.upsert(
                    Document::new(&issue.key, readers)
                        .title(&issue.title)
                        .text(&issue.text)
                        .attributes_of(issue),
                )
                .await?;
                checkpoint.updated_after = Some(issue.updated.clone());
            }
            checkpoint.save().await?;
            match page.next {
                Some(after) => next = Some(after),
                None => return Ok(()),
            }
        }
    }

    /// Create an issue.
    #[action(write, scopes = ["issues:write"])]
    async fn create_issue(
        &self,
        config: Config<Settings>,
        key: Credentials<ApiKey>,
        actor: Actor,
        /// Project key, such as `OPS`
        #[arg]
        project: String,
        /// One-line summary
        #[arg(max_length = 80)]
        title: String,
        /// At most fifty labels
        #[arg(default, max_items = 50)]
        labels: Vec<String>,
    ) -> Result<Issue> {
        let body =
            json!({ "project": project, "title": title, "labels": labels, "by": actor.email });
        let request = self.http.post(config.api_url.join("issues")?);
        let answer = request
            .bearer_auth(key.api_key.expose())
            .json(&body)
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// `project:ops` finds the issues of one project.
    #[search_operator(attribute = "project_key")]
    fn project(issue: &Issue) -> &str {
        &issue.project
    }

    /// `assignee:ada` finds the issues of one person.
    #[search_operator]
    fn assignee(issue: &Issue) -> Option<Email> {
        issue.assignee.clone()
    }
}

mod reports {
    use omni_connector::prelude::*;

    #[derive(Deserialize, JsonSchema)]
    pub(super) struct Month {
        /// Year and month, such as `2026-08`
        month: String,
    }

    /// Count the issues of one month.
    #[action(read)]
    pub(super) async fn monthly(
        connector: &super::Acme,
        config: Config<super::Settings>,
        args: Args<Month>,
    ) -> Result<Value, ActionError> {
        let url = config
            .api_url
            .join(&format!("reports/{}", args.month))
            .map_err(|_| ActionError::BadRequest("`month` is no month".to_owned()))?;
        let answer = connector.http.get(url).send().await;
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(json!({ "month": args.month })),
            _ => Err(ActionError::NotFound(format!(
                "there is no report of {}",
                args.month
            ))),
        }
    }
}

fn acme() -> Acme {
    Acme {
        http: HttpClient::new(),
    }
}

#[test]
fn the_manifest_contains_exactly_the_declarations() {
    let acme = acme();
    assert_eq!(acme.name(), "acme");
    assert_eq!(acme.version(), env!("CARGO_PKG_VERSION"));
    assert_eq!(acme.display_name(), "Acme Tracker");
    assert_eq!(
        acme.description().as_deref(),
        Some("Issues and comments of Acme Tracker.")
    );
    assert_eq!(acme.source_types(), [SourceType::Jira]);
    assert_eq!(acme.sync_modes(), [SyncType::Full, SyncType::Incremental]);
    assert!(acme.requires_credentials());
    let actions = serde_json::to_value(acme.actions()).unwrap();
    assert_eq!(
        actions,
        json!([
            {
                "name": "create_issue", "description": "Create an issue.", "mode": "write",
                "input_schema": {
                    "type": "object",
                    "properties": {
                        "project": { "type": "string", "description": "Project key, such as `OPS`" },
                        "title": { "type": "string", "description": "One-line summary", "maxLength": 80 },
                        "labels": {
                            "type": "array", "items": { "type": "string" },
                            "description": "At most fifty labels", "maxItems": 50,
                        },
                    },
                    "required": ["project", "title"],
                },
                "source_types": [], "admin_only": false, "hidden": false,
            },
            {
                "name": "monthly", "description": "Count the issues of one month.", "mode": "read",
                "input_schema": {
                    "type": "object",
                    "properties": {
                        "month": { "type": "string", "description": "Year and month, such as `2026-08`" },
                    },
                    "required": ["month"],
                },
                "source_types": [], "admin_only": false, "hidden": false,
            },
        ])
    );
    assert_eq!(
        acme.action_scopes("create_issue"),
        Some(vec!["issues:write".to_owned()])
    );
    assert_eq!(acme.action_scopes("monthly"), None);
    assert_eq!(
        serde_json::to_value(acme.search_operators()).unwrap(),
        json!([
            { "operator": "project", "attribute_key": "project_key", "value_type": "text" },
            { "operator": "assignee", "attribute_key": "assignee", "value_type": "person" },
        ])
    );
    assert_eq!(
        acme.attributes_schema(),
        Some(json!({
            "type": "object",
            "properties": {
                "project_key": { "type": "string" },
                "assignee": { "type": "string", "format": "email" },
            },
        }))
    );
}

#[test]
fn types_that_describe_themselves_have_schemas_and_no_others() {
    let schemas = acme().type_schemas();
    let config = schemas.config.unwrap();
    assert_eq!(config["properties"]["api_url"]["format"], "uri", "{config}");
    let secret = schemas.credentials.unwrap()["properties"]["api_key"].take();
    assert_eq!(secret["format"], "password", "{secret}");
    assert_eq!(schemas.state, None);
}

#[tokio::test]
async fn an_annotated_function_is_still_a_function() {
    let issue = Issue {
        key: "OPS-1".to_owned(),
        project: "OPS".to_owned(),
        title: String::new(),
        text: String::new(),
        assignee: None,
        updated: String::new(),
    };
    assert_eq!(Acme::project(&issue), "OPS");
    let config = Config(Settings {
        api_url: "http://127.0.0.1:9/".parse().unwrap(),
    });
    let acme = acme();
    let answer = reports::monthly(
        &acme,
        config,
        Args(serde_json::from_value(json!({ "month": "2026-08" })).unwrap()),
    );
    assert_eq!(
        answer.await,
        Err(ActionError::NotFound(
            "there is no report of 2026-08".to_owned()
        ))
    );
}

/// Starts a tracker with two pages of issues, which accepts new ones.
async fn tracker() -> MockServer {
    let server = MockServer::start().await;
    let issue = |key: &str, assignee: Option<&str>, updated: &str| {
        json!({ "key": key, "project": "OPS", "title": format!("Issue {key}"), "text": "It burns.",
            "assignee": assignee, "updated": updated })
    };
    let page = |issues: Value, next: Option<&str>| {
        ResponseTemplate::new(200).set_body_json(json!({ "issues": issues, "next": next }))
    };
    let first = json!([
        issue("OPS-1", Some("Ada@Example.com"), "t1"),
        issue("OPS-2", None, "t2")
    ]);
    let second = json!([issue("OPS-3", None, "t3")]);
    let get = || {
        Mock::given(method("GET"))
            .and(path("/issues"))
            .and(header("authorization", "Bearer k"))
    };
    get()
        .and(query_param_is_missing("after"))
        .respond_with(page(first, Some("t2")))
        .mount(&server)
        .await;
    get()
        .and(query_param("after", "t2"))
        .respond_with(page(second, None))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/issues"))
        .and(header("authorization", "Bearer k"))
        .and(body_partial_json(
            json!({ "project": "OPS", "title": "New", "labels": [], "by": "ada@example.com" }),
        ))
        .respond_with(ResponseTemplate::new(201).set_body_json(issue("OPS-4", None, "t4")))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/reports/2026-08"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    server
}

async fn served(manager: &Manager, tracker: &MockServer) -> Served {
    manager.change_source("source_type", json!("jira"));
    manager.change_source("config", json!({ "api_url": tracker.uri() }));
    manager.give_credentials(&json!({ "api_key": "k" }));
    support::serve(acme(), manager).await
}

#[tokio::test]
async fn a_sync_sends_documents_attributes_and_the_checkpoint_to_the_manager() {
    let (manager, tracker) = (Manager::start().await, tracker().await);
    let connector = served(&manager, &tracker).await;
    assert_eq!(connector.start("R1", "full").await.0, 200);
    manager.told_of("complete").await;
    assert_eq!(manager.documents(), ["OPS-1", "OPS-2", "OPS-3"]);
    let first = &manager.calls("events")[0].body["events"][0];
    assert_eq!(
        first["attributes"],
        json!({ "project_key": "ops", "assignee": "ada@example.com" })
    );
    assert_eq!(first["permissions"]["users"], json!(["ada@example.com"]));
    let checkpoints = manager.calls("checkpoint");
    assert_eq!(
        checkpoints.last().unwrap().body,
        json!({ "updated_after": "t3" })
    );
}

#[tokio::test]
async fn a_checkpoint_of_an_older_shape_stops_no_full_run_and_is_refused_with_the_way_out() {
    let (manager, tracker) = (Manager::start().await, tracker().await);
    let connector = served(&manager, &tracker).await;
    for (number, (old, place)) in [
        (json!({ "updated_after": [1] }), "`updated_after`"),
        (json!([{ "cursor": 7 }]), ""),
        (json!("cursor-7"), ""),
        (json!(7), ""),
        (json!(true), ""),
        (json!({ "updated_after": { "page": 7 } }), "`updated_after`"),
    ]
    .into_iter()
    .enumerate()
    {
        manager.change_source("checkpoint", old.clone());
        let request = |run: String, mode: &str| {
            json!({ "sync_run_id": run, "source_id": "S1", "sync_mode": mode, "checkpoint": old })
                .to_string()
        };
        let asked = request(format!("I{number}"), "incremental");
        let (status, answer) = connector.post("/sync", asked).await;
        let message = answer["message"].as_str().unwrap();
        assert_eq!(status, 400, "{old}: {answer}");
        assert!(
            message.contains(&format!("invalid checkpoint: {place}"))
                && message
                    .contains("help: the state of the connector has changed; run a full sync"),
            "{old}: {message}"
        );
        let run = format!("F{number}");
        let started = connector.post("/sync", request(run.clone(), "full")).await;
        assert_eq!(started.0, 200, "{old}");
        connector.ended(&run).await;
        let sent = manager.documents();
        assert_eq!(sent[3 * number..], ["OPS-1", "OPS-2", "OPS-3"], "{old}");
    }
}

#[tokio::test]
async fn a_sync_without_credentials_is_refused_before_it_starts() {
    let manager = Manager::start().await;
    manager.change_source("source_type", json!("jira"));
    manager.change_source("config", json!({ "api_url": "http://127.0.0.1:9" }));
    let connector = support::serve(acme(), &manager).await;
    let (status, answer) = connector.start("R1", "full").await;
    assert_eq!(status, 400);
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("has no credentials"),
        "{answer}"
    );
}

/// Makes the manager's call: the config's keys are merged into the params.
fn call(manager_source: &Value, action: &str, mut params: Value, actor: Option<&str>) -> String {
    params["api_url"] = manager_source["config"]["api_url"].clone();
    let credential = json!({
        "id": "K1", "source_id": "S1", "user_id": null, "provider": "atlassian", "auth_type": "api_key",
        "principal_email": null, "credentials": { "api_key": "k" }, "config": {}, "expires_at": null,
        "last_validated_at": null, "created_at": "+002026-08-01T09:00:00.000000000Z",
        "updated_at": "+002026-08-01T09:00:00.000000000Z"
    });
    json!({ "action": action, "params": params, "credentials": credential, "source": manager_source, "actor_email": actor })
        .to_string()
}

#[tokio::test]
async fn actions_read_their_arguments_by_type_and_refuse_wrong_ones() {
    let (manager, tracker) = (Manager::start().await, tracker().await);
    let connector = served(&manager, &tracker).await;
    let mut source = support::source();
    source["source_type"] = json!("jira");
    source["config"] = json!({ "api_url": tracker.uri() });
    let ask = async |action: &str, params: Value, actor: Option<&str>| {
        connector
            .post("/action", call(&source, action, params, actor))
            .await
    };

    let (status, answer) = ask(
        "create_issue",
        json!({ "project": "OPS", "title": "New" }),
        Some("Ada@example.com"),
    )
    .await;
    assert_eq!(
        (status, &answer["result"]["key"]),
        (200, &json!("OPS-4")),
        "{answer}"
    );

    let (status, answer) = ask(
        "create_issue",
        json!({ "project": "OPS", "title": "New" }),
        None,
    )
    .await;
    assert_eq!(status, 403, "{answer}");

    let (status, answer) = ask(
        "create_issue",
        json!({ "project": "OPS" }),
        Some("ada@example.com"),
    )
    .await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("invalid params: the field `title` is missing"))
    );

    let (status, answer) = ask(
        "create_issue",
        json!({ "project": "OPS", "title": "x".repeat(81) }),
        Some("ada@example.com"),
    )
    .await;
    assert_eq!(
        (status, &answer["error"]),
        (
            400,
            &json!("invalid params: `title` is 81 characters long, at most 80 are allowed")
        )
    );

    let (status, answer) = ask("monthly", json!({ "month": "2026-08" }), None).await;
    assert_eq!(
        (status, &answer["result"]),
        (200, &json!({ "month": "2026-08" })),
        "{answer}"
    );
    let (status, answer) = ask("monthly", json!({ "month": "1999-01" }), None).await;
    assert_eq!(
        (status, &answer["error"]),
        (404, &json!("there is no report of 1999-01"))
    );
    let (status, _) = ask("delete_everything", json!({}), None).await;
    assert_eq!(status, 404);
}
