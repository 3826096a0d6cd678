//! Dry runs of actions: the input with its defaults, the selected credential, and the first request that the connector would
//! change something with. The connector stops that request.

use omni_connector::{AuthType, http::StoppedRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ActionCall, ActionError, Prepared, prepare};
use crate::{shared::Shared, store::runs};

/// The outcome of a dry run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DryRun {
    /// The input with the defaults of its schema.
    pub(crate) input: Value,
    pub(crate) credential: Selected,
    /// The first request that may change something; none if the connector made no such request by `omni_connector::http`.
    pub(crate) stopped: Option<StoppedRequest>,
    /// The status of the connector's answer.
    pub(crate) status: u16,
    pub(crate) answer: Value,
}

/// The credential of a call, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Selected {
    pub(crate) provider: String,
    pub(crate) auth_type: AuthType,
    /// The account, if the credential names one.
    pub(crate) account: Option<String>,
    /// Why it was selected.
    pub(crate) reason: String,
}

/// The connector's answer to a dry run.
#[derive(Deserialize)]
struct Tried {
    stopped: Option<StoppedRequest>,
    status: u16,
    answer: Value,
}

/// Tries an action of a stored source without changing anything in the source.
pub(crate) async fn dry_run(shared: &Shared, call: ActionCall) -> Result<DryRun, ActionError> {
    let ActionCall {
        source_id,
        user_id,
        action,
        params,
        ..
    } = call;
    let source_id = source_id.ok_or(ActionError::NoSourceId)?;
    let mut input = match &params {
        Value::Null => Value::Object(Map::new()),
        params => params.clone(),
    };
    let prepared = prepare(shared, source_id, user_id, &action, params).await?;
    // The connector stops the requests of its whole process.
    if !shared.store.read(runs::running).await?.is_empty() {
        let why = "a run goes on, and its requests would be stopped as well\nhelp: wait for its end, or stop it";
        return Err(unable(Some(why)));
    }
    let answer = prepared.send(shared, "dev/dry-run").await?;
    let tried: Tried = match answer.status.as_u16() {
        200 => serde_json::from_slice(&answer.body).map_err(|_| unable(None))?,
        409 => {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            return Err(unable(body["error"].as_str()));
        }
        _ => return Err(unable(None)),
    };
    fill(&mut input, &prepared.definition.input_schema);
    Ok(DryRun {
        input,
        credential: selected(&prepared),
        stopped: tried.stopped,
        status: tried.status,
        answer: tried.answer,
    })
}

fn unable(why: Option<&str>) -> ActionError {
    let general = "the connector was not started by `cargo omni`, or does not use `omni_connector`";
    ActionError::NoDryRun(why.unwrap_or(general).to_owned())
}

fn selected(prepared: &Prepared) -> Selected {
    let credential = &prepared.credential;
    let reason = match (&prepared.actor, &credential.user_id) {
        (Some(actor), Some(_)) => format!("`{}` has connected this account", actor.email),
        (Some(_), None) if prepared.definition.admin_only => {
            "the action is for administrators, who act with the organisation's".to_owned()
        }
        (Some(actor), None) => format!(
            "`{}` has connected no account, so it is the organisation's",
            actor.email
        ),
        (None, _) => "no person calls, so it is the organisation's".to_owned(),
    };
    Selected {
        provider: credential.provider.clone(),
        auth_type: credential.auth_type,
        account: credential.principal_email.clone(),
        reason,
    }
}

/// Adds the defaults of absent fields, also in objects that are present.
fn fill(value: &mut Value, schema: &Value) {
    let (Value::Object(fields), Some(properties)) = (value, schema["properties"].as_object())
    else {
        return;
    };
    for (name, schema) in properties {
        match (fields.get_mut(name), schema.get("default")) {
            (Some(field), _) => fill(field, schema),
            (None, Some(default)) => insert(fields, name, default),
            (None, None) => {}
        }
    }
}

fn insert(fields: &mut Map<String, Value>, name: &str, default: &Value) {
    fields.insert(name.to_owned(), default.clone());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_fields_get_their_defaults_at_any_depth() {
        let days = json!({ "type": "integer", "default": 3 });
        let schema = json!({ "type": "object", "properties": {
            "title": { "type": "string" }, "days": days, "loan": { "type": "object", "properties": { "days": days } },
            "note": { "type": "object", "properties": { "days": days } },
        } });
        let mut input = json!({ "days": 9, "loan": {} });
        fill(&mut input, &schema);
        assert_eq!(input, json!({ "days": 9, "loan": { "days": 3 } }));
    }
}
