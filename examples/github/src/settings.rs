//! The settings of a source, and the addresses derived from them: a GitHub has an API, a web site and GraphQL.

use std::{env, fmt};

use omni_connector::prelude::{serde::Deserializer, *};

/// The config of a source. Only the first three have a form in Omni; the form's `read_only` is the manager's to read.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// Where the API is, such as `https://github.example.com/api/v3`; GitHub itself unless it is given
    api_url: Option<String>,
    /// Whether discussions are read: yes unless it is false
    pub(crate) include_discussions: Option<bool>,
    /// Whether forks are read: no unless it is true
    pub(crate) include_forks: Option<bool>,
    /// Repositories to read, as `owner/name`. Without these and the next two, all that the token's owner sees
    #[serde(deserialize_with = "or_default")]
    pub(crate) repos: Vec<String>,
    /// Organisations whose repositories are read
    #[serde(deserialize_with = "or_default")]
    pub(crate) orgs: Vec<String>,
    /// People whose public repositories are read
    #[serde(deserialize_with = "or_default")]
    pub(crate) users: Vec<String>,
}

/// Decodes null as a missing value.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    given: D,
) -> Result<T, D::Error> {
    Option::deserialize(given).map(Option::unwrap_or_default)
}

impl Settings {
    /// Returns the GitHub of the source.
    pub(crate) fn address(&self) -> Result<Address> {
        match self.api_url.as_deref().map(str::trim) {
            None | Some("") => Address::of_environment(),
            Some(url) => Address::parse(url).with_context(|| {
                format!(
                    "`api_url` of the source is `{}`",
                    omni_connector::redact(url)
                )
            }),
        }
    }

    /// Returns whether everything is read that the token's owner sees.
    pub(crate) fn is_everything(&self) -> bool {
        self.repos.is_empty() && self.orgs.is_empty() && self.users.is_empty()
    }
}

/// The address of a GitHub: github.com, GitHub Enterprise in the cloud, or a company's own server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Reads the URL of an API.
    ///
    /// # Errors
    /// It is not an HTTP URL.
    pub fn parse(api: &str) -> Result<Self> {
        let url = Url::parse(api.trim().trim_end_matches('/')).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.map(Self)
            .context("the URL of GitHub's API is like `https://github.example.com/api/v3`")
    }

    /// Returns the default GitHub of sources: `GITHUB_API_URL`, or github.com.
    pub(crate) fn of_environment() -> Result<Self> {
        let url = env::var("GITHUB_API_URL")
            .ok()
            .filter(|url| !url.is_empty());
        Self::parse(url.as_deref().unwrap_or("https://api.github.com"))
            .context("`GITHUB_API_URL` cannot be used")
    }

    pub(crate) fn api(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    pub(crate) fn graphql(&self) -> String {
        match self.api().strip_suffix("/api/v3") {
            Some(server) => format!("{server}/api/graphql"),
            None => format!("{}/graphql", self.api()),
        }
    }

    /// Returns the address where people sign in, which is also the value of `GITHUB_HOST`.
    pub(crate) fn web(&self) -> String {
        let mut url = self.0.clone();
        let is_server = url.path().ends_with("/api/v3");
        url.set_path("");
        let host = url.host_str().and_then(|host| host.strip_prefix("api."));
        if let Some(host) = host.filter(|_| !is_server).map(str::to_owned) {
            let _ = url.set_host(Some(&host));
        }
        url.as_str().trim_end_matches('/').to_owned()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.api())
    }
}

/// The secret of a source: a personal access token from the form, or the token of a sign-in.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Given")]
pub struct Token {
    pub(crate) secret: SecretString,
    /// Whether it comes from a sign-in. The manager renews such a token, and it belongs to the GitHub where people sign
    /// in.
    pub(crate) is_signed_in: bool,
}

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    token: Option<SecretString>,
    #[serde(default)]
    access_token: Option<SecretString>,
}

impl TryFrom<Given> for Token {
    type Error = &'static str;

    fn try_from(given: Given) -> Result<Self, Self::Error> {
        let filled =
            |secret: Option<SecretString>| secret.filter(|it| !it.expose().trim().is_empty());
        let signed_in = filled(given.access_token);
        let is_signed_in = signed_in.is_some();
        signed_in
            .or_else(|| filled(given.token))
            .map(|secret| Self { secret, is_signed_in })
            .ok_or("neither `token` nor `access_token` is filled in; add a personal access token to the source")
    }
}
