//! The settings of a source. The keys are those of Omni's form.

use omni_connector::prelude::*;

/// Folders excluded when `folder_denylist` is not set, by the last part of their name.
const DENIED: [&str; 6] = [
    "trash",
    "junk",
    "spam",
    "deleted items",
    "deleted messages",
    "junk e-mail",
];

/// Where the mails are, and which of them become documents.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Settings {
    /// The server, such as `imap.example.com`
    pub(crate) host: String,
    /// 993 with TLS and 143 without, unless set
    #[serde(default)]
    pub(crate) port: Option<u16>,
    /// How the connection is kept secret
    #[serde(default)]
    pub(crate) encryption: Encryption,
    /// What the account is called in Omni; the user name unless set
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    /// Only these folders; all that are not denied when there are none
    #[serde(default)]
    folder_allowlist: Vec<String>,
    /// Not these folders; trash and junk unless set
    #[serde(default)]
    folder_denylist: Option<Vec<String>>,
    /// Of a larger mail only the header is read; 0 is no limit
    #[serde(default)]
    pub(crate) max_message_size: u64,
    /// The address of a mail in a web mailer, with `{folder}`, `{uid}` and `{message_id}`
    #[serde(default)]
    webmail_url_template: Option<String>,
    /// Whether mails are read at all
    #[serde(default = "yes")]
    pub(crate) sync_enabled: bool,
}

const fn yes() -> bool {
    true
}

/// How the connection is kept secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encryption {
    #[default]
    Tls,
    Starttls,
    None,
}

/// How a person logs in.
#[derive(Clone, CredentialSet)]
pub(crate) enum Login {
    BasicAuth(Password),
    #[auth_type(oauth)]
    SignedIn(SignedIn),
}

#[derive(Clone, Deserialize)]
pub(crate) struct Password {
    pub(crate) username: String,
    pub(crate) password: SecretString,
}

#[derive(Clone, Deserialize)]
pub(crate) struct SignedIn {
    pub(crate) username: String,
    pub(crate) access_token: SecretString,
}

impl Login {
    pub(crate) fn username(&self) -> &str {
        match self {
            Self::BasicAuth(login) => &login.username,
            Self::SignedIn(login) => &login.username,
        }
    }
}

/// The server of an account that is only being tried.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Server {
    /// The server
    host: String,
    /// Its port
    #[serde(default)]
    port: Option<u16>,
    /// `tls`, `starttls` or `none`
    #[serde(default)]
    encryption: Option<Encryption>,
}

impl From<Server> for Settings {
    fn from(server: Server) -> Self {
        Self {
            host: server.host,
            port: server.port,
            encryption: server.encryption.unwrap_or_default(),
            display_name: None,
            folder_allowlist: Vec::new(),
            folder_denylist: None,
            max_message_size: 0,
            webmail_url_template: None,
            sync_enabled: true,
        }
    }
}

impl Settings {
    pub(crate) fn port(&self) -> u16 {
        let usual = if self.encryption == Encryption::Tls {
            993
        } else {
            143
        };
        self.port.unwrap_or(usual)
    }

    /// Refuses settings that cannot be intended.
    pub(crate) fn check(&self) -> Result<()> {
        let host = self.host.trim();
        ensure!(
            !host.is_empty() && !host.contains(['/', ' ', '@']),
            "the setting `host` is `{host}`; it must be the name of a server, such as `imap.example.com`"
        );
        ensure!(
            self.port != Some(0),
            "the setting `port` is 0; leave it out for the usual port"
        );
        let template = self.template().unwrap_or("https:");
        ensure!(
            template.starts_with("https:") || template.starts_with("http:"),
            "the setting `webmail_url_template` must begin with `https://`"
        );
        Ok(())
    }

    /// Returns what the documents of unchanged threads depend on.
    pub(crate) fn scope(&self) -> String {
        let (name, template) = (&self.display_name, self.template());
        format!("{name:?} {template:?} {}", self.max_message_size)
    }

    /// Returns the setting `webmail_url_template`, which a form can leave empty.
    pub(crate) fn template(&self) -> Option<&str> {
        let template = self.webmail_url_template.as_deref().map(str::trim);
        template.filter(|it| !it.is_empty())
    }

    /// Returns whether a folder is read. `last` is the last part of its name.
    pub(crate) fn wants(&self, name: &str, last: &str, is_trash: bool) -> bool {
        let named = |names: &[String]| names.iter().any(|it| same(it, name));
        if !self.folder_allowlist.is_empty() && !named(&self.folder_allowlist) {
            return false;
        }
        match &self.folder_denylist {
            Some(denied) => !named(denied),
            None if named(&self.folder_allowlist) => true,
            None => !is_trash && !DENIED.iter().any(|it| same(it, last)),
        }
    }
}

fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trash_and_junk_are_left_out_unless_a_setting_says_otherwise() {
        let server = json!({ "host": "h", "port": null });
        let server: Server = serde_json::from_value(server).unwrap();
        let mut settings = Settings::from(server);
        assert!(settings.check().is_ok());
        settings.webmail_url_template = Some(String::new());
        assert!(settings.check().is_ok(), "a form can leave it empty");
        settings.webmail_url_template = Some("mail.example.com".into());
        assert!(settings.check().is_err());
        assert!(settings.wants("INBOX", "INBOX", false));
        assert!(!settings.wants("INBOX.Trash", "Trash", false));
        assert!(!settings.wants("Papierkorb", "Papierkorb", true));
        settings.folder_denylist = Some(vec!["Entwürfe".into()]);
        assert!(settings.wants("Papierkorb", "Papierkorb", true));
        assert!(!settings.wants("entwürfe", "entwürfe", false));
        settings.folder_allowlist = vec!["Trash".into()];
        settings.folder_denylist = None;
        assert!(settings.wants("Trash", "Trash", true));
        assert!(!settings.wants("INBOX", "INBOX", false));
    }
}
