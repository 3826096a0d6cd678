//! The server's settings: its address, the manager's address, and its limits.

use std::{
    env, fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use crate::{manager::Patience, redact::redact, wire::SecretString};

/// The settings of a connector's server, usually [from the environment](Self::from_env).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// `CONNECTOR_MANAGER_URL`: base URL of the manager.
    pub manager_url: String,
    /// `CONNECTOR_HOST_NAME`: the name under which the manager reaches this process.
    pub host_name: String,
    /// `PORT`: the port to listen on and to register.
    pub port: u16,
    /// `OMNI_CONNECTOR_LISTEN`: the address to listen on; default `0.0.0.0`.
    pub listen: IpAddr,
    /// `OMNI_CONNECTOR_MAX_BODY_BYTES`: larger request bodies are refused with 413; default 64 MB.
    pub max_body_bytes: usize,
    /// `OMNI_CONNECTOR_TOKEN`: the token that the manager, or a proxy in front of this process, sends as `Authorization:
    /// Bearer …`. If set, routes that start or change something, or answer with content, require it.
    pub token: Option<SecretString>,
    /// `OMNI_CONNECTOR_GRACE_SECONDS`: how long syncs may take to reach a checkpoint when the process stops.
    /// The default of 7 s stays below the 10 s after which Docker kills.
    pub grace: Duration,
    /// `OMNI_CONNECTOR_WEBHOOK_WINDOW_SECONDS`: webhook calls for one source within this time are merged into one run; default
    /// 2 s.
    pub webhook_window: Duration,
    /// Timeouts and retries of calls to the manager.
    pub patience: Patience,
    /// `CATALOG_CACHE_DIR`: the folder that caches the MCP server's lists; default `/var/lib/omni/mcp-catalogs`.
    pub catalog_cache_dir: PathBuf,
    /// `CATALOG_CACHE_TTL_SECONDS`: how long the cached lists are valid; default one day. 0 or less disables the
    /// cache on disk; the value here is then none.
    pub catalog_cache_ttl: Option<Duration>,
    /// `OMNI_CONNECTOR_MCP_IDLE_SECONDS`: how long an unused connection to the MCP server stays open. A server that was started
    /// for it ends with it. Default 300 s.
    pub mcp_idle: Duration,
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("manager_url", &redact(&self.manager_url))
            .field("host_name", &self.host_name)
            .field("port", &self.port)
            .field("listen", &self.listen)
            .field("max_body_bytes", &self.max_body_bytes)
            .field("token", &self.token)
            .field("grace", &self.grace)
            .field("webhook_window", &self.webhook_window)
            .field("patience", &self.patience)
            .field("catalog_cache_dir", &self.catalog_cache_dir)
            .field("catalog_cache_ttl", &self.catalog_cache_ttl)
            .field("mcp_idle", &self.mcp_idle)
            .finish()
    }
}

/// All missing or invalid variables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment is incomplete\n{}", .0.join("\n"))]
pub struct ConfigError(Vec<String>);

impl ServerConfig {
    /// Creates settings for the manager at `manager_url` and this process at `host_name:port`, with defaults for the rest.
    pub fn new(manager_url: impl Into<String>, host_name: impl Into<String>, port: u16) -> Self {
        Self {
            manager_url: manager_url.into(),
            host_name: host_name.into(),
            port,
            listen: Ipv4Addr::UNSPECIFIED.into(),
            max_body_bytes: 64 << 20,
            token: None,
            grace: Duration::from_secs(7),
            webhook_window: Duration::from_secs(2),
            patience: Patience::default(),
            catalog_cache_dir: "/var/lib/omni/mcp-catalogs".into(),
            catalog_cache_ttl: Some(Duration::from_hours(24)),
            mcp_idle: Duration::from_mins(5),
        }
    }

    /// Creates settings for a connector on the manager's machine, as tests and benchmarks need them: it listens on `127.0.0.1`
    /// only, at a free port, and registers there.
    pub fn loopback(manager_url: impl Into<String>) -> Self {
        Self {
            listen: Ipv4Addr::LOCALHOST.into(),
            ..Self::new(manager_url, "127.0.0.1", 0)
        }
    }

    /// Reads the settings from the environment (`protocol.md` §1.2).
    ///
    /// # Errors
    /// Lists every missing or unreadable variable with its purpose.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        // Compose files write an empty variable for an unset one.
        let lookup = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut problems = Vec::new();
        let mut required = |name: &str, purpose: &str| {
            lookup(name).unwrap_or_else(|| {
                problems.push(format!("help: set `{name}` to {purpose}"));
                String::new()
            })
        };
        let manager_url = required(
            "CONNECTOR_MANAGER_URL",
            "the base URL of the connector manager, such as `http://connector-manager:3004`",
        );
        let host_name = required(
            "CONNECTOR_HOST_NAME",
            "the name under which the manager reaches this connector, such as `localhost`",
        );
        let port = required("PORT", "the port to listen on, such as `4001`");
        let (manager_url, host_name) = (manager_url.trim(), host_name.trim());
        check_addresses(manager_url, host_name, &mut problems);
        let mut config = Self::new(manager_url, host_name, 0);
        if !port.is_empty() {
            read(&mut config.port, "PORT", &port, "port", &mut problems);
        }
        if let Some(text) = lookup("OMNI_CONNECTOR_LISTEN") {
            read(
                &mut config.listen,
                "OMNI_CONNECTOR_LISTEN",
                &text,
                "IP address",
                &mut problems,
            );
        }
        if let Some(text) = lookup("OMNI_CONNECTOR_MAX_BODY_BYTES") {
            read(
                &mut config.max_body_bytes,
                "OMNI_CONNECTOR_MAX_BODY_BYTES",
                &text,
                "number of bytes",
                &mut problems,
            );
        }
        config.token = lookup("OMNI_CONNECTOR_TOKEN").map(|token| token.trim().to_owned().into());
        for (name, field) in [
            ("OMNI_CONNECTOR_GRACE_SECONDS", &mut config.grace),
            (
                "OMNI_CONNECTOR_WEBHOOK_WINDOW_SECONDS",
                &mut config.webhook_window,
            ),
        ] {
            if let Some(text) = lookup(name) {
                let mut seconds = 0;
                read(
                    &mut seconds,
                    name,
                    &text,
                    "number of seconds",
                    &mut problems,
                );
                *field = Duration::from_secs(seconds);
            }
        }
        if let Some(folder) = lookup("CATALOG_CACHE_DIR") {
            config.catalog_cache_dir = folder.into();
        }
        if let Some(text) = lookup("CATALOG_CACHE_TTL_SECONDS") {
            let mut seconds = 0_i64;
            read(
                &mut seconds,
                "CATALOG_CACHE_TTL_SECONDS",
                &text,
                "number of seconds",
                &mut problems,
            );
            let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
            config.catalog_cache_ttl = seconds.map(Duration::from_secs);
        }
        if let Some(text) = lookup("OMNI_CONNECTOR_MCP_IDLE_SECONDS") {
            let mut seconds = NonZeroU32::MIN;
            read(
                &mut seconds,
                "OMNI_CONNECTOR_MCP_IDLE_SECONDS",
                &text,
                "number of seconds",
                &mut problems,
            );
            config.mcp_idle = Duration::from_secs(seconds.get().into());
        }
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(problems))
        }
    }

    /// Returns the URL that is registered with the manager.
    pub(crate) fn connector_url(&self) -> String {
        // A URL encloses an IPv6 address in brackets.
        if self.host_name.parse::<Ipv6Addr>().is_ok() {
            format!("http://[{}]:{}", self.host_name, self.port)
        } else {
            format!("http://{}:{}", self.host_name, self.port)
        }
    }
}

/// Reports invalid addresses. Missing ones are reported already.
fn check_addresses(manager_url: &str, host_name: &str, problems: &mut Vec<String>) {
    if !manager_url.is_empty() && !is_base(manager_url) {
        problems.push(format!(
            "help: `CONNECTOR_MANAGER_URL` is `{}`, which is not the base of a URL; give it with `http://` and without a query, such \
             as `http://connector-manager:3004`",
            crate::redact::redact(manager_url)
        ));
    }
    if !host_name.is_empty() && !is_host(host_name) {
        problems.push(format!(
            "help: `CONNECTOR_HOST_NAME` is `{host_name}`, which is no host; give the name or the IP address alone, such as \
             `acme` or `fd00::12`"
        ));
    }
}

/// Returns whether paths can be added to a URL.
fn is_base(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

/// Returns whether a string is a bare host: a name or an IP address, without scheme, port and path.
fn is_host(text: &str) -> bool {
    let is_usual = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.parse::<Ipv6Addr>().is_ok()
        || match url::Host::parse(text) {
            Ok(url::Host::Domain(_)) => text.chars().all(is_usual),
            Ok(_) => true,
            Err(_) => false,
        }
}

fn read<T: FromStr>(field: &mut T, name: &str, text: &str, kind: &str, problems: &mut Vec<String>) {
    match text.trim().parse() {
        Ok(value) => *field = value,
        Err(_) => problems.push(format!("help: `{name}` is `{text}`, which is no {kind}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<ServerConfig, ConfigError> {
        ServerConfig::from_lookup(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let message = config(&[("PORT", "70000"), ("CONNECTOR_HOST_NAME", "")])
            .unwrap_err()
            .to_string();
        for part in [
            "`CONNECTOR_MANAGER_URL`",
            "`CONNECTOR_HOST_NAME`",
            "`PORT` is `70000`, which is no port",
        ] {
            assert!(message.contains(part), "{part} is not in:\n{message}");
        }
    }

    #[test]
    fn the_published_variables_are_enough() {
        let config = config(&[
            ("CONNECTOR_MANAGER_URL", "http://manager:3004"),
            ("CONNECTOR_HOST_NAME", "acme"),
            ("PORT", "4001"),
        ]);
        assert_eq!(
            config,
            Ok(ServerConfig::new("http://manager:3004", "acme", 4001))
        );
        assert_eq!(config.unwrap().connector_url(), "http://acme:4001");
    }

    #[test]
    fn a_host_is_a_name_or_an_address_alone() {
        let with = |host| {
            config(&[
                ("CONNECTOR_MANAGER_URL", " http://manager:3004 "),
                ("CONNECTOR_HOST_NAME", host),
                ("PORT", " 4801 "),
            ])
        };
        for (host, url) in [
            ("fd00::12", "http://[fd00::12]:4801"),
            ("::1", "http://[::1]:4801"),
            ("[::1]", "http://[::1]:4801"),
            (" acme ", "http://acme:4801"),
            ("10.0.0.7", "http://10.0.0.7:4801"),
            ("acme.example.com", "http://acme.example.com:4801"),
            ("FD00::12", "http://[FD00::12]:4801"),
            ("::ffff:10.0.0.7", "http://[::ffff:10.0.0.7]:4801"),
            ("acme_sync-1", "http://acme_sync-1:4801"),
            ("acme.", "http://acme.:4801"),
        ] {
            let config = with(host).unwrap();
            assert_eq!(config.connector_url(), url);
            assert_eq!(config.manager_url, "http://manager:3004");
        }
        for host in [
            "http://acme",
            "acme:4801",
            "acme/x",
            "ann@acme",
            "fd00::12::1",
            "[::1]:4801",
            "[::1",
            "fe80::1%eth0",
            "//acme",
            "acme?x",
            "acme#x",
            "ac me",
            "acme,other",
            "acme\\x",
            "*",
        ] {
            let message = with(host).unwrap_err().to_string();
            assert!(
                message.contains(&format!("`CONNECTOR_HOST_NAME` is `{host}`")),
                "{message}"
            );
        }
    }

    #[test]
    fn times_are_read_in_seconds() {
        let mut variables = vec![
            ("CONNECTOR_MANAGER_URL", "http://manager:3004"),
            ("CONNECTOR_HOST_NAME", "acme"),
            ("PORT", "4001"),
            ("OMNI_CONNECTOR_GRACE_SECONDS", "30"),
            ("OMNI_CONNECTOR_WEBHOOK_WINDOW_SECONDS", "5"),
        ];
        let read = config(&variables).unwrap();
        assert_eq!(read.grace, Duration::from_secs(30));
        assert_eq!(read.webhook_window, Duration::from_secs(5));
        variables.push(("CATALOG_CACHE_TTL_SECONDS", "soon"));
        variables[4].1 = "-1";
        let message = config(&variables).unwrap_err().to_string();
        for name in [
            "`OMNI_CONNECTOR_WEBHOOK_WINDOW_SECONDS` is `-1`",
            "`CATALOG_CACHE_TTL_SECONDS` is `soon`",
        ] {
            assert!(message.contains(name), "{name} is not in:\n{message}");
        }
    }

    #[test]
    fn the_catalog_is_kept_where_and_as_long_as_the_environment_says() {
        let with = |name, value| {
            config(&[
                ("CONNECTOR_MANAGER_URL", "http://manager:3004"),
                ("CONNECTOR_HOST_NAME", "acme"),
                ("PORT", "4001"),
                (name, value),
            ])
        };
        let folder = |value| with("CATALOG_CACHE_DIR", value).unwrap().catalog_cache_dir;
        assert_eq!(folder(""), PathBuf::from("/var/lib/omni/mcp-catalogs"));
        assert_eq!(folder("/tmp/catalogs"), PathBuf::from("/tmp/catalogs"));
        let ttl = |value| {
            let config = with("CATALOG_CACHE_TTL_SECONDS", value)?;
            Ok::<_, ConfigError>(config.catalog_cache_ttl)
        };
        for (value, expected) in [
            ("", Some(Duration::from_hours(24))),
            ("90", Some(Duration::from_secs(90))),
            ("0", None),
            ("-1", None),
        ] {
            assert_eq!(ttl(value), Ok(expected), "{value}");
        }
        let message = ttl("a day").unwrap_err().to_string();
        assert!(
            message.contains("`CATALOG_CACHE_TTL_SECONDS` is `a day`"),
            "{message}"
        );
        let idle =
            |value| with("OMNI_CONNECTOR_MCP_IDLE_SECONDS", value).map(|config| config.mcp_idle);
        assert_eq!(idle(""), Ok(Duration::from_mins(5)));
        assert_eq!(idle("7"), Ok(Duration::from_secs(7)));
        assert!(idle("0").is_err(), "no connection lives so short");
    }

    #[test]
    fn an_invalid_address_of_the_manager_is_refused_by_name() {
        let with = |url: &str| {
            config(&[
                ("CONNECTOR_MANAGER_URL", url),
                ("CONNECTOR_HOST_NAME", "acme"),
                ("PORT", "4801"),
            ])
        };
        for url in ["http://m:3004/", "https://m/omni", "http://[fd00::12]:3004"] {
            assert!(with(url).is_ok(), "{url}");
        }
        for url in [
            "m:3004",
            "127.0.0.1:3004",
            "/omni",
            "ftp://m",
            "http://m?token=hunter22",
            "http://m/#x",
            "http://",
        ] {
            let message = with(url).unwrap_err().to_string();
            assert!(
                message.contains("`CONNECTOR_MANAGER_URL` is `"),
                "{message}"
            );
            assert!(!message.contains("hunter22"), "{message}");
        }
    }

    #[test]
    fn a_token_is_read_and_never_shown() {
        let config = config(&[
            ("CONNECTOR_MANAGER_URL", "http://ann:hunter2@manager:3004"),
            ("CONNECTOR_HOST_NAME", "acme"),
            ("PORT", "4001"),
            ("OMNI_CONNECTOR_TOKEN", " hunter2 "),
        ])
        .unwrap();
        assert_eq!(config.token, Some("hunter2".to_owned().into()));
        assert_ne!(config.token, Some("hunter3".to_owned().into()));
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
    }
}
