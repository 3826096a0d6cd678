//! The tools of Specimen's MCP server as actions in Omni.
//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

use std::env;

use omni_connector::{McpCredentials, McpServer, prelude::*};

//> transport=stdio
/// What starts the server, unless `SPECIMEN_COMMAND` says otherwise.
const COMMAND: &str = "specimen-mcp --stdio";
//<
//> transport=http
/// Where the server is, unless `SPECIMEN_URL` says otherwise.
const URL: &str = "https://specimen.example.com/mcp";
//<

/// The secret of a source.
#[derive(Debug, Deserialize)]
struct Login {
    token: SecretString,
}

/// The tools of Specimen.
#[connector(
    name = "specimen_id",
    display_name = "Specimen",
    source_types = [Jira],
    sync_modes = [full],
    credentials = Login,
)]
struct Specimen;

#[connector]
impl Specimen {
    #[mcp]
    fn server(&self) -> Option<McpServer> {
        //> transport=stdio
        let command = env::var("SPECIMEN_COMMAND").unwrap_or_else(|_| COMMAND.to_owned());
        let mut words = command.split_whitespace();
        let server = McpServer::stdio(words.next()?).args(words);
        //<
        //> transport=http
        let url = env::var("SPECIMEN_URL").unwrap_or_else(|_| URL.to_owned());
        let server = McpServer::http(url);
        //<
        Some(server.into())
    }

    //> transport=stdio
    /// The server gets the token as a variable.
    #[mcp_env]
    fn variables(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        let Login { token } = credentials.secret()?;
        Ok([("SPECIMEN_TOKEN", token.expose().to_owned())])
    }

    //<
    //> transport=http
    /// The server gets the token as a bearer token.
    #[mcp_headers]
    fn headers(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        let Login { token } = credentials.secret()?;
        Ok([("authorization", format!("Bearer {}", token.expose()))])
    }

    //<
    /// A run brings no documents. It is the moment at which Omni reads the list of tools.
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Specimen).await
}
