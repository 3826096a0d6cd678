//! The runtime's promises, over real HTTP: one program, so that what the tests share is compiled once.

mod model;
mod north_star;
mod pipeline;
mod runs;
mod support;
