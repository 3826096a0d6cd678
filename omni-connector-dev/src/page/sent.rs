//! A form that was sent to the page: who sent it, what it holds, and how its end is answered. A browser is led to a pane that
//! says what came of it; a program that accepts JSON gets the same as JSON.

use axum::{
    Form, Json,
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Page,
    answer::{Ask, back, sentence},
    form::{self, Decoded, Fields},
    frame::{Frame, Pane},
};
use crate::rules::{Listed, Refusal};

/// A form with the page that it was sent from.
pub(super) struct Sent {
    pub(super) page: Page,
    pub(super) frame: Frame,
    pub(super) ask: Ask,
    pub(super) fields: Fields,
}

impl FromRequest<Page> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, page: &Page) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let ask = Ask::from_request_parts(&mut parts, page).await?;
        let request = Request::from_parts(parts, body);
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, page)
            .await
            .map_err(IntoResponse::into_response)?;
        let frame = Frame::read(page, &ask)
            .await
            .map_err(|error| Refusal::from(error).into_response())?;
        Ok(Self {
            page: page.clone(),
            frame,
            ask,
            fields: Fields::new(fields),
        })
    }
}

impl Sent {
    /// The source that the form is about.
    pub(super) fn source(&self) -> Result<&Listed, Refusal> {
        let none = || {
            Refusal::NotFound("There is no source yet; save the settings of one first.".to_owned())
        };
        self.frame.source.as_ref().ok_or_else(none)
    }

    /// A field, or an empty text.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_default()
    }

    /// A value written as JSON. `subject` begins the message about a text that is not JSON, such as `The settings are`.
    pub(super) fn json(&self, name: &str, subject: &str) -> Result<Value, Refusal> {
        serde_json::from_str(self.field(name)).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Refusal::BadRequest(format!(
                "{subject} not JSON at line {line}, column {column}."
            ))
        })
    }

    /// A whole number above zero, or none if the field is empty. `subject` begins the message about anything else.
    pub(super) fn number(&self, name: &str, subject: &str) -> Result<Option<u64>, Refusal> {
        let text = self.field(name).trim();
        match text.parse::<u64>() {
            _ if text.is_empty() => Ok(None),
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(Refusal::BadRequest(format!(
                "{subject} is a whole number above zero, not `{text}`."
            ))),
        }
    }

    /// A JSON object out of the controls of a schema; out of the field `json` where there is no schema, or where the form says
    /// so.
    pub(super) fn object(&self, schema: Option<&Value>, subject: &str) -> Result<Decoded, Refusal> {
        if let Some(schema) = schema.filter(|_| self.fields.get("as_json").is_none()) {
            return Ok(form::decode(schema, &self.fields));
        }
        let value = self.json("json", subject)?;
        if !value.is_object() {
            return Err(Refusal::BadRequest(format!("{subject} not a JSON object.")));
        }
        Ok(Decoded {
            value,
            ..Decoded::default()
        })
    }

    /// Answers with what came of the form. A browser goes to a path of the page.
    pub(super) fn end(&self, to: &str, done: Result<String, Refusal>) -> Response {
        self.end_with(to, &[], done)
    }

    /// Answers with what came of the form. A program gets these members as well.
    pub(super) fn end_with(
        &self,
        to: &str,
        members: &[(&str, &str)],
        done: Result<String, Refusal>,
    ) -> Response {
        match done {
            Ok(done) if self.ask.wants_json() => {
                let mut answer = json!({ "done": done });
                for (name, value) in members {
                    answer[*name] = json!(value);
                }
                Json(answer).into_response()
            }
            Err(refusal) if self.ask.wants_json() => refusal.into_response(),
            Ok(done) => {
                if !done.is_empty() {
                    self.page.say(done);
                }
                back(to)
            }
            Err(refusal) => {
                self.page.show_error(sentence(refusal));
                back(to)
            }
        }
    }

    /// Answers with what came of the form, and leads a browser to a pane.
    pub(super) fn end_at(&self, pane: Pane, done: Result<String, Refusal>) -> Response {
        self.end(&self.frame.link(pane.path(), &[]), done)
    }
}
