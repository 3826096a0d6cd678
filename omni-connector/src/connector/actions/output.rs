//! What an action may return, and the answer it becomes.
//!
//! Generated code hands the result of an action to [`answer`], whatever its type.

use anyhow::Result;
use axum::response::Response;
use serde::Serialize;

use super::ActionResponse;

/// A value that an action can return: anything that serializes (the `result` of the JSON answer), a [`File`](super::File), a
/// [`Text`], or a [`Raw`] response.
#[diagnostic::on_unimplemented(
    message = "an action cannot return `{Self}`",
    label = "cannot be returned",
    note = "help: actions return `Result<T>` where `T: Serialize`, or `Result<File>`"
)]
pub trait ActionOutput {
    /// The answer.
    ///
    /// # Errors
    /// The value cannot be written as JSON.
    fn into_answer(self) -> Result<Response>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> ActionOutput for T {
    fn into_answer(self) -> Result<Response> {
        ActionResponse::succeeded(&self)
    }
}

/// A text, shown as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl ActionOutput for Text {
    fn into_answer(self) -> Result<Response> {
        Ok(axum::response::IntoResponse::into_response(self.0))
    }
}

/// A response of one's own, relayed to the caller word for word.
#[derive(Debug)]
pub struct Raw(pub Response);

impl ActionOutput for Raw {
    fn into_answer(self) -> Result<Response> {
        Ok(self.0)
    }
}

/// What a function with `#[action]` returns: `Result<T, E>` of any error.
#[diagnostic::on_unimplemented(
    message = "an action cannot return `{Self}`",
    label = "cannot be returned",
    note = "help: actions return `Result<T>` where `T: Serialize`, or `Result<File>`"
)]
pub trait ActionReturn {
    /// The answer, or the error that becomes one.
    ///
    /// # Errors
    /// Those of the action.
    fn into_result(self) -> Result<Response>;
}

impl<T: ActionOutput, E: Into<anyhow::Error>> ActionReturn for Result<T, E> {
    fn into_result(self) -> Result<Response> {
        self.map_err(Into::into)?.into_answer()
    }
}

/// The answer of an action.
///
/// # Errors
/// Those of the action.
pub fn answer(returned: impl ActionReturn) -> Result<Response> {
    returned.into_result()
}
