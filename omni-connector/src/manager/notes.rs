//! The connector's durable notes about a source: read and changed as a typed value (`protocol.md` §3.7).

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{ManagerClient, ManagerError};
use crate::{
    schema::{DecodeError, decode},
    wire::Source,
};

/// What the framework itself notes is under this key.
const KIT: &str = "omni_connector";

/// Why notes about a source cannot be read or changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum NotesError {
    /// The manager does not answer, or refuses.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// The stored notes have another shape.
    #[error(transparent)]
    Shape(#[from] DecodeError),
    /// The new notes are not a JSON object.
    #[error(
        "notes about a source must be a JSON object\n\
         help: use a struct with named fields, without numbers such as NaN"
    )]
    NotAnObject,
}

impl Source {
    /// Reads the connector's notes about the source, as they were when the source was read. Without notes they are the default.
    ///
    /// ```
    /// use omni_connector::prelude::*;
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Notes { webhook_id: Option<String> }
    ///
    /// # fn example(source: Source) -> Result<()> {
    /// let notes: Notes = source.notes()?;
    /// # let _ = notes.webhook_id;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The stored notes have another shape.
    pub fn notes<T: Default + DeserializeOwned>(&self) -> Result<T, DecodeError> {
        match self.connector_state.clone() {
            None | Some(Value::Null) => Ok(T::default()),
            Some(mut notes) => {
                if let Value::Object(notes) = &mut notes
                    && notes.remove(KIT).is_some()
                    && notes.is_empty()
                {
                    return Ok(T::default());
                }
                decode("notes", notes)
            }
        }
    }

    /// The framework's own notes.
    pub(crate) fn kit_notes(&self) -> Option<&Value> {
        self.connector_state.as_ref()?.get(KIT)
    }
}

impl ManagerClient {
    /// Changes the connector's notes about a source: reads them, lets `change` work on them, and stores them. The changes of one
    /// process happen one after the other.
    ///
    /// ```
    /// use omni_connector::prelude::*;
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Notes { webhook_id: Option<String> }
    ///
    /// # async fn example(manager: ManagerClient) -> Result<()> {
    /// manager.change_notes("01K3C0N2P4R6T8W0Y2A4C6E8GJ", |notes: &mut Notes| {
    ///     notes.webhook_id = Some("17".to_owned());
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The manager does not answer or refuses, the stored notes have another shape, or the new ones are not a JSON object.
    pub async fn change_notes<T, R>(
        &self,
        source_id: &str,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, NotesError>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let _one_at_a_time = self.notes().lock().await;
        let source = self.source(source_id).await?;
        let mut notes: T = source.notes()?;
        let outcome = change(&mut notes);
        let Ok(Value::Object(mut stored)) = serde_json::to_value(&notes) else {
            return Err(NotesError::NotAnObject);
        };
        if let Some(kit) = source.kit_notes() {
            stored.insert(KIT.to_owned(), kit.clone());
        }
        if source.connector_state.as_ref().and_then(Value::as_object) != Some(&stored) {
            self.set_connector_state(source_id, &stored.into()).await?;
        }
        Ok(outcome)
    }

    /// Changes the framework's own notes about a source.
    pub(crate) async fn change_kit_notes(
        &self,
        source_id: &str,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Result<(), ManagerError> {
        let _one_at_a_time = self.notes().lock().await;
        let source = self.source(source_id).await?;
        let mut stored = match source.connector_state {
            Some(Value::Object(stored)) => stored,
            None | Some(Value::Null) => Map::new(),
            // Notes of another kind than ours are not for us to replace.
            Some(_) => return Ok(()),
        };
        let mut kit = match stored.remove(KIT) {
            Some(Value::Object(kit)) => kit,
            _ => Map::new(),
        };
        change(&mut kit);
        if !kit.is_empty() {
            stored.insert(KIT.to_owned(), kit.into());
        }
        self.set_connector_state(source_id, &stored.into()).await
    }
}
