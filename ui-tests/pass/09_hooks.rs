//! An annotated connector can use every hook of the trait.

use omni_connector::{
    CredentialReady, McpCredentials, McpServer, OAuthExtra, OAuthTokens, prelude::*,
};

#[derive(JsonSchema)]
#[allow(dead_code)]
struct Extra {
    reviewer: Email,
}

/// Repositories.
#[connector(
    name = "github",
    display_name = "GitHub",
    version = "7.0.0",
    description = "Code and issues",
    source_types = [Github],
    sync_modes = [full, realtime],
    skill(id = "review", title = "How we review", text = "Kindly.", description = "Before a review"),
    extra = Extra,
    read_only,
)]
struct Github {
    oauth: OAuthConfig,
}

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[sync(realtime, source_type = Github)]
    async fn watch(&self, ctx: SyncContext) -> Result<()> {
        ctx.cancelled().await;
        Ok(())
    }

    #[validate]
    async fn reachable(&self, source: Source, credential: Option<ServiceCredential>) -> Result<()> {
        ensure!(credential.is_some(), "source `{}` has no token", source.name);
        Ok(())
    }

    #[refetch]
    async fn again(&self, item: ItemId, ctx: SyncContext) -> Result<()> {
        ctx.delete(item.0).await?;
        Ok(())
    }

    #[oauth]
    fn oauth(&self) -> OAuthConfig {
        self.oauth.clone()
    }

    #[credential_ready]
    async fn welcome(&self, _ready: CredentialReady, _manager: ManagerClient) -> Result<()> {
        Ok(())
    }

    #[enrich]
    async fn enrich(&self, _: OAuthTokens) -> Result<OAuthExtra> {
        Ok(OAuthExtra::default())
    }

    // Without the feature `mcp` no value exists.
    #[mcp]
    fn server(&self) -> Option<McpServer> {
        None
    }

    #[mcp_env]
    fn env(&self, credentials: &McpCredentials) -> Result<[(&'static str, String); 1]> {
        Ok([("TOKEN", credentials.secret()?)])
    }

    #[skills]
    fn more_skills(&self) -> Vec<Skill> {
        self.skills_of_today()
    }

    fn skills_of_today(&self) -> Vec<Skill> {
        Vec::new()
    }
}

/// Repositories without people.
#[connector(name = "quiet", source_types = [Github], mcp = self.server.clone())]
struct Quiet {
    // Without the feature `mcp` no value exists.
    server: Option<McpServer>,
}

#[connector]
impl Quiet {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[oauth]
    fn oauth(&self) -> Option<OAuthConfig> {
        None
    }
}

fn main() {
    let quiet = Quiet { server: None };
    assert_eq!(quiet.oauth_config(), None);
    assert_eq!(quiet.mcp_server(), None);
    let endpoint = "https://github.example.com";
    let github = Github {
        oauth: OAuthConfig::new("github", endpoint, endpoint, endpoint),
    };
    assert_eq!(github.display_name(), "GitHub");
    assert_eq!(github.version(), "7.0.0");
    assert_eq!(github.description().as_deref(), Some("Code and issues"));
    assert_eq!(github.oauth_config().unwrap().provider, "github");
    assert_eq!(github.skills()[0].content.as_deref(), Some("Kindly."));
    assert_eq!(github.mcp_server(), None);
    assert!(github.read_only());
    assert_eq!(github.extra_schema().unwrap()["properties"]["reviewer"]["format"], "email");
}
