//! A decoding error: a value with an unexpected shape, and its path.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};
use serde_json::Value;

/// The error and its path. Boxed, because every decoding step passes it on.
#[derive(Debug)]
pub(super) struct Misfit(Box<Place>);

#[derive(Debug)]
struct Place {
    /// The path, innermost step first.
    steps: Vec<Step>,
    /// Serde's message.
    message: String,
}

#[derive(Debug)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Misfit {
    pub(super) fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the path, such as `items[2].port`; empty for the value itself.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in self.0.steps.iter().rev() {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => path.extend([".", key]),
                Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
            }
        }
        path
    }

    pub(super) fn below(mut self, step: Step) -> Self {
        self.0.steps.push(step);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Misfit {}

impl Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(Place {
            steps: Vec::new(),
            message: message.to_string(),
        }))
    }
}

/// Builds the error for a value whose kind differs from the expected one.
pub(super) fn misfit(value: &Value, expected: &dyn Expected) -> Misfit {
    let unexpected = match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), _, _) => Unexpected::Unsigned(number),
            (None, Some(number), _) => Unexpected::Signed(number),
            (None, None, Some(number)) => Unexpected::Float(number),
            (None, None, None) => Unexpected::Other("number"),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    Misfit::invalid_type(unexpected, expected)
}
