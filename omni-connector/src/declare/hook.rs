//! What an annotated connector answers beside syncs and actions: whether a run may start, how people sign in, what
//! teaches language models.

use anyhow::Result;

use super::{
    argument::{CallOf, OfValidate},
    table::Declared,
};
use crate::{
    ManagerClient,
    contract::{BoxFuture, OAuthConfig, ServiceCredential, Skill, Source, SourceType},
};

/// A method with `#[validate]`: reads the arguments and calls it.
pub type Validate<K> = fn(&K, CallOf<K, OfValidate>) -> BoxFuture<'_, Result<()>>;

/// Asks the method with `#[validate]`; without one every run may start.
///
/// # Errors
/// What the method says, which becomes the refusal of the run.
pub async fn validate<K: Declared>(
    connector: &K,
    source: &Source,
    credentials: Option<&ServiceCredential>,
    manager: &ManagerClient,
) -> Result<()> {
    let Some(validate) = K::VALIDATE else {
        return Ok(());
    };
    let call = CallOf::new(OfValidate {
        source: source.clone(),
        credentials: credentials.cloned(),
        manager: manager.clone(),
    });
    validate(connector, call).await
}

/// What the method with `#[oauth]` says.
pub fn oauth_config<K: Declared>(connector: &K) -> Option<OAuthConfig> {
    K::OAUTH.map(|oauth| oauth(connector))
}

/// A declared skill.
pub fn skill(
    id: &str,
    title: &str,
    description: Option<&str>,
    text: &str,
    source_types: &[SourceType],
) -> Skill {
    Skill {
        id: id.to_owned(),
        title: title.to_owned(),
        description: description.map(str::to_owned),
        source_types: source_types.to_vec(),
        content: Some(text.to_owned()),
        mcp_prompt: None,
    }
}

/// The declared skills, and those of the method with `#[skills]`.
pub fn skills<K: Declared>(connector: &K, declared: impl IntoIterator<Item = Skill>) -> Vec<Skill> {
    let mut skills: Vec<_> = declared.into_iter().collect();
    skills.extend(K::SKILLS.map(|more| more(connector)).unwrap_or_default());
    skills
}
