//! Parses the author's code into tokens with all spans. Applies no rules.

mod function;
mod keys;
mod source;

pub(crate) use function::{
    Function, ImplBlock, conditions, has_word, is_marked, marker, marker_keys,
};
pub(crate) use keys::Keys;
pub(crate) use source::is_in_impl;
