//! Calls of a setup's actions, as Omni makes them.

use omni_connector::Manifest;
use serde_json::{Value, json};

use super::{
    setup::{PATIENCE, Setup},
    waiting::reached,
};
use crate::{rules::ActionAnswer, store::users::UserRole};

impl Setup {
    /// Waits until the connector has an action, such as a tool of its MCP server. The list of tools is read after a run began.
    ///
    /// # Panics
    /// It has none of that name within a minute; the message names those that it has.
    pub async fn until_action(&self, action: &str) {
        let names = async || {
            let actions = self.registered().await.actions.into_iter();
            actions.map(|action| action.name).collect::<Vec<_>>()
        };
        let look = async || {
            names()
                .await
                .iter()
                .any(|name| name == action)
                .then_some(())
        };
        if reached(PATIENCE, look).await.is_none() {
            let names = names().await.join(", ");
            panic!("the connector has no action `{action}`; it has: {names}")
        }
    }

    /// Returns the latest registered manifest. A connector with an MCP server registers again when it has read the
    /// server's lists.
    ///
    /// # Panics
    /// Panics if the connector is not registered within a minute.
    pub async fn registered(&self) -> Manifest {
        let id = &self.manifest.connector_id;
        let manifest = self.manager.registration(id, PATIENCE).await;
        manifest.expect("a connector that was registered is registered")
    }

    /// Calls an action as the system, and returns its result.
    ///
    /// # Panics
    /// Panics if the call fails.
    pub async fn call(&self, action: &str, params: Value) -> Value {
        match self.try_call(action, params, None).await {
            Ok(result) => result,
            Err((status, message)) => panic!("{action}: {status} {message}"),
        }
    }

    /// Calls an action as a person, or with `None` as the system. Returns its result, or the status and the message of
    /// its refusal by the manager or the connector.
    ///
    /// ```no_run
    /// # async fn example(setup: omni_connector_dev::testing::Setup) {
    /// use serde_json::json;
    ///
    /// let called = setup.try_call("close_issue", json!({ "key": 7 }), Some("ada@example.com"));
    /// let (status, message) = called.await.unwrap_err();
    /// assert!(status == 400 && message.contains("`key`"), "{message}");
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the answer is no success.
    pub async fn try_call(
        &self,
        action: &str,
        params: Value,
        actor: Option<&str>,
    ) -> Result<Value, (u16, String)> {
        let answer = self.answer(action, params, actor).await;
        let text = String::from_utf8_lossy(&answer.body);
        let mut body: Value = serde_json::from_str(&text).unwrap_or_else(|_| text.as_ref().into());
        if answer.status.is_success() {
            let result = body.get_mut("result").map(Value::take);
            return Ok(result.unwrap_or(body));
        }
        let message = body["error"].as_str().unwrap_or(&text).to_owned();
        Err((answer.status.as_u16(), message))
    }

    /// Calls an action as a person, or with `None` as the system. Returns the unchanged answer, which may be a refusal.
    ///
    /// # Panics
    /// Panics if the manager does not answer.
    pub async fn answer(&self, action: &str, params: Value, actor: Option<&str>) -> ActionAnswer {
        let mut call = json!({ "source_id": self.source.id, "action": action, "params": params });
        if let Some(email) = actor {
            let user = self.manager.user(email, UserRole::User).await;
            call["user_id"] = user.expect("a user is stored").id.into();
        }
        let url = format!("{}/action", self.manager.url());
        let sent = self.http.post(url).json(&call).send().await;
        let answer = sent.expect("the manager answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer
            .bytes()
            .await
            .expect("the manager's answer is complete");
        ActionAnswer {
            status,
            headers,
            body,
        }
    }
}
