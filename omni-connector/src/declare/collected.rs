//! Reports annotated methods in a block without `#[connector]`.

use super::annotated::{Declared, Methods};

/// Holds for a connector that has no block with `#[connector]`. Such a connector is refused already, so its annotated methods need
/// no error of their own.
///
/// `W` is inferred as in [`table_of`](super::table_of). Without a block the only candidate is `NoBlock`. With a block there are two
/// candidates, and rustc reports the message below.
#[diagnostic::on_unimplemented(
    message = "this annotated function of `{Self}` is in no `impl` block with `#[connector]`",
    label = "not collected",
    note = "help: put `#[connector]` on its block, or the function into the block that has it; only attributes written there are seen, not those of a `macro_rules!` or a `cfg_attr`"
)]
pub trait Collected<W> {}

/// The connector may have no block.
#[derive(Debug)]
pub struct NoBlock;

/// The connector has this block.
#[derive(Debug)]
pub struct Block<B>(B);

#[diagnostic::do_not_recommend]
impl<K: Declared> Collected<NoBlock> for K {}

#[diagnostic::do_not_recommend]
impl<K: Methods<B>, B> Collected<Block<B>> for K {}

/// Checks a method with a marker whose block has no `#[connector]`. Generated code calls it in the method.
pub const fn collected<K: Collected<W>, W>(_: fn() -> W) {}
