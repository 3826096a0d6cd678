//! Values against types: decoding, schemas as Omni takes them, limits, and checks of a whole manifest.

mod check;
mod credential;
mod decode;
mod input;
mod limits;
#[cfg(feature = "mcp")]
mod republish;
mod simplify;

#[cfg(feature = "mcp")]
pub(crate) use check::LONGEST_TOOL_NAME;
pub(crate) use check::is_free_path;
pub use check::{Problem, RESERVED_OPERATORS, Severity, check};
pub(crate) use decode::decode_field;
pub use decode::{DecodeError, decode};
pub use input::{REFUSED_KEYS, SchemaError, check_input_schema};
pub(crate) use limits::{Rule, compare};
#[cfg(feature = "mcp")]
pub(crate) use republish::republished_schema;
pub(crate) use simplify::{
    DOCUMENT_MARK, DOCUMENT_NAMES, Null, safe_part, safe_schema, unmark_documents,
};
