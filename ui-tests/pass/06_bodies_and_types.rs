//! Macros in bodies, `Self` in types, patterns as arguments, raw identifiers, other items in the block.

use omni_connector::prelude::*;

macro_rules! twice {
    ($value:expr) => {
        [$value, $value]
    };
}

#[derive(Deserialize, JsonSchema)]
pub struct Input {
    list: Vec<u8>,
}

#[connector(name = "github", source_types = [Github], config = Settings)]
pub(crate) struct Github;

#[derive(Deserialize)]
pub struct Settings {
    url: String,
}

#[connector]
impl Github {
    pub const LIMIT: usize = 3;

    #[sync]
    pub(crate) async fn sync(self: &Self, Config(Settings { url }): Config<Settings>) -> Result<()> {
        let _ = twice!(url.len());
        Ok(())
    }

    /// Do it.
    #[action(write)]
    pub async fn r#do(
        &self,
        Args(Input { list }): Args<Input>,
        config: Config<<Self as Connector>::Config>,
    ) -> Result<[u8; Self::LIMIT]> {
        let first = twice!(list[0]);
        Ok([first[0], first[1], config.url.len() as u8])
    }

    /// Take it apart.
    #[action(read)]
    async fn take_apart(
        &self,
        /// Two numbers
        #[arg(name = "pair")]
        (a, b): (u8, u8),
        /// Its kind
        #[arg(name = "type")]
        r#type: String,
    ) -> Result<String> {
        Ok(format!("{}{}{}", a, b, r#type))
    }

    fn helper(&self) -> usize {
        Self::LIMIT
    }
}

fn main() {
    assert_eq!(Github.helper(), 3);
    let actions = Github.actions();
    assert_eq!(actions[0].name, "do");
    assert_eq!(actions[1].input_schema["required"], json!(["pair", "type"]));
}
