//! The settings of a source, and the addresses that belong to it. The keys are those of Omni's form.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use omni_connector::prelude::*;
use regex::RegexSet;

/// The longest address. Longer ones are crawler traps, and their ids would not fit into Omni's database.
const LONGEST: usize = 1_900;

/// The settings of a source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Settings {
    /// Where the crawl begins, such as `https://docs.example.com/`
    root_url: Url,
    /// How many links away from the root a page may be: 10 unless this says otherwise
    max_depth: Option<u32>,
    /// How many pages are visited: 10,000 unless this says otherwise, and 0 for all
    max_pages: Option<usize>,
    /// Whether the site's robots.txt is obeyed; it is unless this says otherwise
    respect_robots_txt: Option<bool>,
    /// The name that the site is given, such as `examplebot/1.0`
    user_agent: Option<String>,
    /// Regular expressions; an address that one of them matches is left out
    #[schemars(with = "Option<Vec<String>>")]
    blacklist_patterns: Option<Patterns>,
    /// Whether subdomains of the root's host belong to the source
    include_subdomains: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Patterns(RegexSet);

impl TryFrom<Vec<String>> for Patterns {
    type Error = regex::Error;

    fn try_from(patterns: Vec<String>) -> Result<Self, regex::Error> {
        let patterns = patterns.iter().map(|it| it.trim());
        RegexSet::new(patterns.filter(|it| !it.is_empty())).map(Self)
    }
}

impl Settings {
    /// Refuses settings that cannot be intended.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(
            matches!(self.root_url.scheme(), "http" | "https") && self.root_url.has_host(),
            "the setting `root_url` must begin with `http://` or `https://`"
        );
        ensure!(
            self.has(&self.root()),
            "a pattern in `blacklist_patterns` leaves out `root_url` itself; correct one of them"
        );
        Ok(())
    }

    pub(crate) fn root(&self) -> Url {
        normal(self.root_url.clone())
    }

    pub(crate) fn depth(&self) -> u32 {
        self.max_depth.unwrap_or(10)
    }

    pub(crate) fn pages(&self) -> usize {
        match self.max_pages.unwrap_or(10_000) {
            0 => usize::MAX,
            pages => pages,
        }
    }

    pub(crate) fn obeys_robots(&self) -> bool {
        self.respect_robots_txt.unwrap_or(true)
    }

    pub(crate) fn agent(&self) -> &str {
        let agent = self.user_agent.as_deref().map(str::trim);
        agent
            .filter(|agent| !agent.is_empty())
            .unwrap_or("omni-web/0.1 (+https://github.com/getomnico/omni)")
    }

    /// Returns what decides which links of a page are followed, and whether the page has a document.
    pub(crate) fn scope(&self) -> String {
        let patterns = self.blacklist_patterns.as_ref().map(|it| it.0.patterns());
        let root = self.root_url.origin().ascii_serialization();
        format!(
            "{root} {:?} {} {patterns:?}",
            self.include_subdomains,
            self.agent()
        )
    }

    /// Returns whether an address belongs to the source.
    pub(crate) fn has(&self, url: &Url) -> bool {
        let (Some(host), Some(root)) = (url.host_str(), self.root_url.host_str()) else {
            return false;
        };
        let is_below = || host.strip_suffix(root).is_some_and(|it| it.ends_with('.'));
        let port = |url: &Url| url.port();
        matches!(url.scheme(), "http" | "https")
            && (host == root || (self.include_subdomains.unwrap_or_default() && is_below()))
            && port(url) == port(&self.root_url)
            && url.as_str().len() <= LONGEST
            && !(self.blacklist_patterns.iter()).any(|it| it.0.is_match(url.as_str()))
    }
}

pub(crate) fn leads_away(to: &Url) -> String {
    format!(
        "the setting `root_url` leads to `{to}`, which does not belong to it; enter that address instead"
    )
}

/// Normalizes the address of a page: removes the fragment, the user and campaign parameters.
pub(crate) fn normal(mut url: Url) -> Url {
    url.set_fragment(None);
    // Removing the user cannot fail for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if let Some(query) = url.query() {
        let kept: Vec<_> = query
            .split('&')
            .filter(|it| !it.starts_with("utm_") && !it.is_empty())
            .collect();
        let kept = kept.join("&");
        url.set_query((!kept.is_empty()).then_some(&kept));
    }
    url
}

pub(crate) fn id(url: &Url) -> String {
    URL_SAFE_NO_PAD.encode(url.as_str())
}

/// Returns the address of a document. Returns `None` if another connector made the id.
pub(crate) fn address(id: &str) -> Option<Url> {
    let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
    Url::parse(std::str::from_utf8(&bytes).ok()?).ok()
}
