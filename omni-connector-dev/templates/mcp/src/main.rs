//! The tools of Specimen's MCP server as actions in Omni.
//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

use std::env;

//> auth=bearer|key|oauth
use omni_connector::McpCredentials;
//<
use omni_connector::{McpServer, prelude::*};

//> transport=stdio
/// What starts the server, unless `SPECIMEN_COMMAND` says otherwise.
const COMMAND: &str = "specimen-mcp --stdio";
//<
//> transport=http
/// Where the server is, unless `SPECIMEN_URL` says otherwise.
const URL: &str = "https://specimen.example.com/mcp";
//<

//> auth=bearer|key|oauth
/// The secret of a source.
#[derive(Debug, Deserialize, JsonSchema)]
struct Login {
    //> auth=oauth
    access_token: SecretString,
    //<
    //> auth=bearer|key
    token: SecretString,
    //<
}

//<
/// The tools of Specimen.
#[connector(
    name = "specimen_id",
    display_name = "Specimen",
    source_types = [Jira],
    sync_modes = [full],
    //> auth=bearer|key|oauth
    credentials = Login,
    //<
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

    //> transport=stdio auth=key
    /// The server gets the token as a variable.
    #[mcp_env]
    fn variables(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        let login: Login = credentials.secret()?;
        Ok([("SPECIMEN_TOKEN", login.token.expose().to_owned())])
    }

    //<
    //> transport=http auth=bearer|key|oauth
    /// The server gets the secret in a header.
    #[mcp_headers]
    fn headers(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        let login: Login = credentials.secret()?;
        //> auth=oauth
        let header = (
            "authorization",
            format!("Bearer {}", login.access_token.expose()),
        );
        //<
        //> auth=key
        let header = ("x-api-key", login.token.expose().to_owned());
        //<
        //> auth=bearer
        let header = ("authorization", format!("Bearer {}", login.token.expose()));
        //<
        Ok([header])
    }

    //<
    //> auth=oauth
    /// How people sign in at Specimen.
    #[oauth]
    fn oauth(&self) -> OAuthConfig {
        OAuthConfig::new(
            "atlassian",
            "https://specimen.example.com/oauth/authorize",
            "https://specimen.example.com/oauth/token",
            "https://specimen.example.com/api/me",
        )
        .read_scopes(SourceType::Jira, ["read"])
        .write_scopes(SourceType::Jira, ["write"])
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
