//! What the tests here share: a connector whose outcome is known, a proxy that breaks calls, and a look at what arrived.

pub mod crawler;
pub mod fault;
pub mod fuzz;
pub mod outcome;
pub mod proxy;
pub mod random;
pub mod served;
pub mod system;
pub mod wire;

/// Whether everything is to be run, and not the seeded part that fits into a minute: `OMNI_TEST_FULL=1`.
pub fn is_full() -> bool {
    std::env::var("OMNI_TEST_FULL").is_ok_and(|value| value == "1")
}
