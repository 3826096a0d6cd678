//! What a call sends: its query, its headers and its body.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
    multipart::Form,
};
use serde::Serialize;
use serde_json::Value;

use super::Call;
use crate::http::auth::remove_parameter;

/// The body of a request.
#[derive(Clone)]
pub(in crate::http) enum Body {
    Empty,
    Json(Value),
    Bytes(Bytes),
    /// A form whose parts may be streams, so it can be sent only once.
    Once(Arc<Mutex<Option<Form>>>),
}

impl Call {
    pub(in crate::http) fn set_invalid(&mut self, why: impl fmt::Display) {
        self.invalid.get_or_insert_with(|| why.to_string());
    }

    /// Adds query parameters. Those with the value `None` are omitted.
    pub fn query(mut self, parameters: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(parameters) {
            Ok(more) if more.is_empty() => {}
            Ok(more) => {
                if let Ok(url) = &mut self.url {
                    let query = match url.query().filter(|query| !query.is_empty()) {
                        Some(query) => format!("{query}&{more}"),
                        None => more,
                    };
                    url.set_query(Some(&query));
                }
            }
            Err(error) => self.set_invalid(format_args!("the query cannot be written: {error}")),
        }
        self
    }

    /// Sets a header.
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        match (
            name.parse::<HeaderName>(),
            HeaderValue::from_str(value.as_ref()),
        ) {
            (Ok(name), Ok(value)) => drop(self.headers.insert(name, value)),
            _ => self.set_invalid(format_args!("`{name}` cannot be sent as a header")),
        }
        self
    }

    /// Sends a JSON body.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_value(body) {
            Ok(body) => {
                self.body = Body::Json(body);
                self.content_type("application/json")
            }
            Err(error) => {
                self.set_invalid(format_args!("the body cannot be written as JSON: {error}"));
                self
            }
        }
    }

    /// Sends form fields.
    pub fn form(mut self, fields: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(fields) {
            Ok(fields) => self.bytes(fields, "application/x-www-form-urlencoded"),
            Err(error) => {
                self.set_invalid(format_args!("the form cannot be written: {error}"));
                self
            }
        }
    }

    /// Sends bytes with this media type.
    pub fn bytes(mut self, body: impl Into<Bytes>, media_type: &str) -> Self {
        self.body = Body::Bytes(body.into());
        self.content_type(media_type)
    }

    /// Sends a multipart form. It is sent at most once, since its parts may be streams.
    pub fn multipart(mut self, form: Form) -> Self {
        self.body = Body::Once(Arc::new(Mutex::new(Some(form))));
        self
    }

    fn content_type(self, media_type: &str) -> Self {
        self.header(CONTENT_TYPE.as_str(), media_type)
    }

    /// Declares that repeating the call has no further effect, such as a search sent as `POST`.
    pub fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    /// Prevents retries although the method allows them. The call is still retried if the source did not
    /// receive it.
    pub fn once(mut self) -> Self {
        self.is_repeatable = false;
        self
    }

    /// Sends a key by which the source recognises a repeated call, which makes the call repeatable.
    pub fn idempotency_key(self, key: impl AsRef<str>) -> Self {
        self.header("idempotency-key", key).repeatable()
    }

    /// Sets the time limit of one attempt, from sending to the last byte; the default is a minute.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Names the operation in messages, metrics and spans. The default is the method and the path, with ids replaced.
    pub fn named(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(operation.into());
        self
    }

    /// Sets one query parameter, and replaces an existing one of this name.
    pub(in crate::http) fn set_parameter(&mut self, name: &str, value: &Value) {
        let Ok(url) = &mut self.url else { return };
        remove_parameter(url, name);
        let value = match value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        };
        url.query_pairs_mut().append_pair(name, &value);
    }

    /// Sets one field of the JSON body, and creates missing objects on the way.
    pub(in crate::http) fn set_body_field(&mut self, pointer: &str, value: &Value) {
        if matches!(self.body, Body::Empty) {
            *self = self.clone().json(&Value::Object(serde_json::Map::new()));
        }
        let Body::Json(body) = &mut self.body else {
            return self.set_invalid(format_args!(
                "`{pointer}` can only be put into a body of JSON"
            ));
        };
        let mut place = body;
        for key in pointer.split('/').skip(1) {
            if place.is_null() {
                *place = Value::Object(serde_json::Map::new());
            }
            let Some(object) = place.as_object_mut() else {
                return self.set_invalid(format_args!(
                    "`{pointer}` leads through something that is not an object"
                ));
            };
            place = object
                .entry(key.replace("~1", "/").replace("~0", "~"))
                .or_insert(Value::Null);
        }
        *place = value.clone();
    }
}
