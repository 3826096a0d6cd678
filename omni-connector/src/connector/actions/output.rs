//! The values that an action may return, and their conversion to answers.
//!
//! Generated code passes the result of every action to [`action_answer`].

use anyhow::Result;
use axum::response::Response;
use serde::Serialize;

use super::ActionResponse;

/// A value that an action can return: a serializable value (the `result` of the JSON answer), a [`File`](super::File),
/// a [`Text`] or a [`Raw`] response.
#[diagnostic::on_unimplemented(
    message = "an action cannot return `{Self}`",
    label = "cannot be returned",
    note = "help: actions return `Result<T>` where `T: Serialize`, or `Result<File>`"
)]
pub trait ActionOutput {
    /// Converts the value to the answer.
    ///
    /// # Errors
    /// The value cannot be serialized as JSON.
    fn into_answer(self) -> Result<Response>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> ActionOutput for T {
    fn into_answer(self) -> Result<Response> {
        ActionResponse::succeeded(&self)
    }
}

/// A string that is shown unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl ActionOutput for Text {
    fn into_answer(self) -> Result<Response> {
        Ok(axum::response::IntoResponse::into_response(self.0))
    }
}

/// A response that is sent to the caller unchanged.
#[derive(Debug)]
pub struct Raw(pub Response);

impl ActionOutput for Raw {
    fn into_answer(self) -> Result<Response> {
        Ok(self.0)
    }
}

/// The return type of a function with `#[action]`: `Result<T, E>` with any error.
#[diagnostic::on_unimplemented(
    message = "an action cannot return `{Self}`",
    label = "cannot be returned",
    note = "help: actions return `Result<T>` where `T: Serialize`, or `Result<File>`"
)]
pub trait ActionReturn {
    /// Converts the result to an answer, or to the error of the action.
    ///
    /// # Errors
    /// The error of the action.
    fn into_result(self) -> Result<Response>;
}

impl<T: ActionOutput, E: Into<anyhow::Error>> ActionReturn for Result<T, E> {
    fn into_result(self) -> Result<Response> {
        self.map_err(Into::into)?.into_answer()
    }
}

/// Makes the answer of an action.
///
/// # Errors
/// The error of the action.
pub fn action_answer(returned: impl ActionReturn) -> Result<Response> {
    returned.into_result()
}
