//! Shared parts of these tests: a connector with a known outcome, a proxy that breaks calls, and a
//! reader of the result.

pub mod crawler;
pub mod fault;
pub mod fuzz;
pub mod outcome;
pub mod proxy;
pub mod random;
pub mod served;
pub mod system;
pub mod wire;

/// Returns whether to run all cases instead of a random sample of one minute: `OMNI_TEST_FULL=1`.
pub fn is_full() -> bool {
    std::env::var("OMNI_TEST_FULL").is_ok_and(|value| value == "1")
}
