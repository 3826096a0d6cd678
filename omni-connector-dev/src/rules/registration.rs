//! Registrations (`protocol.md` §3.3), and manifests that answer a sign-in notice (§8.6). A
//! manifest must never be accepted in part.

use omni_connector::Manifest;

use super::Refusal;
use crate::{
    lookup,
    oauth::{Outcome, notify, recover_catalog},
    shared::Shared,
    state::check_actions,
    store::{operators, registrations},
};

/// Writes a manifest as the file `tests/manifest.json` of a package, without what differs for each process or version.
///
/// # Errors
/// Fails when the manifest cannot be JSON.
pub(crate) fn golden_file(manifest: &Manifest) -> serde_json::Result<String> {
    let mut manifest = serde_json::to_value(manifest)?;
    for volatile in ["connector_url", "version"] {
        if let Some(members) = manifest.as_object_mut() {
            members.remove(volatile);
        }
    }
    Ok(serde_json::to_string_pretty(&manifest)? + "\n")
}

/// Registers a connector if it can be reached.
pub(crate) async fn register(shared: &Shared, manifest: Manifest) -> Result<(), Refusal> {
    for (field, value) in [
        ("connector_id", &manifest.connector_id),
        ("connector_url", &manifest.connector_url),
    ] {
        if value.is_empty() {
            return Err(Refusal::BadRequest(format!(
                "{field} is required for registration"
            )));
        }
    }
    check_actions(&manifest).map_err(Refusal::BadRequest)?;
    if !shared.connectors.is_healthy(&manifest.connector_url).await {
        return Err(Refusal::BadRequest(format!(
            "Connector health check failed at {}. Registration rejected.",
            manifest.connector_url
        )));
    }
    tracing::debug!(
        connector = manifest.connector_id,
        url = manifest.connector_url,
        "registered"
    );
    shared.registry.put(manifest.clone());
    let (kept, life) = (manifest.clone(), shared.options.registration_ttl);
    let declared = shared.registry.operators();
    shared
        .store
        .write(move |db| {
            registrations::put(db, &kept, life)?;
            operators::replace(db, &declared)
        })
        .await?;
    recover_catalog(shared, &manifest).await;
    Ok(())
}

/// Waits for the first connector that registers with this process. An earlier registration counts.
pub(crate) async fn first_registration(shared: &Shared) -> Manifest {
    let mut registrations = shared.registry.registrations();
    loop {
        if let Some(manifest) = shared.registry.first() {
            return manifest;
        }
        // The sender lives as long as the registry.
        let _ = registrations.changed().await;
    }
}

/// Waits for the connector that listens on `port` of this machine.
pub(crate) async fn registration_at(shared: &Shared, port: u16) -> Manifest {
    let mut registrations = shared.registry.registrations();
    let end = format!(":{port}");
    loop {
        let mut live = shared.registry.live().into_iter();
        if let Some(manifest) = live.find(|manifest| manifest.connector_url.ends_with(&end)) {
            return manifest;
        }
        // The sender lives as long as the registry.
        let _ = registrations.changed().await;
    }
}

/// The result of a sign-in notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notified {
    /// The source has no credential.
    NoCredentials,
    /// The person has no credential on the source.
    MissingCredentials,
    /// The connector could not be reached, or refused.
    Failed,
    /// The connector accepted the notice; its manifest is unchanged.
    Delivered,
    /// The connector answered with an invalid manifest.
    InvalidManifest,
    /// The connector answered with a manifest, which is now registered.
    Updated,
}

/// Notifies a source's connector that a person signed in.
pub(crate) async fn credential_ready(
    shared: &Shared,
    source_id: &str,
    user_id: Option<&str>,
    provider: &str,
    flow: &str,
) -> Result<Notified, Refusal> {
    let source = lookup::source(shared, source_id)
        .await?
        .ok_or_else(|| Refusal::source_not_found(source_id))?;
    let Some(manifest) = lookup::connector(shared, &source) else {
        return Err(Refusal::connector_not_registered(&source.source_type));
    };
    let url = &manifest.connector_url;
    Ok(
        match notify(shared, url, source_id, user_id, provider, flow).await? {
            Outcome::NoCredentials => Notified::NoCredentials,
            Outcome::MissingCredentials => Notified::MissingCredentials,
            Outcome::Failed => Notified::Failed,
            Outcome::Delivered => Notified::Delivered,
            Outcome::Manifest(manifest) if check_actions(&manifest).is_err() => {
                Notified::InvalidManifest
            }
            Outcome::Manifest(manifest) => {
                // Does not check id, address and health, and keeps the operators.
                shared.registry.put(*manifest);
                Notified::Updated
            }
        },
    )
}
