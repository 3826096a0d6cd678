//! Calls that were kept as tests on the page of `cargo omni dev`, which wrote the two files. A test of `omni-connector-dev`
//! compares them with what the page writes today.

mod answer;
mod refusal;
