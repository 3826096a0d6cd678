//! A variant that names no auth type, and whose own name is not one.

use omni_connector::prelude::*;

#[derive(Deserialize)]
struct Token {
    token: SecretString,
}

#[derive(CredentialSet)]
enum Login {
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
