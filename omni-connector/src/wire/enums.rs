//! The protocol's enums (§4.9). An unknown name fails to decode, as in Omni.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A name that the protocol does not define, with the expected names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{name}`, expected one of {expected}")]
pub struct UnknownName {
    kind: &'static str,
    name: String,
    expected: String,
}

/// Defines an enum of unit variants with their wire names, each written once.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident, $kind:literal { $($(#[$doc:meta])* $variant:ident = $wire:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $wire)] $variant,)+
        }

        impl $name {
            /// Every value, in the protocol's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name).ok_or_else(|| UnknownName {
                    kind: $kind,
                    name: name.to_owned(),
                    expected: Self::ALL.iter().map(|value| value.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

names! {
    /// The system a source lives in. Omni restricts sources to these; a connector for a new system reuses one of them.
    #[non_exhaustive]
    SourceType, "source type" {
        /// Google Drive
        GoogleDrive = "google_drive",
        /// Gmail
        Gmail = "gmail",
        /// Google Chat
        GoogleChat = "google_chat",
        /// Confluence
        Confluence = "confluence",
        /// Jira
        Jira = "jira",
        /// Slack
        Slack = "slack",
        /// GitHub
        Github = "github",
        /// Files on the machine of the deployment
        LocalFiles = "local_files",
        /// A mounted file system
        FileSystem = "file_system",
        /// Web pages
        Web = "web",
        /// Notion
        Notion = "notion",
        /// HubSpot
        Hubspot = "hubspot",
        /// OneDrive
        OneDrive = "one_drive",
        /// SharePoint
        SharePoint = "share_point",
        /// Outlook mail
        Outlook = "outlook",
        /// Outlook calendar
        OutlookCalendar = "outlook_calendar",
        /// Microsoft Teams
        MsTeams = "ms_teams",
        /// Fireflies
        Fireflies = "fireflies",
        /// Mail by IMAP
        Imap = "imap",
        /// ClickUp
        Clickup = "clickup",
        /// Linear
        Linear = "linear",
        /// Paperless-ngx
        PaperlessNgx = "paperless_ngx",
        /// Nextcloud
        Nextcloud = "nextcloud",
        /// Google Ads
        GoogleAds = "google_ads",
        /// Darwinbox
        Darwinbox = "darwinbox",
        /// Windshift
        Windshift = "windshift",
    }
}

names! {
    /// How much a sync run looks at.
    #[non_exhaustive]
    SyncType, "sync mode" {
        /// Everything, from the start
        Full = "full",
        /// What changed since the checkpoint
        Incremental = "incremental",
        /// Changes as they happen, for as long as the run lives
        Realtime = "realtime",
    }
}

names! {
    /// Whether an action changes anything in the system it talks to.
    #[non_exhaustive]
    ActionMode, "action mode" {
        /// Only reads
        Read = "read",
        /// Changes something; people approve it before it runs
        Write = "write",
    }
}

// The protocol's default (§4.6): an action without a mode counts as the more dangerous one.
#[allow(
    clippy::derivable_impls,
    reason = "the variants come out of a macro that knows no default"
)]
impl Default for ActionMode {
    fn default() -> Self {
        Self::Write
    }
}

names! {
    /// The kind of a stored credential.
    #[non_exhaustive]
    AuthType, "authentication type" {
        /// A signed token made from a key, such as a service account
        Jwt = "jwt",
        /// An API key
        ApiKey = "api_key",
        /// User name and password
        BasicAuth = "basic_auth",
        /// A bearer token
        BearerToken = "bearer_token",
        /// A bot's token
        BotToken = "bot_token",
        /// OAuth 2.0 tokens, refreshed by the manager
        Oauth = "oauth",
    }
}

/// What kind of value an operator matches (`protocol.md` §4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueType {
    /// A word.
    Text,
    /// A person's e-mail address; Omni also learns people from it.
    Person,
    /// A point in time.
    Datetime,
}

impl ValueType {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Person => "person",
            Self::Datetime => "datetime",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_on_the_wire_is_the_name_in_rust_code() {
        for &source_type in SourceType::ALL {
            assert_eq!(
                serde_json::to_value(source_type).unwrap(),
                source_type.as_str()
            );
            assert_eq!(source_type.as_str().parse(), Ok(source_type));
        }
    }

    #[test]
    fn an_unknown_name_says_what_was_expected() {
        let error = "hourly".parse::<SyncType>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown sync mode `hourly`, expected one of full, incremental, realtime"
        );
    }
}
