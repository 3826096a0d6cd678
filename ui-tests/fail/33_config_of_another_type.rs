//! A config of another type than the connector declares.

use omni_connector::prelude::*;

#[derive(Deserialize)]
struct Settings {
    url: String,
}

#[derive(Deserialize)]
struct Other {
    url: String,
}

#[connector(name = "github", source_types = [Github], config = Settings)]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// List files.
    #[action(read)]
    async fn list_files(&self, config: Config<Other>) -> Result<String> {
        Ok(config.0.url)
    }
}

fn main() {
    let _ = (Github::list_files, Settings { url: String::new() }.url);
}
