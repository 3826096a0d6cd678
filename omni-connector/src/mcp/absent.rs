//! What stands in place of the bridges when the feature `mcp` is off: a bridge that nobody can have.

#![allow(
    clippy::unused_async,
    reason = "the signatures are those of the real bridge"
)]

use std::sync::Arc;

use anyhow::{Result, bail};
use axum::response::Response;
use serde_json::Value;

use crate::{
    connector::{ActionCall, ActionError, ErasedConnector},
    server::ServerConfig,
    wire::{Manifest, McpCredentials},
};

pub(crate) enum Bridge {}

impl Bridge {
    pub(crate) fn of(_: &Arc<dyn ErasedConnector>, _: &ServerConfig) -> Option<Arc<Self>> {
        None
    }

    pub(crate) fn start(self: &Arc<Self>) {
        match **self {}
    }

    pub(crate) fn complete(&self, _: &mut Manifest) {
        match *self {}
    }

    pub(crate) async fn changed(&self) {
        match *self {}
    }

    pub(crate) async fn discover(&self, _: Option<&McpCredentials>) -> Result<bool, ActionError> {
        match *self {}
    }

    pub(crate) fn discover_later(self: &Arc<Self>, _: Option<McpCredentials>) {
        match **self {}
    }

    pub(crate) async fn has_tool(&self, _: &ActionCall) -> bool {
        match *self {}
    }

    pub(crate) async fn call_tool(&self, _: ActionCall) -> Result<Response> {
        match *self {}
    }

    pub(crate) async fn read_resource(
        &self,
        _: String,
        _: Option<&McpCredentials>,
    ) -> Result<Value, ActionError> {
        match *self {}
    }

    pub(crate) async fn get_prompt(
        &self,
        _: String,
        _: Option<serde_json::Map<String, Value>>,
        _: Option<&McpCredentials>,
    ) -> Result<Value, ActionError> {
        match *self {}
    }

    pub(crate) async fn close(&self) {
        match *self {}
    }
}

/// Says how to get what was asked for.
pub(crate) async fn serve_mcp(_: Arc<dyn ErasedConnector>, _: &[String]) -> Result<()> {
    bail!(
        "this connector was built without MCP\nhelp: in its Cargo.toml, `omni-connector = {{ …, features = [\"mcp\"] }}`"
    )
}
