//! A connector with sign-in.

use std::{
    env,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use omni_connector::{
    ActionDefinition, ActionMode, ActionResponse, Connector, CredentialReady, ManagerClient,
    OAuthConfig, Response, ServiceCredential, Source, SourceType, SyncContext, async_trait,
};
use serde_json::{Value, json};

/// A connector whose people sign in at the provider. Records who did.
pub(crate) struct Signed {
    pub(crate) issuer: String,
    /// Whether clients register dynamically.
    pub(crate) registers: bool,
    pub(crate) told: Arc<Mutex<Vec<CredentialReady>>>,
}

/// Environment variable with the issuer, for a connector in another process.
pub(crate) const ISSUER: &str = "INTEROP_ISSUER";
/// Environment variable that turns on dynamic registration.
pub(crate) const REGISTERS: &str = "INTEROP_REGISTERS";

/// Serves the connector for the manager that started this process.
pub(crate) async fn serve() -> Result<()> {
    let connector = Signed {
        issuer: env::var(ISSUER).context("no issuer")?,
        registers: env::var_os(REGISTERS).is_some(),
        told: Arc::default(),
    };
    omni_connector::serve(connector).await
}

#[async_trait]
impl Connector for Signed {
    type Config = Value;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "signed"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Github]
    }

    fn oauth_config(&self) -> Option<OAuthConfig> {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let config = OAuthConfig::new("github", at("/auth"), at("/token"), at("/me"))
            .identity_scopes(["openid", "email"])
            .read_scopes(SourceType::Github, ["api:read"])
            .write_scopes(SourceType::Github, ["api:write"]);
        Some(if self.registers {
            config.registered_at(at("/reg"))
        } else {
            config
        })
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        vec![ActionDefinition {
            name: "token".to_owned(),
            description: "Says with which token it was called.".to_owned(),
            input_schema: json!({ "type": "object", "properties": {} }),
            mode: ActionMode::Write,
            source_types: Vec::new(),
            admin_only: false,
            hidden: false,
        }]
    }

    fn action_scopes(&self, _: &str) -> Option<Vec<String>> {
        Some(vec!["api:write".to_owned()])
    }

    async fn execute_action(
        &self,
        _: &str,
        _: Value,
        credentials: Option<ServiceCredential>,
    ) -> Result<Response> {
        let token = credentials.map(|row| row.credentials["access_token"].clone());
        Ok(ActionResponse::success(token.unwrap_or_default()).into_response())
    }

    async fn credential_ready(&self, ready: CredentialReady, _: &ManagerClient) -> Result<()> {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(ready);
        Ok(())
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        _: Option<Value>,
        _: SyncContext,
    ) -> Result<()> {
        Ok(())
    }
}
