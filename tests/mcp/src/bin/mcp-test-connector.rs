//! A connector for the MCP server named in the environment, with additional actions.
//!
//! `MCP_SERVER` is a URL, or a command as a JSON list. The secret is in the credential's `token`.
#![allow(
    clippy::unused_async,
    clippy::unused_self,
    reason = "these functions need nothing that their signatures give them"
)]

use std::time::Duration;

use omni_connector::{McpCredentials, McpServer, actions::File, prelude::*};

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: Option<SecretString>,
}

/// What `sum` returns.
#[derive(Serialize, JsonSchema)]
struct Sum {
    /// The sum
    total: i64,
    note: Option<String>,
}

/// What `share` returns.
#[derive(Serialize, JsonSchema)]
struct Share {
    parts: u64,
    ratio: Option<f32>,
    shares: Vec<f64>,
}

/// Whatever the MCP server offers.
#[connector(
    name = "mcp_test",
    source_types = [Github],
    skill(id = "greeting", title = "How to greet", description = "Before greeting somebody", text = "Say hello."),
    skill(id = "mcp:brief_by_hand", title = "Not the server's", text = "Written by hand."),
)]
struct Tester;

#[connector]
impl Tester {
    #[mcp]
    fn server(&self) -> Option<McpServer> {
        let server = std::env::var("MCP_SERVER").ok()?;
        let seconds = std::env::var("MCP_TIMEOUT")
            .ok()
            .and_then(|text| text.parse().ok());
        let timeout = Duration::from_secs(seconds.unwrap_or(25));
        if server.starts_with("http") {
            return Some(McpServer::http(server).timeout(timeout).into());
        }
        let command: Vec<String> = serde_json::from_str(&server).ok()?;
        let (program, arguments) = command.split_first()?;
        Some(
            McpServer::stdio(program)
                .args(arguments)
                .timeout(timeout)
                .into(),
        )
    }

    #[mcp_env]
    fn env(&self, credentials: &McpCredentials) -> Result<Vec<(&'static str, String)>> {
        let Token { token } = credentials.secret()?;
        Ok(token
            .map(|token| ("TOKEN", token.expose().to_owned()))
            .into_iter()
            .collect())
    }

    #[mcp_headers]
    fn headers(&self, credentials: &McpCredentials) -> Result<Vec<(&'static str, String)>> {
        let Token { token } = credentials.secret()?;
        Ok(token
            .map(|token| ("x-token", token.expose().to_owned()))
            .into_iter()
            .collect())
    }

    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// Greets; the server has a tool of this name, too.
    #[action(read)]
    async fn greet(
        &self,
        /// Whom
        #[arg(default = "you")]
        name: String,
    ) -> Result<String> {
        Ok(format!("hello {name} from the connector"))
    }

    /// Adds two numbers.
    #[action(read)]
    async fn sum(
        &self,
        /// The first
        #[arg(min = 0)]
        a: i64,
        /// The second
        #[arg]
        b: i64,
    ) -> Result<Sum> {
        Ok(Sum {
            total: a + b,
            note: None,
        })
    }

    /// Shares one among many.
    #[action(read)]
    async fn share(
        &self,
        /// Among how many
        #[arg]
        parts: u64,
    ) -> Result<Share> {
        #[allow(clippy::cast_precision_loss, reason = "a test needs few parts")]
        let share = if parts == 0 {
            f64::NAN
        } else {
            1.0 / parts as f64
        };
        Ok(Share {
            parts,
            ratio: None,
            shares: vec![share],
        })
    }

    /// Writes a file, on whoever's behalf.
    #[action(write)]
    async fn export(&self, actor: Option<Actor>) -> Result<File> {
        let actor = actor.map_or_else(|| "nobody".to_owned(), |actor| actor.email);
        Ok(File::bytes(
            format!("%PDF for {actor}"),
            "application/pdf",
            "a report.pdf",
        ))
    }

    /// Fails, and quotes what it must not.
    #[action(write)]
    async fn fail(&self, secret: Credentials<Value>) -> Result<()> {
        bail!(ActionError::forbidden(format!(
            "refused {}",
            secret["token"]
        )))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Tester).await
}
