//! The whole test of a connector, in one line: killed anywhere, disturbed, asked, and compared.

omni_connector_dev::conformance! { connector: "hello", documents: 3 }
