//! Starts a sign-in: builds the provider's authorization URL (`protocol.md` §8.2).

use omni_connector::{Manifest, OAuthConfig, TokenEndpointAuthMethod};
use reqwest::Url;
use serde::Deserialize;

use super::{Flow, SignInError, SignIns, client::Client, pending::Pending};
use crate::{lookup, shared::Shared, state::random_token, store::users::UserRole};

/// `GET /api/oauth/start`.
#[derive(Debug, Deserialize)]
pub(crate) struct Ask {
    source_id: Option<String>,
    /// Types of the personal sources to create, separated by commas.
    source_types: Option<String>,
    flow: Option<String>,
    /// Separated by commas.
    required_scopes: Option<String>,
    /// E-mail address of the person who signs in; default is the manager's own user. Omni knows it
    /// from its session.
    #[serde(rename = "as")]
    email: Option<String>,
}

/// The purpose of a sign-in.
struct Aim {
    flow: Flow,
    sources: Vec<String>,
    source_types: Vec<String>,
    manifest: Manifest,
}

/// Starts a sign-in. Returns the URL for the person's browser. `base` is the manager's own URL.
pub(crate) async fn start(
    shared: &Shared,
    sign_ins: &SignIns,
    ask: Ask,
    base: &str,
) -> Result<Url, SignInError> {
    let aim = aim(shared, &ask).await?;
    let no_oauth = || SignInError::NoOAuth(aim.manifest.name.clone());
    let oauth = aim.manifest.oauth.clone().ok_or_else(no_oauth)?;
    let oauth: OAuthConfig = serde_json::from_value(oauth).map_err(|error| {
        SignInError::BadRequest(format!(
            "the OAuth part of the manifest does not decode: {error}"
        ))
    })?;
    let required = list(ask.required_scopes.as_deref());
    let scopes = scopes(&oauth, &aim, &required);
    let redirect_uri = format!("{base}/api/oauth/callback");
    let client = Client::of(shared, &oauth, redirect_uri).await?;
    let state = random_token();
    let is_public = client.method == TokenEndpointAuthMethod::None;
    let verifier = is_public.then(random_token);
    let mut url = client.authorization_url(&state, verifier.as_deref())?;
    // Scopes use the provider's separator. An extra parameter replaces a standard one of the same
    // name.
    let joined = scopes.join(&oauth.scope_separator);
    let joined = (!joined.is_empty()).then_some(("scope", joined.as_str()));
    let extra = oauth.extra_auth_params.iter();
    let extra = extra.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in joined.into_iter().chain(extra) {
        set(&mut url, name, value);
    }
    let user = match ask.email {
        Some(email) => lookup::user(shared, &email, UserRole::User).await?,
        None => lookup::operator(shared).await?,
    };
    let pending = Pending {
        flow: aim.flow,
        sources: aim.sources,
        source_types: aim.source_types,
        user_id: user.id,
        user_email: user.email,
        oauth,
        client,
        verifier,
        scopes,
        required,
    };
    sign_ins.begin(state, pending, shared.options.sign_in_life);
    Ok(url)
}

async fn aim(shared: &Shared, ask: &Ask) -> Result<Aim, SignInError> {
    let serving = |source_type: &str| {
        shared.registry.serving(source_type).ok_or_else(|| {
            SignInError::NotFound(format!(
                "Connector not registered for type: {source_type:?}"
            ))
        })
    };
    if let Some(id) = &ask.source_id {
        let flow = match ask.flow.as_deref() {
            Some("org_source") => Flow::OrgSource,
            Some("user_read") => Flow::UserRead,
            Some("user_write") | None => Flow::UserWrite,
            Some(other) => {
                return Err(SignInError::BadRequest(format!(
                    "unknown flow `{other}`; expected org_source, user_read or user_write"
                )));
            }
        };
        let source = lookup::source(shared, id)
            .await?
            .ok_or_else(|| SignInError::NotFound(format!("Source not found: {id}")))?;
        return Ok(Aim {
            flow,
            sources: vec![source.id],
            manifest: serving(&source.source_type)?,
            source_types: vec![source.source_type],
        });
    }
    let source_types = list(ask.source_types.as_deref());
    let first = source_types.first().ok_or_else(|| {
        SignInError::BadRequest("name a `source_id`, or `source_types`".to_owned())
    })?;
    let manifest = serving(first)?;
    // A sign-in is for one provider: its token does not work for another connector.
    if let Some(other) = source_types
        .iter()
        .find(|other| !manifest.source_types.contains(other))
    {
        return Err(SignInError::BadRequest(format!(
            "connector `{}` serves `{first}` and not `{other}`\nhelp: sign in for `{other}` alone",
            manifest.name
        )));
    }
    Ok(Aim {
        flow: Flow::Connect,
        sources: Vec::new(),
        manifest,
        source_types,
    })
}

fn list(joined: Option<&str>) -> Vec<String> {
    let parts = joined.unwrap_or_default().split(',').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns all requested scopes, without duplicates.
fn scopes(oauth: &OAuthConfig, aim: &Aim, required: &[String]) -> Vec<String> {
    let mut scopes = oauth.identity_scopes.clone();
    for source_type in &aim.source_types {
        let of_type = source_type
            .parse()
            .ok()
            .and_then(|source_type| oauth.scopes.get(&source_type));
        let Some(of_type) = of_type else { continue };
        scopes.extend(of_type.read.iter().cloned());
        if aim.flow == Flow::UserWrite && required.is_empty() {
            scopes.extend(of_type.write.iter().cloned());
        }
    }
    if aim.flow == Flow::UserWrite {
        scopes.extend(required.iter().cloned());
    }
    let mut seen = std::collections::HashSet::new();
    scopes.retain(|scope| seen.insert(scope.clone()));
    scopes
}

/// Sets a query parameter and replaces one of the same name.
fn set(url: &mut Url, name: &str, value: &str) {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair(name, value);
}
