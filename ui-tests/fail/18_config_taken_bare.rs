//! A sync that takes the config without `Config<…>`.

use omni_connector::prelude::*;

#[derive(Deserialize)]
struct Settings {
    folder: String,
}

#[connector(name = "github", source_types = [Github], config = Settings)]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, config: Settings) -> Result<()> {
        drop(config.folder);
        Ok(())
    }
}

fn main() {}
