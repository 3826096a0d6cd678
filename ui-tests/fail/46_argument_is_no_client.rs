//! `FromCall` derived for a type that is not the client of an API.

use omni_connector::prelude::*;

#[derive(Clone, FromCall)]
struct Tracker {
    token: String,
}

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, tracker: Tracker) -> Result<()> {
        drop(tracker.token);
        Ok(())
    }
}

fn main() {}
