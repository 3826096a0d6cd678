//! Two variants for one auth type.

use omni_connector::prelude::*;

#[derive(Deserialize)]
struct Token {
    token: SecretString,
}

#[derive(CredentialSet)]
enum Login {
    #[auth_type(oauth)]
    Token(Token),
    Oauth(Token),
}

#[connector(name = "github", source_types = [Github], credentials = Login)]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, login: Credentials<Login>) -> Result<()> {
        let (Login::Token(token) | Login::Oauth(token)) = &*login;
        token.token.expose();
        Ok(())
    }
}

fn main() {}
