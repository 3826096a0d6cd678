//! Decides who may act. Each gate is an argument of the functions that it guards, so it is checked before any request.

use std::collections::HashMap;

use omni_connector::{
    arguments::{CallOf, OfAction},
    prelude::*,
};
use serde::de::DeserializeOwned;

use crate::settings::Settings;

type Action<K> = CallOf<K, OfAction>;
/// The caller's unchanged input.
type Raw = Args<HashMap<String, Value>>;

/// The acting person, who is a participant.
pub(crate) struct Participant {
    pub(crate) email: String,
    pub(crate) settings: Settings,
}

impl<K: Connector> FromCall<Action<K>> for Participant {
    fn from_call(call: &mut Action<K>) -> Result<Self, ActionError> {
        let settings: Settings = call.config()?;
        let Actor { email } = call.supply()?;
        if !settings.admits(&email) {
            return Err(ActionError::forbidden(
                "you do not take part in the actions of this source; ask its admin to add your address to the participants",
            ));
        }
        Ok(Self { email, settings })
    }
}

/// The arguments of a self-service action: the acting person, and the input, which names no other employee.
pub(crate) struct Mine<T> {
    pub(crate) me: Participant,
    pub(crate) input: T,
}

impl<K: Connector, T: DeserializeOwned + JsonSchema> FromCall<Action<K>> for Mine<T> {
    fn from_call(call: &mut Action<K>) -> Result<Self, ActionError> {
        const IDENTITY: [&str; 5] = [
            "employee_id",
            "employee_no",
            "email",
            "company_email_id",
            "user_id",
        ];
        let me = call.supply()?;
        let Args(params) = call.supply::<Raw>()?;
        if let Some(key) = IDENTITY.iter().find(|key| params.contains_key(**key)) {
            return Err(ActionError::bad_request(format!(
                "this action is about the person who acts; leave `{key}` out"
            )));
        }
        let params = params
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect();
        Ok(Self {
            me,
            input: omni_connector::decode("params", Value::Object(params))?,
        })
    }

    const INPUT: Option<fn() -> Value> = <Args<T> as FromCall<Action<K>>>::INPUT;
}

/// Proves that writing to the source is allowed. Every write requires it.
pub(crate) struct MayWrite(());

impl<K: Connector> FromCall<Action<K>> for MayWrite {
    fn from_call(call: &mut Action<K>) -> Result<Self, ActionError> {
        let settings: Settings = call.config()?;
        if settings.is_read_only() {
            return Err(ActionError::forbidden(
                "this source is read-only; its admin can allow changes in its settings",
            ));
        }
        Ok(Self(()))
    }
}
