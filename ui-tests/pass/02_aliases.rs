//! Types are recognised by what they are, not by their spelling.

use omni_connector::prelude::{
    self as omni, Deserialize, JsonSchema, Serialize, connector, schemars,
};

#[derive(Deserialize)]
struct Settings {
    url: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Cursor(u32);

#[derive(Deserialize, JsonSchema)]
struct Input {
    folder: String,
}

type Conf = omni::Config<Settings>;
type Place = omni::Checkpoint<Cursor>;
type Everything = omni::Args<Input>;
type Maybe<T> = Option<T>;

mod run {
    pub type Context = omni_connector::SyncContext;
}

#[connector(name = "github", source_types = [Github], config = Settings, state = Cursor)]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, ctx: run::Context, place: Place, config: Conf) -> omni::Result<()> {
        ctx.delete(format!("{}{}", config.url, place.0)).await?;
        Ok(())
    }

    /// List files.
    #[action(read)]
    async fn list_files(&self, input: Everything, who: Maybe<omni::Actor>) -> omni::Result<String> {
        Ok(input.0.folder + &who.map_or_else(String::new, |who| who.email))
    }

    /// Find files.
    #[action(read)]
    async fn find_files(
        &self,
        /// Part of the name
        #[arg]
        name: Maybe<String>,
    ) -> Result<Maybe<String>, omni::ActionError> {
        Ok(name)
    }
}

fn main() {
    use omni::Connector;

    let actions = Github.actions();
    assert_eq!(actions[0].input_schema["required"], omni::json!(["folder"]));
    assert_eq!(actions[1].input_schema["required"], omni::Value::Null);
}
