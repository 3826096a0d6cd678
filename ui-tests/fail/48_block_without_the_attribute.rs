//! A connector whose block lacks the attribute.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[oauth]
    fn oauth(&self) -> Option<OAuthConfig> {
        None
    }

    /// List files.
    #[action(read)]
    async fn list_files(
        &self,
        /// At most so many
        #[arg]
        limit: u32,
    ) -> Result<Value> {
        Ok(json!([limit]))
    }

    /// Delete a file.
    #[action(write)]
    async fn delete_file(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = (Github::sync, Github::oauth, Github::list_files, Github::delete_file);
}
