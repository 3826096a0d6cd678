//! What a person fills in for a source, and which files belong to it. The keys are those of Omni's form.

use omni_connector::prelude::*;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Settings {
    /// Address of the server, such as `https://cloud.example.com`
    server_url: Url,
    /// Folder whose files become documents, such as `/Projects`; all files unless this names one
    #[serde(default)]
    base_path: Option<String>,
    /// Only files with these extensions, such as `md` or `.PDF`; all files when there are none
    #[serde(default)]
    extension_allowlist: Option<Vec<String>>,
    /// Files with these extensions are left out
    #[serde(default)]
    extension_denylist: Option<Vec<String>>,
    /// Files with more bytes are left out; 0 is no limit
    #[serde(default)]
    max_file_size: Option<u64>,
    /// Whether the source is read; it is unless this says otherwise
    #[serde(default)]
    sync_enabled: Option<bool>,
}

/// An account of the server.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Login {
    pub(crate) username: String,
    /// An app password, which people make in Nextcloud's security settings.
    pub(crate) password: SecretString,
}

impl Settings {
    /// Refuses what has a meaning that nobody can want.
    pub(crate) fn check(&self) -> Result<()> {
        let url = &self.server_url;
        ensure!(
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && !url.path().contains(".php"),
            "the setting `server_url` must be the address of the server alone, such as `https://cloud.example.com`"
        );
        ensure!(
            !self.base().split('/').any(|it| matches!(it, "." | "..")),
            "the setting `base_path` must be a path from the top folder, such as `/Projects`"
        );
        Ok(())
    }

    /// The address of the server without a slash at its end.
    pub(crate) fn server(&self) -> &str {
        self.server_url.as_str().trim_end_matches('/')
    }

    /// The folder that is read: empty for the top one, or a path that begins with a slash.
    pub(crate) fn base(&self) -> String {
        let path = self.base_path.as_deref().unwrap_or_default().trim();
        let names = path.split('/').filter(|name| !name.is_empty());
        names.flat_map(|name| ["/", name]).collect()
    }

    pub(crate) fn is_on(&self) -> bool {
        self.sync_enabled.unwrap_or(true)
    }

    pub(crate) fn is_too_large(&self, bytes: u64) -> bool {
        let most = self.max_file_size.filter(|most| *most > 0);
        most.is_some_and(|most| bytes > most)
    }

    /// Whether files with this extension, in lower case, are read.
    pub(crate) fn wants(&self, extension: &str) -> bool {
        let plain = |listed: &String| listed.trim().trim_start_matches('.').to_lowercase();
        let has = |list: &[String]| list.iter().any(|listed| plain(listed) == extension);
        let allowed = self.extension_allowlist.as_deref().unwrap_or_default();
        let denied = self.extension_denylist.as_deref().unwrap_or_default();
        (allowed.is_empty() || has(allowed)) && !has(denied)
    }

    /// Everything that decides which files are documents, and how they look.
    pub(crate) fn scope(&self, owner: &str) -> Value {
        json!([
            self.server(),
            self.base(),
            self.extension_allowlist,
            self.extension_denylist,
            self.max_file_size,
            owner
        ])
    }
}
