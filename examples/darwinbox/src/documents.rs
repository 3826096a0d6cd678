//! The originals behind the documents in search.

use omni_connector::prelude::*;

use crate::api::HrClient;

/// Download the original of a policy or an announcement.
#[action(read, timeout = 25)]
pub(crate) async fn fetch_file(
    hr: HrClient,
    actor: Actor,
    /// The document
    #[arg]
    document_id: DocRef,
) -> Result<File, ActionError> {
    let (me, notice) = (hr.me(&actor).await?, hr.notice_of(&document_id).await?);
    if !notice.is_for(&me) {
        return Err(ActionError::forbidden("this is not addressed to you"));
    }
    let Some(name) = notice.file_name else {
        return Err(ActionError::not_found("this has no file behind it"));
    };
    let query = json!({ "notice_id": notice.id });
    hr.file("notices/file", query, name).await
}
