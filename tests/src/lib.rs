//! Shared parts of these tests: a connector with a known outcome, and a reader of the result. Proxies that break calls are in
//! `omni_connector_dev::testing`.

pub mod crawler;
pub mod fuzz;
pub mod outcome;
pub mod served;
pub mod system;

/// Returns whether to run all cases instead of a random sample of one minute: `OMNI_TEST_FULL=1`.
pub fn is_full() -> bool {
    std::env::var("OMNI_TEST_FULL").is_ok_and(|value| value == "1")
}
