#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| omni_connector_tests::fuzz::extraction(data));
