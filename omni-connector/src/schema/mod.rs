//! Matches values against types: decoding, schemas in Omni's form, limits, and checks of a whole manifest.

mod check;
pub(crate) mod credential;
mod decode;
mod input;
#[cfg(feature = "mcp")]
mod keywords;
mod limits;
#[cfg(feature = "mcp")]
mod republish;
mod simplify;

pub(crate) use check::is_free_path;
#[cfg(test)]
pub(crate) use check::tests as check_tests;
#[cfg(feature = "mcp")]
pub(crate) use check::{LONGEST_NAME, longest_action_name, refused_property};
pub use check::{Problem, RESERVED_OPERATORS, Severity, check};
pub use credential::{CredentialSet, FromCredential, WithSettings};
pub(crate) use credential::{decode_credential, decode_settings};
pub use decode::{DecodeError, decode};
pub(crate) use decode::{
    Keys, Trial, Tried, decode_field, decode_with_keys, is_buffered, is_custom, trial, whole,
};
pub use input::{REFUSED_KEYS, SchemaError, check_input_schema};
pub(crate) use limits::{Rule, check_limits, compare, whole_numbers};
#[cfg(feature = "mcp")]
pub(crate) use republish::republished_schema;
pub use simplify::safe_schema;
pub(crate) use simplify::{
    DOCUMENT_MARK, DOCUMENT_NAMES, NULL_MARK, Null, safe_part, unmark_documents,
};
