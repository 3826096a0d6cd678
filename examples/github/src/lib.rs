//! GitHub: its MCP server's tools as actions, and repositories in the search.

use std::env;

use omni_connector::{McpCredentials, McpServer, prelude::*};

/// What a sign-in leaves, or an access token that an admin made.
#[derive(Deserialize, JsonSchema)]
pub struct Token {
    access_token: SecretString,
}

/// A repository, as the API lists it.
#[derive(Deserialize)]
pub struct Repository {
    full_name: String,
    description: Option<String>,
    html_url: String,
    private: bool,
    topics: Vec<String>,
}

/// Who somebody is on GitHub.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Their name there
    login: String,
    /// Where they present themselves
    html_url: String,
}

/// Repositories of GitHub, and everything that GitHub's MCP server can do there.
#[connector(name = "github", display_name = "GitHub", source_types = [Github], credentials = Token)]
pub struct GitHub {
    http: HttpClient,
    api: String,
    server: McpServer,
}

impl GitHub {
    /// GitHub itself, or what the environment names: `GITHUB_API_URL`, and `GITHUB_MCP_URL` or `GITHUB_MCP_COMMAND`.
    ///
    /// # Errors
    /// A command that is no JSON list.
    pub fn from_env() -> Result<Self> {
        let lookup = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let server: McpServer = match (lookup("GITHUB_MCP_COMMAND"), lookup("GITHUB_MCP_URL")) {
            (Some(command), _) => {
                let command: Vec<String> = serde_json::from_str(&command).context(
                    "`GITHUB_MCP_COMMAND` is a JSON list: [\"github-mcp-server\", \"stdio\"]",
                )?;
                let (program, arguments) = command
                    .split_first()
                    .context("`GITHUB_MCP_COMMAND` names no program")?;
                McpServer::stdio(program).args(arguments).into()
            }
            (None, Some(url)) => McpServer::http(url).into(),
            (None, None) => McpServer::http("https://api.githubcopilot.com/mcp/").into(),
        };
        let api = lookup("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
        Ok(Self::new(api, server))
    }

    /// An API and an MCP server of one's own.
    pub fn new(api: impl Into<String>, server: impl Into<McpServer>) -> Self {
        Self {
            http: HttpClient::new(),
            api: api.into(),
            server: server.into(),
        }
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str, token: &Token) -> Result<T> {
        let request = self.http.get(format!("{}{path}", self.api));
        let answer = request
            .bearer_auth(token.access_token.expose())
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    }
}

#[connector]
impl GitHub {
    #[mcp]
    fn server(&self) -> McpServer {
        self.server.clone()
    }

    #[mcp_headers]
    #[allow(
        clippy::unused_self,
        reason = "a connector may keep what it needs for this in itself"
    )]
    fn headers(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        let token: Token = credentials.secret()?;
        Ok([(
            "authorization",
            format!("Bearer {}", token.access_token.expose()),
        )])
    }

    #[mcp_env]
    #[allow(
        clippy::unused_self,
        reason = "a connector may keep what it needs for this in itself"
    )]
    fn env(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        let token: Token = credentials.secret()?;
        Ok([(
            "GITHUB_PERSONAL_ACCESS_TOKEN",
            token.access_token.expose().to_owned(),
        )])
    }

    #[oauth]
    fn oauth(&self) -> OAuthConfig {
        OAuthConfig::new(
            "github",
            "https://github.com/login/oauth/authorize",
            "https://github.com/login/oauth/access_token",
            format!("{}/user/emails", self.api),
        )
        .identity_scopes(["user:email"])
        .read_scopes(SourceType::Github, ["read:org", "repo:status"])
        .write_scopes(SourceType::Github, ["repo"])
    }

    /// Private repositories stay private: who may see them is not known from this list.
    #[sync]
    async fn repositories(&self, token: Credentials<Token>, ctx: SyncContext) -> Result<()> {
        for page in 1.. {
            let path = format!("/user/repos?per_page=100&page={page}");
            let repositories: Vec<Repository> = self.get(&path, &token).await?;
            if repositories.is_empty() {
                break;
            }
            for repository in &repositories {
                let readers = if repository.private {
                    DocumentPermissions::private()
                } else {
                    DocumentPermissions::public()
                };
                let document =
                    Document::new(format!("repository:{}", repository.full_name), readers)
                        .title(&repository.full_name)
                        .url(&repository.html_url)
                        .text(repository.description.as_deref().unwrap_or_default())
                        .attributes_of(repository);
                ctx.upsert(document).await?;
            }
        }
        Ok(())
    }

    /// Who I am on GitHub.
    #[action(read)]
    async fn get_me(&self, token: Credentials<Token>) -> Result<Account> {
        self.get("/user", &token).await
    }

    /// Star a repository.
    #[action(write, scopes = ["repo"])]
    async fn star(
        &self,
        token: Credentials<Token>,
        /// Owner and name, such as `rust-lang/rust`
        #[arg(pattern = "^[A-Za-z0-9_-]+/[.]*[A-Za-z0-9_-][A-Za-z0-9._-]*$")]
        repository: String,
    ) -> Result<()> {
        let request = self
            .http
            .put(format!("{}/user/starred/{repository}", self.api));
        let answer = request
            .bearer_auth(token.access_token.expose())
            .send()
            .await?;
        answer.error_for_status()?;
        Ok(())
    }

    /// `topic:search` finds repositories by a topic.
    #[search_operator]
    fn topic(repository: &Repository) -> Vec<String> {
        repository.topics.clone()
    }
}
