//! Omni's OAuth client at a provider: configured by an administrator, or registered dynamically
//! (`protocol.md` §8.2).

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use omni_connector::{OAuthConfig, TokenEndpointAuthMethod};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    SignInError,
    token::{TokenRequest, encoded},
};
use crate::{shared::Shared, store::configs};

/// The OAuth client at one provider.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: Option<String>,
    pub(super) method: TokenEndpointAuthMethod,
    pub(super) auth_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) redirect_uri: String,
}

impl Client {
    /// Returns the client from the provider's settings. Registers one if there is none and the
    /// provider supports it.
    pub(super) async fn of(
        shared: &Shared,
        oauth: &OAuthConfig,
        redirect_uri: String,
    ) -> Result<Self, SignInError> {
        let provider = oauth.provider.clone();
        let stored = shared
            .store
            .read(move |db| configs::find(db, &provider))
            .await?;
        let mut settings = stored.unwrap_or_else(|| json!({}));
        if let Some(endpoint) = registers_at(oauth)
            && !is_current(&settings, endpoint, &redirect_uri)
        {
            let id = register(shared, oauth, endpoint, &redirect_uri).await?;
            settings["oauth_client_id"] = id.into();
            settings["oauth_dynamic_client_registration"] = "true".into();
            settings["oauth_registration_endpoint"] = endpoint.into();
            settings["oauth_redirect_uri"] = redirect_uri.clone().into();
            let (provider, kept) = (oauth.provider.clone(), settings.clone());
            shared
                .store
                .write(move |db| configs::put(db, &provider, &kept))
                .await?;
        }
        let id = text(&settings, "oauth_client_id")
            .ok_or_else(|| SignInError::NoClient(oauth.provider.clone()))?;
        let method = text(&settings, "oauth_token_endpoint_auth_method")
            .and_then(|method| serde_json::from_value(method.into()).ok());
        Ok(Self {
            id,
            secret: text(&settings, "oauth_client_secret"),
            method: method.unwrap_or(oauth.token_endpoint_auth_method),
            auth_endpoint: text(&settings, "oauth_auth_endpoint")
                .unwrap_or_else(|| oauth.auth_endpoint.clone()),
            token_endpoint: text(&settings, "oauth_token_endpoint")
                .unwrap_or_else(|| oauth.token_endpoint.clone()),
            redirect_uri,
        })
    }

    /// Returns the authorization request (RFC 6749 §4.1.1), with the challenge of PKCE (RFC 7636 §4.3) if there is a verifier.
    pub(super) fn authorization_url(
        &self,
        state: &str,
        verifier: Option<&str>,
    ) -> Result<Url, SignInError> {
        let parse = |what: &str, url: &str| {
            Url::parse(url)
                .map_err(|_| SignInError::BadRequest(format!("the {what} `{url}` is no URL")))
        };
        parse("token endpoint", &self.token_endpoint)?;
        parse("redirect URI", &self.redirect_uri)?;
        let mut url = parse("authorization endpoint", &self.auth_endpoint)?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.id)
            .append_pair("state", state);
        if let Some(verifier) = verifier {
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
            url.query_pairs_mut()
                .append_pair("code_challenge", &challenge)
                .append_pair("code_challenge_method", "S256");
        }
        url.query_pairs_mut()
            .append_pair("redirect_uri", &self.redirect_uri);
        Ok(url)
    }

    /// Creates a request to the token endpoint, with the client's authentication.
    pub(super) fn token_request(&self) -> TokenRequest {
        let (mut form, mut basic) = (Vec::new(), None);
        match (&self.secret, self.method) {
            (Some(secret), TokenEndpointAuthMethod::ClientSecretBasic) => {
                basic = Some((encoded(&self.id), encoded(secret)));
            }
            (Some(secret), TokenEndpointAuthMethod::ClientSecretPost) => {
                form.push(("client_id", self.id.clone()));
                form.push(("client_secret", secret.clone()));
            }
            _ => form.push(("client_id", self.id.clone())),
        }
        TokenRequest {
            endpoint: self.token_endpoint.clone(),
            form,
            basic,
        }
    }

    /// Returns the authentication method as the manifest spells it.
    pub(super) fn method_name(&self) -> Value {
        serde_json::to_value(self.method).unwrap_or_default()
    }
}

fn text(settings: &Value, key: &str) -> Option<String> {
    let text = settings.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn registers_at(oauth: &OAuthConfig) -> Option<&str> {
    oauth
        .registration_endpoint
        .as_deref()
        .filter(|_| oauth.token_endpoint_auth_method == TokenEndpointAuthMethod::None)
}

/// Returns whether the client can be used. A configured client always can. A dynamically registered
/// one is replaced when it was for another endpoint or redirect URI.
fn is_current(settings: &Value, endpoint: &str, redirect_uri: &str) -> bool {
    let has_client = text(settings, "oauth_client_id").is_some();
    let is_ours = settings["oauth_dynamic_client_registration"] == "true";
    let is_same = settings["oauth_registration_endpoint"] == endpoint
        && settings["oauth_redirect_uri"] == redirect_uri;
    has_client && (!is_ours || is_same)
}

async fn register(
    shared: &Shared,
    oauth: &OAuthConfig,
    endpoint: &str,
    redirect_uri: &str,
) -> Result<String, SignInError> {
    #[derive(Deserialize)]
    struct Registered {
        client_id: String,
    }
    let failed = |reason: String| {
        SignInError::Provider(format!("the provider registers no client: {reason}"))
    };
    let client = json!({
        "client_name": format!("Omni {} MCP", oauth.provider),
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": everything(oauth).join(&oauth.scope_separator),
    });
    let request = shared.connectors.http().post(endpoint).json(&client);
    let answer = request
        .send()
        .await
        .map_err(|error| failed(error.to_string()))?;
    let status = answer.status();
    if !status.is_success() {
        let body = answer.text().await.unwrap_or_default();
        return Err(failed(format!("{status} {body:.300}")));
    }
    let registered: Registered = answer
        .json()
        .await
        .map_err(|error| failed(error.to_string()))?;
    Ok(registered.client_id)
}

/// Returns every scope that any sign-in may request. A client registered for fewer is refused
/// later, when a person with a read account is asked to grant write access.
fn everything(oauth: &OAuthConfig) -> Vec<&str> {
    let of_types = oauth.scopes.values();
    let all = of_types.flat_map(|scopes| scopes.read.iter().chain(&scopes.write));
    let mut seen = HashSet::new();
    let all = oauth.identity_scopes.iter().chain(all).map(String::as_str);
    all.filter(|scope| seen.insert(*scope)).collect()
}
