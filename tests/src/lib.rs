//! What the tests here share: a connector whose outcome is known, and a look at what arrived. Proxies that break calls are in
//! `omni_connector_dev::testing`.

pub mod crawler;
pub mod fuzz;
pub mod outcome;
pub mod served;
pub mod system;

/// Whether everything is to be run, and not the seeded part that fits into a minute: `OMNI_TEST_FULL=1`.
pub fn is_full() -> bool {
    std::env::var("OMNI_TEST_FULL").is_ok_and(|value| value == "1")
}
