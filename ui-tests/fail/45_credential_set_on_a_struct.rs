//! A credential set derived for a struct.

use omni_connector::prelude::*;


#[derive(CredentialSet)]
struct Login {
    token: SecretString,
}

#[connector(name = "github", source_types = [Github], credentials = Login)]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, login: Credentials<Login>) -> Result<()> {
        login.token.expose();
        Ok(())
    }
}

fn main() {}
