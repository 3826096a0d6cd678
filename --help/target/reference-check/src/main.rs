use anyhow::Result;
use omni_connector_sdk::serve;

use my_connector::MyConnector;

#[tokio::main]
async fn main() -> Result<()> {
    serve(MyConnector).await
}
