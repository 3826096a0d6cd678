//! What stands in the author's file, token by token and with every span. No rule is applied here.

mod function;
mod keys;

pub(crate) use function::{Function, ImplBlock, conditions, is_marked, marker, marker_keys};
pub(crate) use keys::Keys;
