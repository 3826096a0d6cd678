//! Tests servers of protocol versions other than the first requested one.

use serde_json::{Value, json};

use crate::support::{Connector, VERSIONS, listening};

async fn over_stdio(manner: &str, version: &str) -> Connector {
    let server = json!([VERSIONS, manner, version]).to_string();
    Connector::start(&server, &[], None).await
}

/// Returns how the server was greeted.
async fn greeted(connector: &Connector) -> Value {
    let (status, manifest) = connector.discover().await;
    assert_eq!(status, 200, "{manifest}");
    let (status, result) = connector.call("greeting", json!({})).await;
    assert_eq!(status, 200, "{result}");
    result["content"].clone()
}

#[tokio::test]
async fn a_server_with_one_protocol_version_is_called_in_that_version() {
    for (manner, version, greeting) in [
        ("answers", "2024-10-07", "initialize \"2025-11-25\""),
        ("answers", "2024-11-05", "initialize \"2025-11-25\""),
        ("answers", "2025-06-18", "initialize \"2025-11-25\""),
        ("answers", "2026-07-28", "initialize \"2025-11-25\""),
        ("refuses", "2026-07-28", "discover"),
    ] {
        let connector = over_stdio(manner, version).await;
        assert_eq!(greeted(&connector).await, greeting, "{manner} {version}");

        let server = listening(VERSIONS, &[manner, version, "--http", "127.0.0.1:0"]).await;
        let connector = Connector::start(&server.url, &[], None).await;
        assert_eq!(
            greeted(&connector).await,
            greeting,
            "{manner} {version} over HTTP"
        );
    }
}

#[tokio::test]
async fn an_unsupported_version_is_an_error_that_names_it() {
    for manner in ["answers", "refuses"] {
        let connector = over_stdio(manner, "2099-01-01").await;
        let (status, error) = connector.discover().await;
        assert_eq!(status, 502, "{error}");
        let error = error["error"].as_str().unwrap();
        assert!(error.contains("2099-01-01"), "{error}");
        assert!(error.contains("2026-07-28"), "{error}");
    }
}
