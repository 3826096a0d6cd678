//! A third-party OAuth provider, and the browser of a person with an account there.

use std::{collections::HashMap, process::Stdio};

use anyhow::{Context, Result};
use omni_connector::HttpClient;
use omni_connector_dev::testing::free_port;
use reqwest::{Method, StatusCode, Url};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::Paths;

/// The provider's process and issuer.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    _process: Child,
}

/// Starts the provider for clients with the redirect URI `callback`.
pub(crate) async fn start(paths: &Paths, callback: &str) -> Result<Provider> {
    let port = free_port()?;
    let mut process = Command::new("node")
        .arg(paths.scripts.canonicalize()?.join("provider.mjs"))
        .arg(port.to_string())
        .arg(callback)
        .current_dir(&paths.cache)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("node is needed")?;
    let output = process.stdout.take().context("no output")?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if line == "listening" {
            break;
        }
    }
    // Keeps reading, so that the provider never writes to a closed pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(Provider {
        issuer: format!("http://127.0.0.1:{port}"),
        _process: process,
    })
}

/// The person's choice at the provider.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Will {
    Consent,
    Deny,
}

/// Where the browser ended.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    /// The redirect to the manager.
    pub(crate) callback: Option<Url>,
}

/// Follows redirects, keeps cookies and fills in forms, like a browser.
pub(crate) async fn browse(start: Url, will: Will) -> Result<Seen> {
    let http = HttpClient::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let mut cookies: HashMap<String, String> = HashMap::new();
    let mut callback = None;
    let (mut method, mut url, mut form) = (Method::GET, start, Vec::new());
    for _ in 0..20 {
        if url.path() == "/api/oauth/callback" {
            callback = Some(url.clone());
        }
        let jar: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = http
            .request(method.clone(), url.clone())
            .header("cookie", jar.join("; "));
        let request = if method == Method::POST {
            request.form(&form)
        } else {
            request
        };
        let answer = request.send().await?;
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, value) = cookie
                .to_str()?
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .context("an odd cookie")?;
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if answer.status().is_redirection() {
            let location = answer
                .headers()
                .get("location")
                .context("no location")?
                .to_str()?;
            (method, url) = (Method::GET, url.join(location)?);
            continue;
        }
        let status = answer.status();
        let body = answer.text().await?;
        if !url.path().starts_with("/interaction/") || !status.is_success() {
            return Ok(Seen {
                status,
                body,
                callback,
            });
        }
        if will == Will::Deny {
            url.set_path(&format!("{}/abort", url.path()));
        } else if body.contains("value=\"login\"") {
            method = Method::POST;
            form = vec![("prompt", "login"), ("login", "ann"), ("password", "x")];
        } else {
            method = Method::POST;
            form = vec![("prompt", "consent")];
        }
    }
    anyhow::bail!("the browser goes round in circles")
}
