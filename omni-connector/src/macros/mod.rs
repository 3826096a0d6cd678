//! The macros and their documentation. The crate `omni-connector-macros` has their code.

mod connector;
mod derives;
mod functions;
mod hooks;

pub use connector::*;
pub use derives::*;
pub use functions::*;
pub use hooks::*;
