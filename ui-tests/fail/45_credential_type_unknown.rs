//! An auth type that does not exist.

use omni_connector::prelude::*;

#[derive(Deserialize)]
struct Token {
    token: SecretString,
}

#[derive(CredentialSet)]
enum Login {
    #[auth_type(bearer)]
    Token(Token),
}

#[connector(name = "github", source_types = [Github], credentials = Login)]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, login: Credentials<Login>) -> Result<()> {
        let Login::Token(token) = &*login;
        token.token.expose();
        Ok(())
    }
}

fn main() {}
