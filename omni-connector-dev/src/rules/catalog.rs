//! Lists what live connectors offer (`protocol.md` §3.9), one entry for each source type.

use futures_util::future::join_all;
use omni_connector::{
    Manifest, SourceType,
    wire::{ActionMode, ManifestAction, PromptDefinition, ResourceDefinition, Skill},
};

use super::Refusal;
use crate::{lookup, shared::Shared, store::sources};

/// An item that a connector offers for one of its source types.
#[derive(Debug)]
pub(crate) struct Offer<T> {
    pub(crate) source_type: String,
    pub(crate) of: T,
}

/// A connector's skill for one source, or for a source type without sources.
#[derive(Debug)]
pub(crate) struct OfferedSkill {
    pub(crate) connector_id: String,
    pub(crate) source_id: Option<String>,
    pub(crate) skill: Skill,
}

/// Returns every live connector and whether it is healthy.
pub(crate) async fn connectors(shared: &Shared) -> Vec<Offer<(Manifest, bool)>> {
    let manifests = shared.registry.live();
    let healths = manifests
        .iter()
        .map(|manifest| shared.connectors.is_healthy(&manifest.connector_url));
    let healths = join_all(healths).await;
    let entries = manifests.iter().zip(healths);
    entries
        .flat_map(|(manifest, healthy)| {
            let types = manifest.source_types.iter();
            types.map(move |source_type| Offer {
                source_type: source_type.clone(),
                of: (manifest.clone(), healthy),
            })
        })
        .collect()
}

/// Returns every action on offer. The source only decides whether write actions are included.
pub(crate) async fn offered_actions(
    shared: &Shared,
    source_id: Option<&str>,
) -> Result<Vec<Offer<ManifestAction>>, Refusal> {
    let source = match source_id {
        Some(id) => lookup::source(shared, id).await?,
        None => None,
    };
    let source_is_read_only = source.is_some_and(|source| source.is_read_only());
    let mut offers = offers(shared, |manifest| &manifest.actions, |_| true);
    offers.retain(|(is_read_only, offer)| {
        let action = &offer.of;
        let read_only = *is_read_only || source_is_read_only;
        !action.hidden
            && covers(&action.source_types, &offer.source_type)
            && !(read_only && action.mode == ActionMode::Write)
    });
    Ok(offers.into_iter().map(|(_, offer)| offer).collect())
}

/// Returns the resources of the connectors' MCP servers.
pub(crate) fn offered_resources(shared: &Shared) -> Vec<Offer<ResourceDefinition>> {
    of_mcp(shared, |manifest| &manifest.resources)
}

/// Returns the prompts of the connectors' MCP servers.
pub(crate) fn offered_prompts(shared: &Shared) -> Vec<Offer<PromptDefinition>> {
    of_mcp(shared, |manifest| &manifest.prompts)
}

/// Returns a row for each skill, source type and source. A type without sources gets one row.
pub(crate) async fn offered_skills(shared: &Shared) -> Result<Vec<Offer<OfferedSkill>>, Refusal> {
    let sources = shared.store.read(sources::all).await?;
    let mut rows = Vec::new();
    for manifest in shared.registry.live() {
        for skill in &manifest.skills {
            let types = manifest.source_types.iter();
            for source_type in types.filter(|name| covers(&skill.source_types, name)) {
                let of_type = sources
                    .iter()
                    .filter(|source| !source.is_deleted && source.source_type == *source_type);
                let mut ids: Vec<_> = of_type.map(|source| Some(source.id.clone())).collect();
                if ids.is_empty() {
                    ids.push(None);
                }
                rows.extend(ids.into_iter().map(|source_id| Offer {
                    source_type: source_type.clone(),
                    of: OfferedSkill {
                        connector_id: manifest.connector_id.clone(),
                        source_id,
                        skill: skill.clone(),
                    },
                }));
            }
        }
    }
    Ok(rows)
}

fn of_mcp<T: Clone>(shared: &Shared, items: impl Fn(&Manifest) -> &Vec<T>) -> Vec<Offer<T>> {
    let offers = offers(shared, items, |manifest| manifest.mcp_enabled);
    offers.into_iter().map(|(_, offer)| offer).collect()
}

/// Returns one offer for each item and source type, and whether the connector is read-only.
fn offers<T: Clone>(
    shared: &Shared,
    items: impl Fn(&Manifest) -> &Vec<T>,
    is_wanted: impl Fn(&Manifest) -> bool,
) -> Vec<(bool, Offer<T>)> {
    let mut offers = Vec::new();
    for manifest in shared
        .registry
        .live()
        .iter()
        .filter(|manifest| is_wanted(manifest))
    {
        for source_type in &manifest.source_types {
            offers.extend(items(manifest).iter().map(|item| {
                let offer = Offer {
                    source_type: source_type.clone(),
                    of: item.clone(),
                };
                (manifest.read_only, offer)
            }));
        }
    }
    offers
}

/// Returns whether the list covers the type. In listings an empty list covers every type.
fn covers(listed: &[SourceType], source_type: &str) -> bool {
    listed.is_empty() || listed.iter().any(|listed| listed.as_str() == source_type)
}
