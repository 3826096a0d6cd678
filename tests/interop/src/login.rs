//! Tests `cargo omni login` at a third-party provider. Every step is a separate process, as a
//! person runs it.

use std::{path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use omni_connector_dev::testing::free_port;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
    time::timeout,
};

use crate::{
    Paths,
    provider::{self, Provider, Will, browse},
    report::Report,
    signed::{ISSUER, REGISTERS},
};

const PATIENCE: Duration = Duration::from_mins(1);
const SECRET: &str = "OMNI_OAUTH_CLIENT_SECRET";

/// A folder with a store, and a provider that redirects to one port.
struct Desk {
    folder: tempfile::TempDir,
    program: PathBuf,
    connector: PathBuf,
    port: String,
    provider: Provider,
    environment: Vec<(&'static str, &'static str)>,
}

/// The result of a command.
struct Done {
    code: Option<i32>,
    answer: Value,
    said: String,
}

impl Desk {
    async fn new(paths: &Paths, environment: &[(&'static str, &'static str)]) -> Result<Self> {
        let port = free_port()?.to_string();
        let callback = format!("http://127.0.0.1:{port}/api/oauth/callback");
        Ok(Self {
            folder: tempfile::tempdir()?,
            program: paths.connector.with_file_name("cargo-omni"),
            connector: paths.connector.with_file_name("interop"),
            provider: provider::start(paths, &callback).await?,
            port,
            environment: environment.to_vec(),
        })
    }

    /// Runs a command. The browser opens the URL that it prints and acts by `will`.
    async fn run(&self, arguments: &[&str], will: Will) -> Result<Done> {
        let mut child = Command::new(&self.program)
            .args(arguments)
            .args(["--json", "--"])
            .arg(&self.connector)
            .arg("connector")
            .current_dir(self.folder.path())
            .env(ISSUER, &self.provider.issuer)
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stderr = BufReader::new(child.stderr.take().context("no standard error")?);
        let mut said = String::new();
        let whole = async {
            while stderr.read_line(&mut said).await? > 0 {
                let line = said.lines().last().unwrap_or_default().trim();
                if line.starts_with("http://") {
                    browse(line.parse()?, will).await?;
                    break;
                }
            }
            stderr.read_to_string(&mut said).await?;
            anyhow::Ok(child.wait_with_output().await?)
        };
        let output = timeout(PATIENCE, whole)
            .await
            .with_context(|| format!("`{}` does not end", arguments.join(" ")))??;
        Ok(Done {
            code: output.status.code(),
            answer: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            said,
        })
    }

    async fn login(&self, arguments: &[&str], will: Will) -> Result<Done> {
        let options = ["login", "--no-browser", "--port", &self.port];
        self.run(&[&options, arguments].concat(), will).await
    }

    /// Returns the token with which an action is called.
    async fn token(&self, arguments: &[&str]) -> Result<String> {
        let done = self
            .run(&[&["call", "token"], arguments].concat(), Will::Consent)
            .await?;
        let token = done.ended(0)?.answer["result"].as_str();
        Ok(token.context("no token")?.to_owned())
    }
}

impl Done {
    fn ended(&self, code: i32) -> Result<&Self> {
        ensure!(
            self.code == Some(code),
            "{:?} {} {}",
            self.code,
            self.answer,
            self.said
        );
        Ok(self)
    }

    fn says(&self, key: &str, part: &str) -> Result<()> {
        let text = self.answer[key].as_str().unwrap_or_default();
        ensure!(text.contains(part), "`{part}` is not in {}", self.answer);
        Ok(())
    }
}

pub(crate) async fn all(paths: &Paths, report: &mut Report) -> Result<()> {
    report.row("OAuth", "oidc-provider, cargo omni login");
    let mut row = |what: &str, result: Result<()>| {
        report.check(what, result.map_err(|error| format!("{error:#}")));
    };
    row("a client that registers itself", registered(paths).await);
    row(
        "no client, then one by hand, and refresh",
        by_hand(paths).await,
    );
    row("a person's own account", person(paths).await);
    row("a denial", denied(paths).await);
    Ok(())
}

async fn registered(paths: &Paths) -> Result<()> {
    let desk = Desk::new(paths, &[(REGISTERS, "1")]).await?;
    let done = desk.login(&[], Will::Consent).await?;
    done.ended(0)?.says("email", "ann@example.com")?;
    done.says("next", "cargo omni sync -- ")?;
    desk.token(&[]).await?;
    Ok(())
}

async fn by_hand(paths: &Paths) -> Result<()> {
    let secret = (SECRET, "secret of client_secret_post");
    let desk = Desk::new(paths, &[secret]).await?;
    let done = desk.login(&[], Will::Consent).await?;
    done.ended(1)?
        .says("error", "no OAuth client is configured")?;
    done.says(
        "help",
        &format!("`http://127.0.0.1:{}/api/oauth/callback`", desk.port),
    )?;
    let done = desk
        .login(&["--client-id", "client_secret_post"], Will::Consent)
        .await?;
    done.ended(0)?.says("email", "ann@example.com")?;
    // Tokens live two minutes here, so every read refreshes; the provider accepts each refresh
    // token once.
    let (first, second) = (desk.token(&[]).await?, desk.token(&[]).await?);
    ensure!(first != second, "the token is not refreshed");
    Ok(())
}

async fn person(paths: &Paths) -> Result<()> {
    let desk = Desk::new(paths, &[(REGISTERS, "1")]).await?;
    let bob = ["--as", "bob@example.com"];
    let done = desk
        .run(&["call", "token", "--as", "bob@example.com"], Will::Consent)
        .await?;
    done.ended(1)?
        .says("error", "has connected no account of their own")?;
    done.says("help", "cargo omni login --as bob@example.com")?;

    desk.login(&bob, Will::Consent).await?.ended(0)?;
    let done = desk
        .run(&["call", "token", "--as", "bob@example.com"], Will::Consent)
        .await?;
    done.ended(1)?
        .says("error", "has not granted `api:write`")?;
    done.says("help", "--as bob@example.com --write api:write")?;

    let consent = ["--as", "bob@example.com", "--write", "api:write"];
    desk.login(&consent, Will::Consent).await?.ended(0)?;
    desk.token(&bob).await?;
    Ok(())
}

async fn denied(paths: &Paths) -> Result<()> {
    let desk = Desk::new(paths, &[(REGISTERS, "1")]).await?;
    let done = desk.login(&[], Will::Deny).await?;
    done.ended(1)?.says("error", "access_denied")?;
    done.says("help", "run the same command again")
}
