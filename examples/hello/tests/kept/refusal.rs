use omni_connector::prelude::json;
use omni_connector_dev::testing::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn count_answers_as_it_did() {
    let setup = Setup::of(env!("CARGO_BIN_EXE_hello"))
        .config(json!({}))
        .credentials(json!({})) // the secret of a source for tests
        .start()
        .await;
    let input = json!({ "word": 7 });
    let called = setup
        .try_call("count", input, Some("ada@example.com"))
        .await;
    let (status, message) = called.unwrap_err();
    assert_eq!(
        (status, message.as_str()),
        (
            400,
            "invalid params: `word` is of the wrong type, expected a string"
        )
    );
}
