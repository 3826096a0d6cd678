//! A variant with fields instead of one struct.

use omni_connector::prelude::*;


#[derive(CredentialSet)]
enum Login {
    #[auth_type(bearer_token)]
    Token { token: SecretString },
}

#[connector(name = "github", source_types = [Github], credentials = Login)]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, login: Credentials<Login>) -> Result<()> {
        let Login::Token { token } = &*login;
        token.expose();
        Ok(())
    }
}

fn main() {}
