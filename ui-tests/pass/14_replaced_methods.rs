//! Each generated method can be replaced by ordinary code, and can use what was generated.

use omni_connector::{ActionCall, ActionDefinition, Annotated, Operator, Response, SearchOperator, WebhookCall, prelude::*};

#[derive(Serialize)]
struct Issue {
    project: String,
}

/// Repositories.
#[connector(name = "github", source_types = [Github])]
struct Github {
    tenant: String,
}

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// List files.
    #[action(read)]
    async fn list_files(&self) -> Result<Value> {
        Ok(json!([]))
    }

    #[search_operator]
    fn project(issue: &Issue) -> &str {
        &issue.project
    }

    #[replaces]
    fn display_name(&self) -> String {
        format!("GitHub of {}", self.tenant)
    }

    #[replaces]
    fn description(&self) -> Option<String> {
        Some(self.tenant.clone())
    }

    #[replaces]
    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Jira]
    }

    #[replaces]
    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Realtime]
    }

    #[replaces]
    fn read_only(&self) -> bool {
        true
    }

    #[replaces]
    fn requires_credentials(&self) -> bool {
        true
    }

    #[replaces]
    fn actions(&self) -> Vec<ActionDefinition> {
        let mut actions = Annotated(self).actions();
        actions[0].hidden = true;
        actions
    }

    #[replaces]
    fn action_scopes(&self, action: &str) -> Option<Vec<String>> {
        Some(vec![action.to_owned()])
    }

    #[replaces]
    fn action_output(&self, action: &str) -> Option<Value> {
        Some(json!({ "title": action }))
    }

    #[replaces]
    async fn call_action(&self, call: ActionCall) -> Result<Response> {
        ensure!(call.action != "forbidden", "nobody may call it");
        Annotated(self).call_action(call).await
    }

    #[replaces]
    fn webhooks(&self) -> Vec<&'static str> {
        vec!["/hooks/github"]
    }

    #[replaces]
    async fn call_webhook(&self, _: WebhookCall) -> Result<Webhook> {
        Ok(Webhook::ignore())
    }

    #[replaces]
    fn operators(&self) -> Vec<Operator> {
        Annotated(self).operators().repeat(2)
    }

    #[replaces]
    fn search_operators(&self) -> Vec<SearchOperator> {
        Vec::new()
    }

    #[replaces]
    fn extra_schema(&self) -> Option<Value> {
        Some(json!({ "title": "extra" }))
    }

    #[replaces]
    fn attributes_schema(&self) -> Option<Value> {
        Some(json!({ "title": "attributes" }))
    }
}

fn is_connector(connector: &impl Connector) {
    assert_eq!(connector.display_name(), "GitHub of Acme");
    assert_eq!(connector.description().unwrap(), "Acme");
    assert_eq!(connector.source_types(), [SourceType::Jira]);
    assert_eq!(connector.sync_modes(), [SyncType::Realtime]);
    assert!(connector.read_only() && connector.requires_credentials());
    assert_eq!(connector.actions()[0].name, "list_files");
    assert!(connector.actions()[0].hidden);
    assert_eq!(connector.action_scopes("x").unwrap(), ["x"]);
    assert_eq!(connector.action_output("x").unwrap()["title"], "x");
    assert_eq!(connector.webhooks(), ["/hooks/github"]);
    assert_eq!(connector.operators().len(), 2);
    assert_eq!(connector.search_operators(), []);
    assert_eq!(connector.extra_schema().unwrap()["title"], "extra");
    assert_eq!(connector.attributes_schema().unwrap()["title"], "attributes");
}

fn main() {
    is_connector(&Github { tenant: "Acme".to_owned() });
}
