//! What a person changes in the pane of the sources: settings, the secret, and the source itself.

use axum::response::{IntoResponse, Response};
use omni_connector::AuthType;
use serde_json::{Value, json};

use super::{
    Page,
    frame::{Frame, Pane},
    sent::Sent,
    show::{Html, counted},
    source::{Data, Editing, New, render},
};
use crate::rules::{self, Changes, Description, Refusal, Secret};

/// Saves the settings, or answers with the form in another shape.
pub(super) async fn save(sent: Sent) -> Response {
    match try_save(&sent).await {
        Ok(Saved::As(id)) => {
            let to = format!("{}?source={id}", Pane::Source.path());
            let done = "Saved. The next sync uses these settings.".to_owned();
            sent.end(&to, Ok(done))
        }
        Ok(Saved::NotYet(answer)) => answer,
        Err(refusal) => sent.end_at(Pane::Source, Err(refusal)),
    }
}

enum Saved {
    As(String),
    /// The form is answered with another form.
    NotYet(Response),
}

async fn try_save(sent: &Sent) -> Result<Saved, Refusal> {
    let Sent {
        page,
        frame,
        ask,
        fields,
    } = sent;
    let schemas = page.shared.workbench.schemas();
    let is_new = ask.get("new").is_some() || frame.source.is_none();
    let decoded = sent.object(schemas.config.as_ref(), "The settings are")?;
    let editing = Editing {
        name: sent.field("name").trim().to_owned(),
        config: decoded.value,
        faults: decoded.faults,
        is_new,
    };
    if editing.name.is_empty() {
        return Err(Refusal::BadRequest("A source needs a name.".to_owned()));
    }
    if fields.is_reshaped() || !editing.faults.is_empty() {
        let new = if is_new { New::Empty } else { New::No };
        let mut data = Data::new(frame, schemas, new);
        data.editing = editing;
        let form = Html(frame.page(Pane::Source, render(frame, &data)));
        return Ok(Saved::NotYet(form.into_response()));
    }
    put(page, frame, editing).await.map(Saved::As)
}

async fn put(page: &Page, frame: &Frame, editing: Editing) -> Result<String, Refusal> {
    let shared = &page.shared;
    if let (Some(one), false) = (&frame.source, editing.is_new) {
        let changes = Changes {
            name: Some(editing.name),
            config: Some(editing.config),
            secret: None,
        };
        let source = rules::change(shared, one.source.id.clone(), changes).await?;
        return Ok(source.id);
    }
    let types = frame
        .manifest
        .as_ref()
        .map(|manifest| &manifest.source_types);
    let Some(source_type) = types.and_then(|types| types.first()) else {
        return Err(Refusal::Conflict(
            "No connector has registered, so the type of the source is unknown.".to_owned(),
        ));
    };
    let description = Description {
        name: editing.name,
        source_type: source_type.clone(),
        config: Some(editing.config),
        secret: None,
        // Actions need a row, be it empty.
        needs_credential: true,
    };
    let described = rules::describe(shared, &page.descriptions, description).await?;
    Ok(described.source.id)
}

/// Replaces the secret. It is never sent back.
pub(super) async fn secret(sent: Sent) -> Response {
    let done = try_secret(&sent).await;
    sent.end_at(Pane::Source, done)
}

async fn try_secret(sent: &Sent) -> Result<String, Refusal> {
    let one = sent.source()?;
    let schemas = sent.page.shared.workbench.schemas();
    let schema = schemas.credentials.as_ref();
    let schema = schema.filter(|_| sent.fields.get("json").is_none());
    let read = sent.object(schema, "The secret is").ok();
    let credentials = read
        .filter(|read| read.faults.is_empty())
        .map(|read| read.value)
        .filter(Value::is_object);
    // What was typed is secret, so nothing of it is repeated.
    let credentials = credentials.ok_or_else(|| {
        Refusal::BadRequest(
            "The secret was not kept: it is not a JSON object of the expected form.".to_owned(),
        )
    })?;
    let auth_type = serde_json::from_value(json!(sent.field("auth_type"))).ok();
    let secret = Secret {
        provider: None,
        auth_type: auth_type.unwrap_or(AuthType::ApiKey),
        credentials,
    };
    let changes = Changes {
        secret: Some(secret),
        ..Changes::default()
    };
    rules::change(&sent.page.shared, one.source.id.clone(), changes).await?;
    Ok("The secret was kept. It is not shown again.".to_owned())
}

/// Forgets the secret.
pub(super) async fn sign_out(sent: Sent) -> Response {
    let done = async {
        let one = sent.source()?;
        let changes = Changes {
            secret: Some(Secret::none()),
            ..Changes::default()
        };
        rules::change(&sent.page.shared, one.source.id.clone(), changes).await?;
        let name = &one.source.name;
        Ok(format!(
            "The secret of {name} is forgotten here. The source itself may still accept it."
        ))
    }
    .await;
    sent.end_at(Pane::Source, done)
}

/// Removes the source with everything that it brought.
pub(super) async fn remove(sent: Sent) -> Response {
    let done = async {
        let one = sent.source()?;
        rules::remove_source(&sent.page.shared, one.source.id.clone()).await?;
        let documents = counted(one.documents, "document");
        Ok(format!("Removed {} with {documents}.", one.source.name))
    }
    .await;
    sent.end(Pane::Source.path(), done)
}
