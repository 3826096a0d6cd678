//! The client of Darwinbox's API: its keys, its errors, and its retries.

use std::time::Duration;

use omni_connector::{
    http::{Answer, Call, Refusal, Verdict},
    prelude::*,
};

use crate::{
    credentials::{SIGN_IN, Secret},
    gates::MayWrite,
    record::Record,
    settings::Settings,
};

/// The list of all employees.
pub(crate) const EMPLOYEES: &str = "masterapi/employee";
/// The size limit of an answer, since one answer contains all employees.
const LIMIT: u64 = 256 << 20;
const WITHIN: Duration = Duration::from_mins(3);

/// A client of Darwinbox. Every function of the connector can take it as an argument.
#[derive(Clone, FromCall)]
pub(crate) struct Hr {
    api: Api,
    secret: Secret,
}

impl ApiClient for Hr {
    type Config = Settings;
    type Credentials = Secret;

    fn connect(settings: &Settings, secret: &Secret) -> Result<Self> {
        let auth = secret.auth(&settings.base_url)?;
        Ok(Self {
            api: api(&settings.base_url).auth(auth),
            secret: secret.clone(),
        })
    }
}

/// Returns the API at this address, without a credential.
pub(crate) fn api(base: &Url) -> Api {
    Api::at(base).limit(LIMIT).refusals(judge)
}

/// Classifies an answer. Darwinbox refuses with status 200 and another `status` in the body.
fn judge(answer: &Answer) -> Verdict {
    let by_status = Verdict::by_status(answer);
    let Some(said) = answer.at("/status").filter(|_| by_status == Verdict::Good) else {
        return by_status;
    };
    if is_good(said) {
        return Verdict::Good;
    }
    let code = said
        .as_str()
        .map_or_else(|| said.to_string(), str::to_owned);
    Verdict::Refused(Refusal::new(format!("status {code}")).message(reason(answer.json())))
}

fn is_good(status: &Value) -> bool {
    let text = status.as_str().map(str::trim);
    status == 1 || status == 200 || status == true || matches!(text, Some("1" | "200"))
}

/// Returns the message of a refusal, with the errors that it lists.
fn reason(body: &Value) -> String {
    let message = body["message"].as_str().unwrap_or_default();
    let errors = match &body["errors"] {
        Value::Null => String::new(),
        Value::Array(none) if none.is_empty() => String::new(),
        errors => errors.to_string(),
    };
    format!("{message} {errors}").trim().to_owned()
}

impl Hr {
    fn call(&self, path: &str, mut body: Value) -> Call {
        if let Some(key) = self.secret.api_key() {
            body["api_key"] = key.expose().into();
        }
        if path == EMPLOYEES {
            body["datasetKey"] = self.secret.dataset_key().expose().into();
        }
        self.api
            .post(path)
            .json(&body)
            .within(WITHIN)
            .named(format!("POST {path}"))
    }

    /// Sends a request that changes nothing. It is repeated when Darwinbox fails.
    pub(crate) async fn read(&self, path: &str, body: Value) -> Result<Value, SourceError> {
        self.call(path, body)
            .repeatable()
            .read()
            .await
            .map_err(without_body)
    }

    /// Sends a request that changes something, once. It is repeated only when Darwinbox certainly did not execute it.
    pub(crate) async fn write(
        &self,
        _: &MayWrite,
        path: &str,
        body: Value,
    ) -> Result<(), ActionError> {
        let answer: Value = match self.call(path, body).read().await.map_err(without_body) {
            Ok(answer) => answer,
            Err(
                error @ (SourceError::Unavailable { .. }
                | SourceError::TimedOut { .. }
                | SourceError::Unreachable { .. }
                | SourceError::Unreadable { .. }),
            ) => {
                let doubt = "; Darwinbox may have acted on it, so look before you try again";
                return Err(ActionError::upstream(format!("{error}{doubt}")));
            }
            Err(error) => return Err(error.into()),
        };
        let errors = &answer["errors"];
        let has_errors =
            !errors.is_null() && *errors != json!([]) && *errors != json!({}) && *errors != "";
        match answer.get("status") {
            Some(_) if has_errors => Err(ActionError::bad_request(format!(
                "Darwinbox refused it: {}",
                reason(&answer)
            ))),
            Some(_) => Ok(()),
            None => Err(ActionError::upstream(format!(
                "`POST {path}`: Darwinbox does not say that it accepted this; look before you try again"
            ))),
        }
    }

    /// Requests a list of records, which may be under any of the usual names.
    pub(crate) async fn list(
        &self,
        path: &str,
        body: Value,
        names: &[&str],
    ) -> Result<Vec<Value>, SourceError> {
        let mut answer = self.read(path, body).await?;
        for name in names {
            if let Some(Value::Array(list)) = answer.get_mut(name) {
                return Ok(std::mem::take(list));
            }
        }
        match answer {
            Value::Array(list) => Ok(list),
            _ => Err(unreadable(
                path,
                &format!("it has no list under {}", names.join(", ")),
            )),
        }
    }

    /// Requests the rows of a table.
    pub(crate) async fn table(&self, path: &str, body: Value) -> Result<Vec<Record>, SourceError> {
        let answer = self.read(path, body).await?;
        let columns: Option<Vec<String>> = serde_json::from_value(answer["cols"].clone()).ok();
        let rows: Option<Vec<Vec<Value>>> = serde_json::from_value(answer["data"].clone()).ok();
        let (Some(columns), Some(rows)) = (columns, rows) else {
            return Err(unreadable(path, "it is not a table of `cols` and `data`"));
        };
        if rows.iter().any(|row| row.len() != columns.len()) {
            return Err(unreadable(
                path,
                "a row is not as long as the list of columns",
            ));
        }
        Ok(rows
            .iter()
            .map(|row| Record::of_row(&columns, row))
            .collect())
    }
}

/// Makes the error of an answer with an unexpected shape.
pub(crate) fn unreadable(path: &str, why: &str) -> SourceError {
    SourceError::Invalid {
        why: format!("`POST {path}`: the answer cannot be read: {why}"),
    }
}

/// Returns whether the key has no access to this endpoint.
pub(crate) fn is_denied(error: &SourceError) -> bool {
    let is_sign_in = error.at().is_some_and(|at| at.operation == SIGN_IN);
    let is_refused = matches!(
        error,
        SourceError::Unauthorized { .. } | SourceError::Forbidden { .. }
    );
    is_refused && !is_sign_in
}

/// Removes Darwinbox's message about a key, which nobody may see.
fn without_body(mut error: SourceError) -> SourceError {
    if is_denied(&error)
        && let SourceError::Unauthorized { message, .. } | SourceError::Forbidden { message, .. } =
            &mut error
    {
        message.clear();
    }
    error
}
