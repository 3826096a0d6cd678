//! A fake Darwinbox behind the setup of `omni-connector-dev`.

use std::ops::Deref;

use omni_connector::{AuthType, SyncType, prelude::*};
use omni_connector_dev::testing::{Ended, Setup};

use crate::fake::Fake;

pub(crate) const ADA: &str = "ada.light@example.com";
pub(crate) const BOB: &str = "bob@example.com";
pub(crate) const CAROL: &str = "carol@example.com";

/// Everything that runs in a test.
pub(crate) struct World {
    pub(crate) hr: Fake,
    setup: Setup,
}

impl Deref for World {
    type Target = Setup;

    fn deref(&self) -> &Setup {
        &self.setup
    }
}

/// The credential of the recording.
pub(crate) fn basic() -> Value {
    json!({
        "auth_type": "basic", "username": "hr-user", "password": "hr-pass", "api_key": "hr-key", "dataset_key": "hr-set",
    })
}

/// A config under which everybody may do everything.
pub(crate) fn open(hr: &Fake) -> Value {
    json!({ "base_url": hr.url, "read_only": false, "authorization": { "participant_mode": "all", "max_batch_size": 1 } })
}

impl World {
    pub(crate) async fn start() -> Self {
        let hr = Fake::start().await;
        let config = open(&hr);
        Self::with(hr, config, AuthType::BasicAuth, basic()).await
    }

    pub(crate) async fn with(hr: Fake, config: Value, auth_type: AuthType, secret: Value) -> Self {
        let setup = Setup::of(env!("CARGO_BIN_EXE_darwinbox"))
            .config(config)
            .credentials(secret)
            .auth_type(auth_type)
            .recorded();
        let setup = setup.start().await;
        Self { hr, setup }
    }

    /// A world after its first sync.
    pub(crate) async fn synced() -> Self {
        let world = Self::start().await;
        world.sync(SyncType::Full).await;
        world
    }

    /// The result of a call that succeeds.
    pub(crate) async fn ask(&self, action: &str, params: Value, actor: &str) -> Value {
        let called = self.try_call(action, params, Some(actor)).await;
        called.unwrap_or_else(|(status, message)| panic!("{action}: {status} {message}"))
    }

    /// The status and the error of a call that does not.
    pub(crate) async fn refused(&self, action: &str, params: Value, actor: &str) -> (u16, String) {
        let called = self.try_call(action, params, Some(actor)).await;
        called.expect_err(action)
    }

    /// Ids of all documents whose kind has this prefix.
    pub(crate) async fn ids_of(&self, prefix: &str) -> Vec<String> {
        let prefix = format!("darwinbox:{prefix}");
        let ids = self.ids().await.into_iter();
        ids.filter(|id| id.starts_with(&prefix)).collect()
    }
}

/// What the report of a run names.
pub(crate) fn report(ended: &Ended) -> String {
    serde_json::to_string(ended.report()).unwrap()
}
