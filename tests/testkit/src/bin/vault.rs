//! A connector that sends and receives secrets in every way: it signs in, and has a key in a parameter, a password in a
//! body, and a cookie.

use omni_connector::{http::Token, prelude::*};

#[derive(Deserialize)]
struct Settings {
    api_url: Url,
    webhook_secret: String,
}

#[derive(Clone, Deserialize)]
struct Login {
    client_secret: SecretString,
    key: SecretString,
    password: SecretString,
}

/// Entries of an imaginary vault.
#[connector(name = "vault", source_types = [Jira], config = Settings, credentials = Login)]
struct Vault;

#[derive(Clone, FromCall)]
struct Client {
    entries: Api,
    files: Api,
    secret: String,
    password: SecretString,
}

impl omni_connector::http::ApiClient for Client {
    type Config = Settings;
    type Credentials = Login;

    fn connect(config: &Settings, login: &Login) -> Result<Self> {
        let at = Api::at(&config.api_url);
        let (sign_in, secret) = (at.clone(), login.client_secret.clone());
        let auth = Auth::exchange(move || {
            let (sign_in, secret) = (sign_in.clone(), secret.clone());
            async move {
                let form = [
                    ("grant_type", "client_credentials"),
                    ("client_secret", secret.expose()),
                ];
                Ok(sign_in
                    .post("token")
                    .form(&form)
                    .repeatable()
                    .read::<Token>()
                    .await?)
            }
        });
        Ok(Self {
            entries: at.clone().auth(auth).at_once(4),
            files: at.auth(Auth::query("key", &login.key)),
            secret: config.webhook_secret.clone(),
            password: login.password.clone(),
        })
    }
}

#[connector]
impl Vault {
    #[sync]
    async fn sync(&self, client: Client, ctx: SyncContext) -> Result<()> {
        let body =
            json!({ "filter": "all", "password": client.password.expose(), "hook": client.secret });
        let found: Value = client
            .entries
            .post("search")
            .repeatable()
            .json(&body)
            .read()
            .await?;
        let ids: Vec<String> = serde_json::from_value(found["ids"].clone())?;
        // Several calls at a time, whose answers come in any order.
        let session = found["session_id"].as_str().unwrap_or_default();
        let cookie = &format!("sid={session}");
        let mut entries = client.entries.in_order(&ids, |id: &String| {
            let call = client.entries.get(format!("entries/{id}"));
            async move { (id, call.header("cookie", cookie).read::<Value>().await) }
        });
        while let Some((id, entry)) = entries.next().await {
            let entry = entry?;
            let file = client
                .files
                .get(format!("files/{id}"))
                .text(1 << 20)
                .await?;
            let document = Document::new(id, DocumentPermissions::public());
            let title = entry["title"].as_str().unwrap_or_default();
            ctx.upsert(document.title(title).text(file)).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::serve(Vault).await
}
