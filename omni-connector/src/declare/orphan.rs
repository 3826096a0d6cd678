//! Annotated methods in a block without `#[connector]`.

use super::annotated::{Declared, Methods};

/// Why a method with a marker need not be in a block with `#[connector]`: the connector has no such block, and is refused for that
/// already. So somebody who forgot the attribute gets one error, however many functions the block has.
///
/// `W` is inferred as in [`table_of`](super::table_of). A connector without a block has one candidate; one with a block has two.
#[diagnostic::on_unimplemented(
    message = "this annotated function of `{Self}` is in no `impl` block with `#[connector]`",
    label = "not collected",
    note = "help: put `#[connector]` on its block, or the function into the block that has it; only attributes written there are seen, not those of a `macro_rules!` or a `cfg_attr`"
)]
pub trait Collected<W> {}

/// There is no block.
#[derive(Debug)]
pub struct NoBlock;

/// There is this one.
#[derive(Debug)]
pub struct Block<B>(B);

#[diagnostic::do_not_recommend]
impl<K: Declared> Collected<NoBlock> for K {}

#[diagnostic::do_not_recommend]
impl<K: Methods<B>, B> Collected<Block<B>> for K {}

/// Generated code calls it in a method with a marker that no block took.
pub const fn collected<K: Collected<W>, W>(_: fn() -> W) {}
