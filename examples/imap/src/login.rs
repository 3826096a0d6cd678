//! The way in: connecting, TLS, and the login that the server offers.

use std::{fmt, sync::Arc};

use async_imap::{
    Authenticator, Client,
    error::Error as ImapError,
    imap_proto::{Capability, Response, ResponseCode},
    types::Capabilities,
};
use omni_connector::prelude::*;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use crate::settings::{Encryption, Login, Settings};

pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Socket for T {}

pub(crate) type Session = async_imap::Session<Box<dyn Socket>>;

/// A connection before the login, with what the server offers on it.
pub(crate) struct Entrance {
    client: Client<Box<dyn Socket>>,
    offers: Offers,
}

/// Names of capabilities, in capitals.
#[derive(Debug, Default, PartialEq, Eq)]
struct Offers(Vec<String>);

impl Offers {
    fn of(capabilities: &[Capability<'_>]) -> Self {
        let name = |it: &Capability<'_>| match it {
            Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
            Capability::Auth(name) => format!("AUTH={}", name.to_uppercase()),
            Capability::Atom(name) => name.to_uppercase(),
        };
        Self(capabilities.iter().map(name).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|it| it == name)
    }
}

pub(crate) async fn connect(settings: &Settings) -> Result<Entrance> {
    let host = settings.host.trim();
    let tcp = TcpStream::connect((host, settings.port())).await?;
    match settings.encryption {
        Encryption::Tls => Entrance::of(secure(host, Box::new(tcp)).await?).await,
        Encryption::None => Entrance::of(Box::new(tcp)).await,
        Encryption::Starttls => {
            let mut client = Client::new(Box::new(tcp) as Box<dyn Socket>);
            greeting(&mut client).await?;
            client
                .run_command_and_check_ok("STARTTLS", None)
                .await
                .context("the server refuses STARTTLS; set `encryption` to `tls`")?;
            let mut client = Client::new(secure(host, client.into_inner()).await?);
            // Nothing counts that was offered before TLS: somebody in between may have changed it.
            let offers = ask(&mut client).await?;
            Ok(Entrance { client, offers })
        }
    }
}

impl Entrance {
    async fn of(socket: Box<dyn Socket>) -> Result<Self> {
        let mut client = Client::new(socket);
        let offers = match greeting(&mut client).await? {
            Some(offers) => offers,
            None => ask(&mut client).await?,
        };
        Ok(Self { client, offers })
    }
}

/// Reads the server's first line, which may name what it offers.
async fn greeting(client: &mut Client<Box<dyn Socket>>) -> Result<Option<Offers>> {
    let line = client.read_response().await?;
    let line =
        line.context("the server closed the connection at once; check the setting `encryption`")?;
    Ok(match line.parsed() {
        Response::Data { outcome, .. } => match &outcome.code {
            Some(ResponseCode::Capabilities(offers)) => Some(Offers::of(offers)),
            _ => None,
        },
        _ => None,
    })
}

/// Asks the server what it offers.
async fn ask(client: &mut Client<Box<dyn Socket>>) -> Result<Offers> {
    let stream = client.get_mut();
    stream.write_all(b"offers CAPABILITY\r\n").await?;
    stream.flush().await?;
    let mut offers = Offers::default();
    loop {
        let line = client.read_response().await?;
        let line = line.context("the server closed the connection")?;
        match line.parsed() {
            Response::Capabilities(offered) => offers = Offers::of(offered),
            Response::Done { .. } => return Ok(offers),
            _ => {}
        }
    }
}

pub(crate) async fn log_in(
    entrance: Entrance,
    settings: &Settings,
    login: &Login,
) -> Result<(Session, Option<Capabilities>)> {
    let Entrance { client, offers } = entrance;
    let answer = match login {
        Login::BasicAuth(login) => {
            let is_ascii = login.username.is_ascii() && login.password.expose().is_ascii();
            let is_disabled = offers.has("LOGINDISABLED");
            if is_disabled && !offers.has("AUTH=PLAIN") {
                // The password stays here.
                bail!(match settings.encryption {
                    Encryption::None =>
                        "the server takes no password without TLS; set `encryption` to `starttls` or `tls`",
                    _ => "the server takes no password; sign in by OAuth (auth type `oauth`)",
                });
            }
            if is_ascii && !is_disabled {
                let password = login.password.expose();
                client
                    .login_with_capabilities(&login.username, password)
                    .await
            } else {
                let text = format!("\0{}\0{}", login.username, login.password.expose());
                client.authenticate("PLAIN", Once(text)).await.map(unnamed)
            }
        }
        Login::SignedIn(login) => {
            let (name, token) = (&login.username, login.access_token.expose());
            if offers.has("AUTH=XOAUTH2") {
                let text = format!("user={name}\x01auth=Bearer {token}\x01\x01");
                client
                    .authenticate("XOAUTH2", Once(text))
                    .await
                    .map(unnamed)
            } else if offers.has("AUTH=OAUTHBEARER") {
                // `=` and `,` have a meaning in the part before the first \x01.
                let name = name.replace('=', "=3D").replace(',', "=2C");
                let (host, port) = (settings.host.trim(), settings.port());
                let text = format!(
                    "n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"
                );
                client
                    .authenticate("OAUTHBEARER", Once(text))
                    .await
                    .map(unnamed)
            } else {
                bail!(
                    "the server takes no access token (neither XOAUTH2 nor OAUTHBEARER); enter a password (auth type `basic_auth`)"
                );
            }
        }
    };
    match answer {
        Ok(entered) => Ok(entered),
        Err((ImapError::No(said) | ImapError::Bad(said), _)) if is_passing(&said) => Err(anyhow!(
            "the server cannot log anybody in now; the next run tries it again: {said}"
        )),
        Err((ImapError::No(_) | ImapError::Bad(_), _)) => Err(Refused(login.clone()).into()),
        Err((error, _)) => Err(error).context("logging in failed"),
    }
}

/// A login whose answer does not name what the server offers.
fn unnamed(session: Session) -> (Session, Option<Capabilities>) {
    (session, None)
}

/// Returns whether a refusal says nothing about the password: the server is busy or broken.
fn is_passing(said: &str) -> bool {
    ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "THROTTLED"]
        .iter()
        .any(|code| said.contains(&format!("[{code}]")))
}

/// The server refused the login. Another attempt may lock the account.
#[derive(Clone)]
pub(crate) struct Refused(Login);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = match self.0 {
            Login::BasicAuth(_) => "password",
            Login::SignedIn(_) => "access_token",
        };
        let username = self.0.username();
        write!(
            f,
            "the server refuses the login of `{username}`; check `username` and `{secret}` of the credentials"
        )
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Refused {}

async fn secure(host: &str, socket: Box<dyn Socket>) -> Result<Box<dyn Socket>> {
    let config = ClientConfig::with_platform_verifier()?;
    let name = ServerName::try_from(host.to_owned())?;
    let secured = TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
        .context("no TLS connection can be made; check the setting `encryption` and the server's certificate")?;
    Ok(Box::new(secured))
}

/// Answers the server's first challenge. A second one is an error, which an empty answer ends.
struct Once(String);

impl Authenticator for Once {
    type Response = String;

    fn process(&mut self, _: &[u8]) -> String {
        std::mem::take(&mut self.0)
    }
}
