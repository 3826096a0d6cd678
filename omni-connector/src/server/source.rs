//! Looks up a source and its credentials at the manager, and refuses a source that no run or webhook may work on.

use super::App;
use crate::{
    manager::{ManagerClient, ManagerError},
    redact::Secrets,
    wire::{ServiceCredential, Source},
};

/// A source that may be worked on, with the secrets that no message about it may show.
pub(super) struct Found {
    pub(super) source: Source,
    pub(super) credentials: Option<ServiceCredential>,
    pub(super) secrets: Secrets,
}

/// Why a source cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("source `{0}` does not exist")]
    Missing(String),
    #[error("source `{0}` is deleted")]
    Deleted(String),
    #[error("source `{0}` is switched off")]
    SwitchedOff(String),
    /// The connector serves other types.
    #[error("{0}")]
    OtherType(String),
    #[error("the {what} cannot be read: {error}")]
    Unreadable {
        what: &'static str,
        error: ManagerError,
    },
}

impl App {
    /// Looks up the source `id` and its credentials.
    pub(super) async fn find(&self, manager: &ManagerClient, id: &str) -> Result<Found, Unusable> {
        let source = manager.source(id).await.map_err(|error| match error {
            error if error.is_not_found() => Unusable::Missing(id.to_owned()),
            error => Unusable::Unreadable {
                what: "source",
                error,
            },
        })?;
        if source.is_deleted {
            return Err(Unusable::Deleted(source.name));
        }
        if !source.is_active {
            return Err(Unusable::SwitchedOff(source.name));
        }
        let (connector, served) = (self.connector.name(), self.connector.source_types());
        if !served.contains(&source.source_type) {
            let served: Vec<_> = served.iter().map(ToString::to_string).collect();
            return Err(Unusable::OtherType(format!(
                "source `{}` is of type `{}`, which connector `{connector}` does not serve; it serves {}",
                source.name,
                source.source_type,
                served.join(", ")
            )));
        }
        let credentials = match manager.credentials(id).await {
            Ok(credentials) => Some(credentials),
            Err(error) if error.is_not_found() => None,
            Err(error) => {
                return Err(Unusable::Unreadable {
                    what: "credentials",
                    error,
                });
            }
        };
        let secrets = Secrets::of(
            credentials.as_ref().map(|of| &of.credentials),
            [&source.config],
        );
        Ok(Found {
            source,
            credentials,
            secrets,
        })
    }
}
