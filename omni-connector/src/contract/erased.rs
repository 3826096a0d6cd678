//! A connector without its type, so that the runtime is compiled once and not in every connector's crate.

#[cfg(feature = "mcp")]
use std::collections::HashSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    BoxFuture, Connector, DecodeError, IntegrationType, Manifest, ManifestAction,
    ServiceCredential, Source, decode,
};
use crate::run::SyncContext;

/// A connector as the runtime holds it: everything that [`Connector`] says without its types, and here what needs them.
/// Implemented for every [`Connector`] and for nothing else.
pub(crate) trait ErasedConnector: Connector {
    /// Decodes everything into the connector's types, to see whether it can be.
    fn check(
        &self,
        source: &Source,
        credentials: Option<&ServiceCredential>,
        checkpoint: Option<&Value>,
    ) -> Result<(), DecodeError>;
    /// Calls [`Connector::sync`] with the checkpoint as it was saved.
    fn sync_from(
        &self,
        source: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Value>,
        ctx: SyncContext,
    ) -> BoxFuture<'_, Result<()>>;
}

impl dyn ErasedConnector {
    pub(crate) fn manifest(&self, connector_url: &str) -> Manifest {
        let source_types = self.source_types();
        let actions = self.actions().into_iter().map(|action| ManifestAction {
            required_scopes: self.action_scopes(&action.name),
            name: action.name,
            description: action.description,
            input_schema: action.input_schema,
            mode: action.mode,
            // An empty list reads as "everywhere" and is refused at dispatch (protocol.md §6.2).
            source_types: if action.source_types.is_empty() {
                source_types.clone()
            } else {
                action.source_types
            },
            admin_only: action.admin_only,
            hidden: action.hidden,
        });
        Manifest {
            name: self.name().to_owned(),
            display_name: self.display_name(),
            version: self.version().to_owned(),
            sync_modes: self.sync_modes(),
            connector_id: self.name().to_owned(),
            connector_url: connector_url.trim_end_matches('/').to_owned(),
            integration_type: IntegrationType::Connector,
            actions: actions.collect(),
            source_types: source_types.iter().map(ToString::to_string).collect(),
            description: self.description(),
            search_operators: self.search_operators(),
            read_only: self.read_only(),
            extra_schema: self.extra_schema(),
            attributes_schema: self.attributes_schema(),
            mcp_enabled: false,
            mcp_catalog_loaded: false,
            resources: Vec::new(),
            prompts: Vec::new(),
            skills: self.skills(),
            oauth: self
                .oauth_config()
                .map(|oauth| serde_json::to_value(oauth).unwrap_or_default()),
        }
    }

    #[cfg(feature = "mcp")]
    pub(crate) fn action_names(&self) -> HashSet<String> {
        self.actions()
            .into_iter()
            .map(|action| action.name)
            .collect()
    }
}

impl<C: Connector> ErasedConnector for C {
    fn check(
        &self,
        source: &Source,
        credentials: Option<&ServiceCredential>,
        checkpoint: Option<&Value>,
    ) -> Result<(), DecodeError> {
        decode::<C::Config>("config", source.config.clone())?;
        if let Some(credentials) = credentials {
            decode::<C::Credentials>("credentials", credentials.credentials.clone())?;
        }
        if let Some(checkpoint) = checkpoint {
            decode::<C::State>("checkpoint", checkpoint.clone())?;
        }
        Ok(())
    }

    fn sync_from(
        &self,
        source: Source,
        credentials: Option<ServiceCredential>,
        checkpoint: Option<Value>,
        ctx: SyncContext,
    ) -> BoxFuture<'_, Result<()>> {
        let checkpoint = checkpoint
            .map(|value| decode::<C::State>("checkpoint", value))
            .transpose();
        Box::pin(async move {
            let checkpoint =
                checkpoint.context("the checkpoint changed its shape since it was saved")?;
            Connector::sync(self, source, credentials, checkpoint, ctx).await
        })
    }
}
