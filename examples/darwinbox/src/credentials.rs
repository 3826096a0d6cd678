//! The three forms of a credential, and how each authorises requests.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use omni_connector::{http::Token, prelude::*};
use tokio::sync::Mutex as AsyncMutex;

use crate::hr;

/// The secret of a source. Its form is named inside it: two of the three have the same outer `auth_type`.
#[derive(Clone, Deserialize)]
#[serde(tag = "auth_type", rename_all = "snake_case")]
pub enum Secret {
    Basic {
        username: String,
        password: SecretString,
        api_key: Option<SecretString>,
        dataset_key: SecretString,
    },
    ClientCredentials {
        client_id: String,
        client_secret: SecretString,
        api_key: Option<SecretString>,
        dataset_key: SecretString,
    },
    DynamicToken {
        client_id: String,
        client_secret: SecretString,
        grant_type: GrantType,
        code: Option<SecretString>,
        refresh_token: Option<SecretString>,
        api_key: Option<SecretString>,
        dataset_key: SecretString,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    RefreshToken,
    AuthorizationCode,
}

impl Secret {
    /// Returns the API key in the body of every request, if the form has one.
    pub(crate) const fn api_key(&self) -> Option<&SecretString> {
        match self {
            Self::Basic { api_key, .. }
            | Self::ClientCredentials { api_key, .. }
            | Self::DynamicToken { api_key, .. } => api_key.as_ref(),
        }
    }

    /// Returns the dataset key in the body of requests for people.
    pub(crate) const fn dataset_key(&self) -> &SecretString {
        match self {
            Self::Basic { dataset_key, .. }
            | Self::ClientCredentials { dataset_key, .. }
            | Self::DynamicToken { dataset_key, .. } => dataset_key,
        }
    }

    /// Returns how requests to the Darwinbox at `base` are authorised.
    pub(crate) fn auth(&self, base: &Url) -> Result<Auth> {
        let login = hr::api(base);
        match self.clone() {
            Self::Basic {
                username, password, ..
            } => Ok(Auth::basic(username, &password)),
            Self::ClientCredentials {
                client_id,
                client_secret,
                ..
            } => Ok(Auth::exchange(move || {
                let body = json!({
                    "client_id": client_id, "client_secret": client_secret.expose(),
                    "grant_type": "client_credentials",
                });
                let call = login
                    .post("oauth/v2token")
                    .json(&body)
                    .repeatable()
                    .named(SIGN_IN);
                async move { Ok(call.read::<Granted>().await?.token()) }
            })),
            Self::DynamicToken {
                client_id,
                client_secret,
                grant_type,
                code,
                refresh_token,
                ..
            } => {
                let (kind, stored) = match grant_type {
                    GrantType::RefreshToken => ("refresh_token", refresh_token),
                    GrantType::AuthorizationCode => ("code", code),
                };
                let stored = stored.with_context(|| {
                    format!("the credential has no `{kind}`; connect the source again")
                })?;
                let grant = grant(format!("{base} {client_id} {}", stored.expose()));
                let signing_in = Arc::new(SigningIn {
                    login,
                    client_id,
                    client_secret,
                    grant_type,
                    stored,
                });
                Ok(Auth::exchange(move || {
                    renew(Arc::clone(&signing_in), Arc::clone(&grant))
                }))
            }
        }
    }
}

/// The name of the call that requests a token.
pub(crate) const SIGN_IN: &str = "sign in";

/// The response of the token endpoint.
#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    #[serde(default)]
    refresh_token: Option<SecretString>,
    #[serde(default)]
    expires_in: Value,
}

impl Granted {
    fn token(&self) -> Token {
        let token = Token::new(self.access_token.clone());
        let seconds = self.expires_in.as_u64();
        let seconds = seconds.or_else(|| self.expires_in.as_str()?.trim().parse().ok());
        match seconds {
            Some(seconds) => token.expires_in(Duration::from_secs(seconds)),
            None => token,
        }
    }
}

struct SigningIn {
    login: Api,
    client_id: String,
    client_secret: SecretString,
    grant_type: GrantType,
    stored: SecretString,
}

/// The state of a grant. Its code works once, and each refresh may return another refresh token.
#[derive(Default)]
struct Grant {
    rotated: Option<SecretString>,
    token: Option<Token>,
}

type SharedGrant = Arc<AsyncMutex<Grant>>;

/// The grants of the process, by their stored secret. They outlive the clients: after the loss of a refresh token the
/// source must be reconnected.
static GRANTS: LazyLock<Mutex<HashMap<String, SharedGrant>>> = LazyLock::new(Mutex::default);

fn grant(key: String) -> SharedGrant {
    let mut grants = GRANTS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(grants.entry(key).or_default())
}

/// Requests a token with the newest grant. The request is not repeated: a used code or refresh token may not work
/// again.
async fn renew(by: Arc<SigningIn>, grant: SharedGrant) -> Result<Token> {
    let mut grant = grant.lock().await;
    let mut body = json!({ "client_id": by.client_id, "client_secret": by.client_secret.expose() });
    let is_code = by.grant_type == GrantType::AuthorizationCode;
    match (&grant.rotated, &grant.token) {
        (Some(rotated), _) => {
            body["grant_type"] = "refresh_token".into();
            body["refresh_token"] = rotated.expose().into();
        }
        // The code was used, and there is no refresh token.
        (None, Some(token)) if is_code => return Ok(token.clone()),
        (None, _) if is_code => {
            body["grant_type"] = "authorization_code".into();
            body["code"] = by.stored.expose().into();
        }
        (None, _) => {
            body["grant_type"] = "refresh_token".into();
            body["refresh_token"] = by.stored.expose().into();
        }
    }
    let call = by.login.post("oauth/v1token").json(&body).named(SIGN_IN);
    let granted: Granted = call.read().await?;
    let token = granted.token();
    grant.rotated = granted.refresh_token.or_else(|| grant.rotated.take());
    grant.token = Some(token.clone());
    Ok(token)
}
