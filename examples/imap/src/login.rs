//! Connects to the server, with TLS where the settings say so, and logs in by a method that the server offers.

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

/// A connection before the login, with the capabilities of the server.
pub(crate) struct Connection {
    client: Client<Box<dyn Socket>>,
    offers: Offers,
}

/// The server's capabilities, in upper case.
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

pub(crate) async fn connect(settings: &Settings) -> Result<Connection> {
    let host = settings.host.trim();
    let tcp = TcpStream::connect((host, settings.port())).await?;
    match settings.encryption {
        Encryption::Tls => Connection::of(secure(host, Box::new(tcp)).await?).await,
        Encryption::None => Connection::of(Box::new(tcp)).await,
        Encryption::Starttls => {
            let mut client = Client::new(Box::new(tcp) as Box<dyn Socket>);
            greeting(&mut client).await?;
            client
                .run_command_and_check_ok("STARTTLS", None)
                .await
                .context("the server refuses STARTTLS; set `encryption` to `tls`")?;
            let mut client = Client::new(secure(host, client.into_inner()).await?);
            // Capabilities from before TLS are discarded, since they were not protected.
            let offers = ask(&mut client).await?;
            Ok(Connection { client, offers })
        }
    }
}

impl Connection {
    async fn of(socket: Box<dyn Socket>) -> Result<Self> {
        let mut client = Client::new(socket);
        let offers = match greeting(&mut client).await? {
            Some(offers) => offers,
            None => ask(&mut client).await?,
        };
        Ok(Self { client, offers })
    }
}

/// Reads the server's greeting, which may include its capabilities.
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

/// Asks the server for its capabilities.
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
    connection: Connection,
    settings: &Settings,
    login: &Login,
) -> Result<(Session, Option<Capabilities>)> {
    let Connection { client, offers } = connection;
    let answer = match method(&offers, settings, login)? {
        Method::Login(name, password) => client.login_with_capabilities(name, password).await,
        Method::Sasl(mechanism, text) => {
            let answer = client.authenticate(mechanism, Once(text)).await;
            answer.map(|session| (session, None))
        }
    };
    match answer {
        Ok(entered) => Ok(entered),
        Err((ImapError::No(said) | ImapError::Bad(said), _)) if is_passing(&said) => Err(anyhow!(
            "the server is too busy or broken to log anybody in; the next run tries again: {said}"
        )),
        Err((ImapError::No(_) | ImapError::Bad(_), _)) => Err(Refused(login.clone()).into()),
        Err((error, _)) => Err(error).context("logging in failed"),
    }
}

/// How to log in.
enum Method<'a> {
    /// The command LOGIN with a user name and a password.
    Login(&'a str, &'a str),
    /// AUTHENTICATE with a mechanism and its first message.
    Sasl(&'static str, String),
}

/// Chooses a method that the server offers. Without one, no secret is sent.
fn method<'a>(offers: &Offers, settings: &Settings, login: &'a Login) -> Result<Method<'a>> {
    match login {
        Login::BasicAuth(login) => {
            let (name, password) = (&login.username, login.password.expose());
            let is_disabled = offers.has("LOGINDISABLED");
            if is_disabled && !offers.has("AUTH=PLAIN") {
                bail!(match settings.encryption {
                    Encryption::None =>
                        "the server accepts no password without TLS; set `encryption` to `starttls` or `tls`",
                    _ => "the server accepts no password; sign in by OAuth (auth type `oauth`)",
                });
            }
            if name.is_ascii() && password.is_ascii() && !is_disabled {
                return Ok(Method::Login(name, password));
            }
            Ok(Method::Sasl("PLAIN", format!("\0{name}\0{password}")))
        }
        Login::SignedIn(login) => {
            let (name, token) = (&login.username, login.access_token.expose());
            if offers.has("AUTH=XOAUTH2") {
                let text = format!("user={name}\x01auth=Bearer {token}\x01\x01");
                return Ok(Method::Sasl("XOAUTH2", text));
            }
            ensure!(
                offers.has("AUTH=OAUTHBEARER"),
                "the server accepts no access token (neither XOAUTH2 nor OAUTHBEARER); enter a password (auth type `basic_auth`)"
            );
            // `=` and `,` have a meaning in the part before the first \x01.
            let name = name.replace('=', "=3D").replace(',', "=2C");
            let (host, port) = (settings.host.trim(), settings.port());
            let text =
                format!("n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01");
            Ok(Method::Sasl("OAUTHBEARER", text))
        }
    }
}

/// Returns whether a refusal says nothing about the password: the server is busy or broken.
fn is_passing(said: &str) -> bool {
    let codes = ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "THROTTLED"];
    let has_code = |code: &&str| said.contains(&format!("[{code}]"));
    // Cyrus and Gmail have no code for it.
    let text = said.to_lowercase();
    let is_crowded = text.contains("too many") && text.contains("connections");
    is_crowded || codes.iter().any(has_code)
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
