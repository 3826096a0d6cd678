//! Authorises requests. The credential is applied at each redirect hop, and only for the API's own origin.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use reqwest::{
    Client, Request, RequestBuilder, Url,
    header::{HeaderName, HeaderValue},
};
use tokio::time::Instant;

use super::retry::jitter;
use crate::wire::SecretString;

/// How long before its expiry a token is replaced.
const EARLY: Duration = Duration::from_mins(1);

/// How requests to an API are authorised.
///
/// Credentials go only to the API's own origin (scheme, host and port), regardless of redirects and next-page links.
#[must_use = "an API is told by `Api::auth`"]
#[derive(Clone)]
pub struct Auth(pub(super) Kind);

#[derive(Clone)]
pub(super) enum Kind {
    None,
    Bearer(SecretString),
    Basic(String, SecretString),
    Header(HeaderName, SecretString),
    Query(String, SecretString),
    OAuth,
    Exchange(Arc<Exchange>),
    Sign(Arc<Sign>),
    Invalid(String),
}

pub(super) type Exchange = dyn Fn() -> BoxFuture<'static, anyhow::Result<Token>> + Send + Sync;
pub(super) type Sign = dyn Fn(&mut Request) + Send + Sync;

impl Auth {
    /// Sends the token as `Authorization: Bearer …`.
    pub fn bearer(token: &SecretString) -> Self {
        Self(Kind::Bearer(token.clone()))
    }

    /// Sends user and password as `Authorization: Basic …`.
    pub fn basic(user: impl Into<String>, password: &SecretString) -> Self {
        Self(Kind::Basic(user.into(), password.clone()))
    }

    /// Sends the key in the header of this name.
    pub fn header(name: &str, key: &SecretString) -> Self {
        Self(match name.parse() {
            Ok(name) => Kind::Header(name, key.clone()),
            Err(_) => Kind::Invalid(format!("`{name}` cannot be the name of a header")),
        })
    }

    /// Sends the key as a query parameter. It is removed from messages, spans and resume points.
    pub fn query(name: impl Into<String>, key: &SecretString) -> Self {
        Self(Kind::Query(name.into(), key.clone()))
    }

    /// Sends the source's access token, which the manager keeps, as `Authorization: Bearer …`. The token is read again
    /// a minute before it expires.
    pub fn oauth() -> Self {
        Self(Kind::OAuth)
    }

    /// Sends a token that the connector requests itself, by client credentials or a signed assertion, as
    /// `Authorization: Bearer …`. Only one call at a time requests a token. It is replaced a minute before it expires,
    /// and after a 401.
    ///
    /// ```
    /// use omni_connector::{SecretString, http::{Api, Auth, Token}};
    ///
    /// # fn example(secret: SecretString) {
    /// let login = Api::at("https://login.example.com").auth(Auth::basic("my-app", &secret));
    /// let api = Api::at("https://api.example.com").auth(Auth::exchange(move || {
    ///     let login = login.clone();
    ///     async move {
    ///         let form = [("grant_type", "client_credentials")];
    ///         Ok(login.post("token").form(&form).repeatable().read::<Token>().await?)
    ///     }
    /// }));
    /// # }
    /// ```
    pub fn exchange<F, R>(make: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = anyhow::Result<Token>> + Send + 'static,
    {
        Self(Kind::Exchange(Arc::new(move || Box::pin(make()))))
    }

    /// Changes every request right before it is sent, for example to sign it.
    pub fn sign(sign: impl Fn(&mut Request) + Send + Sync + 'static) -> Self {
        Self(Kind::Sign(Arc::new(sign)))
    }

    pub(super) const fn none() -> Self {
        Self(Kind::None)
    }

    /// Returns whether a request gets the same credential from both. Functions are compared by identity.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::None, Kind::None) | (Kind::OAuth, Kind::OAuth) => true,
            (Kind::Bearer(one), Kind::Bearer(other)) => one == other,
            (Kind::Basic(user, one), Kind::Basic(name, other)) => user == name && one == other,
            (Kind::Header(name, one), Kind::Header(key, other)) => name == key && one == other,
            (Kind::Query(name, one), Kind::Query(key, other)) => name == key && one == other,
            (Kind::Exchange(one), Kind::Exchange(other)) => Arc::ptr_eq(one, other),
            (Kind::Sign(one), Kind::Sign(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Returns the name of the query parameter with the key, which must not be stored.
    pub(super) fn secret_parameter(&self) -> Option<&str> {
        match &self.0 {
            Kind::Query(name, _) => Some(name),
            _ => None,
        }
    }

    /// Returns the secret, which must not appear in messages.
    pub(super) fn secret(&self) -> Option<&SecretString> {
        match &self.0 {
            Kind::Bearer(secret)
            | Kind::Basic(_, secret)
            | Kind::Header(_, secret)
            | Kind::Query(_, secret) => Some(secret),
            _ => None,
        }
    }

    /// Returns whether a request's headers and parameters have this credential. Credentials that cannot be checked are
    /// accepted.
    #[doc(hidden)]
    pub fn admits(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        parameter: &dyn Fn(&str) -> Option<String>,
    ) -> bool {
        let authorization = || header("authorization").unwrap_or_default();
        match &self.0 {
            Kind::Bearer(token) => authorization() == format!("Bearer {}", token.expose()),
            Kind::Basic(user, password) => {
                let pair = format!("{user}:{}", password.expose());
                authorization() == format!("Basic {}", STANDARD.encode(pair))
            }
            Kind::Header(name, key) => header(name.as_str()).as_deref() == Some(key.expose()),
            Kind::Query(name, key) => parameter(name).as_deref() == Some(key.expose()),
            Kind::None | Kind::OAuth | Kind::Exchange(_) | Kind::Sign(_) | Kind::Invalid(_) => true,
        }
    }

    /// Adds the credential to a request. `OAuth` and `Exchange` have become `Bearer` before.
    pub(super) fn apply(&self, client: &Client, mut request: Request) -> reqwest::Result<Request> {
        match &self.0 {
            Kind::Bearer(token) => RequestBuilder::from_parts(client.clone(), request)
                .bearer_auth(token.expose())
                .build(),
            Kind::Basic(user, password) => RequestBuilder::from_parts(client.clone(), request)
                .basic_auth(user, Some(password.expose()))
                .build(),
            Kind::Header(name, key) => {
                // A key that does not fit a header is not sent; the source then refuses the call.
                if let Ok(mut value) = HeaderValue::from_str(key.expose()) {
                    value.set_sensitive(true);
                    request.headers_mut().insert(name.clone(), value);
                }
                Ok(request)
            }
            Kind::Query(name, key) => {
                remove_parameter(request.url_mut(), name);
                request
                    .url_mut()
                    .query_pairs_mut()
                    .append_pair(name, key.expose());
                Ok(request)
            }
            Kind::Sign(sign) => {
                sign(&mut request);
                Ok(request)
            }
            Kind::None | Kind::OAuth | Kind::Exchange(_) | Kind::Invalid(_) => Ok(request),
        }
    }
}

/// Removes a parameter from a query.
pub(super) fn remove_parameter(url: &mut Url, name: &str) {
    if !url.query_pairs().any(|(key, _)| key == name) {
        return;
    }
    let pairs = url.query_pairs().into_owned();
    let kept: Vec<_> = pairs.filter(|(key, _)| key != name).collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::None => "none",
            Kind::Bearer(_) => "bearer",
            Kind::Basic(..) => "basic",
            Kind::Header(..) => "header",
            Kind::Query(..) => "query",
            Kind::OAuth => "oauth",
            Kind::Exchange(_) => "exchange",
            Kind::Sign(_) => "sign",
            Kind::Invalid(_) => "invalid",
        };
        f.debug_tuple("Auth").field(&kind).finish()
    }
}

/// A token from [`Auth::exchange`]. It can be decoded from the usual answer of a token endpoint.
#[must_use = "a token is what `Auth::exchange` makes"]
#[derive(Debug, Clone)]
pub struct Token {
    pub(super) secret: SecretString,
    renew_at: Option<Instant>,
}

impl Token {
    /// Creates a token that is used until the source refuses it.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self {
            secret: secret.into(),
            renew_at: None,
        }
    }

    /// Sets how long the token is valid from now on. It is replaced about a minute earlier. A shorter-lived token is
    /// replaced in the last tenth of its life.
    pub fn expires_in(mut self, time: Duration) -> Self {
        let early = EARLY.mul_f64(0.75 + jitter() / 2.0).min(time / 10);
        self.renew_at = Instant::now().checked_add(time.saturating_sub(early));
        self
    }

    /// Returns whether the token can still be used.
    pub(super) fn is_fresh(&self) -> bool {
        self.renew_at
            .is_none_or(|renew_at| Instant::now() < renew_at)
    }
}

/// Decodes `access_token` and `expires_in` (RFC 6749).
impl<'de> serde::Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Answer {
            access_token: SecretString,
            #[serde(default)]
            expires_in: Option<u64>,
        }
        let answer = Answer::deserialize(deserializer)?;
        let token = Self::new(answer.access_token);
        Ok(match answer.expires_in {
            Some(seconds) => token.expires_in(Duration::from_secs(seconds)),
            None => token,
        })
    }
}
