//! Indexes GitHub's repositories, issues, pull requests and discussions, and offers the tools of GitHub's own MCP
//! server.

mod api;
mod documents;
mod reading;
mod settings;
mod sync;

use std::{env, path::Path};

use omni_connector::{McpCredentials, McpServer, decode, prelude::*};

use api::Client;
use documents::{Item, Label, Login, Repository};
pub use settings::{Address, Settings, Token};
pub use sync::Cursor;

/// Repositories, issues, pull requests and discussions of GitHub, and the tools of its MCP server.
#[connector(
    name = "github",
    display_name = "GitHub",
    source_types = [Github],
    sync_modes = [full, incremental],
    config = Settings,
    credentials = Token,
    state = Cursor,
)]
pub struct GitHub {
    /// The GitHub where people sign in. It is also the default of sources.
    home: Address,
    server: McpServer,
}

impl GitHub {
    /// Reads the environment: `GITHUB_API_URL`, and `GITHUB_MCP_COMMAND` or `GITHUB_MCP_URL`. Without the last two, it
    /// uses `github-mcp-server` if that is on the path, and GitHub's remote server otherwise.
    ///
    /// # Errors
    /// A URL or a command is invalid.
    pub fn from_env() -> Result<Self> {
        let lookup = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let local = |command: &[String]| -> Result<McpServer> {
            let (program, arguments) = command
                .split_first()
                .context("`GITHUB_MCP_COMMAND` names no program")?;
            Ok(McpServer::stdio(program).args(arguments).into())
        };
        let remote = |url: String| McpServer::http(url).header("x-mcp-toolsets", "all").into();
        let server = match (lookup("GITHUB_MCP_COMMAND"), lookup("GITHUB_MCP_URL")) {
            (Some(command), _) => local(&serde_json::from_str::<Vec<String>>(&command).context(
                "`GITHUB_MCP_COMMAND` is a JSON list: [\"github-mcp-server\", \"stdio\", \"--toolsets\", \"all\"]",
            )?)?,
            (None, Some(url)) => remote(url),
            (None, None) if is_on_path("github-mcp-server") => {
                local(&["github-mcp-server", "stdio", "--toolsets", "all"].map(str::to_owned))?
            }
            (None, None) => remote("https://api.githubcopilot.com/mcp/".to_owned()),
        };
        Ok(Self::new(Address::of_environment()?, server))
    }

    /// Makes the connector for the GitHub where people sign in, with an MCP server.
    pub fn new(home: Address, server: impl Into<McpServer>) -> Self {
        Self {
            home,
            server: server.into(),
        }
    }

    /// Returns the token of a call to the MCP server, and the GitHub it belongs to. It must not be sent to another one.
    fn token(&self, credentials: &McpCredentials) -> Result<(String, Address)> {
        let token: Token = credentials.secret()?;
        let address = match &credentials.source_config {
            Some(config) => decode::<Settings>("config", config.clone())?.address()?,
            None if token.is_signed_in => self.home.clone(),
            None => bail!(
                "it is not known yet which GitHub this token is for; sync its source once, or use one of its actions"
            ),
        };
        self.is_for(&token, &address)?;
        Ok((token.secret.expose().to_owned(), address))
    }

    fn is_for(&self, token: &Token, address: &Address) -> Result<()> {
        ensure!(
            !token.is_signed_in || *address == self.home,
            "the source is on {address}, and people sign in at {}; give the source a personal access token, or start the \
             connector with `GITHUB_API_URL={address}`",
            self.home
        );
        Ok(())
    }
}

fn is_on_path(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| Path::new(&folder).join(program).is_file())
}

#[connector]
impl GitHub {
    /// Finds an invalid token before a run begins. Other errors may be over when the run needs the connection.
    #[validate]
    async fn token_works(&self, client: Client, token: Credentials<Token>) -> Result<()> {
        self.is_for(&token, &client.settings.address()?)?;
        match client.now().await {
            Err(refused @ SourceError::Unauthorized { .. }) => Err(refused.into()),
            _ => Ok(()),
        }
    }

    #[sync]
    async fn sync(
        &self,
        client: Client,
        checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        sync::run(client, checkpoint, ctx).await
    }

    #[mcp]
    fn server(&self) -> McpServer {
        self.server.clone()
    }

    #[mcp_env]
    fn env(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 2]> {
        let (token, address) = self.token(credentials)?;
        Ok([
            ("GITHUB_PERSONAL_ACCESS_TOKEN", token),
            ("GITHUB_HOST", address.web()),
        ])
    }

    #[mcp_headers]
    fn headers(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        let (token, address) = self.token(credentials)?;
        ensure!(
            address == self.home,
            "the remote MCP server works for {}, and the source is on {address}; install `github-mcp-server` beside the connector",
            self.home
        );
        Ok([("authorization", format!("Bearer {token}"))])
    }

    #[oauth]
    fn oauth(&self) -> OAuthConfig {
        let login = format!("{}/login/oauth", self.home.web());
        let emails = format!("{}/user/emails", self.home.api());
        OAuthConfig::new(
            "github",
            format!("{login}/authorize"),
            format!("{login}/access_token"),
            emails,
        )
        .identity_scopes(["read:user", "user:email"])
        .read_scopes(SourceType::Github, ["repo", "read:org"])
        .write_scopes(SourceType::Github, ["repo"])
    }

    /// `status:open` finds issues and pull requests by their state.
    #[search_operator]
    fn status(item: &Item) -> &str {
        &item.state
    }

    /// `label:bug` finds issues and pull requests by one of their labels.
    #[search_operator(attribute = "labels")]
    fn label(item: &Item) -> Vec<String> {
        item.labels
            .iter()
            .filter_map(Label::name)
            .map(str::to_owned)
            .collect()
    }

    /// `lang:rust` finds repositories by their main language.
    #[search_operator(attribute = "language")]
    fn lang(repository: &Repository) -> Option<String> {
        repository.language.clone()
    }

    /// `assignee:ann` finds issues and pull requests by the login of the first person who is to do them.
    #[search_operator]
    fn assignee(item: &Item) -> Option<Login> {
        item.assignees
            .as_ref()?
            .first()
            .map(|person| Login(person.login.clone()))
    }
}
