//! Tokens that the connector requests on behalf of people: one for each person and set of scopes, shared by all calls.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex as StdMutex, PoisonError},
};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::{Auth, Token};

/// Tokens that the connector requests itself, for example by an assertion on behalf of a person. There is one for each
/// subject and set of scopes.
///
/// All APIs whose [`auth`](Self::auth) has the same subject and scopes share a token. One task requests it while the
/// others wait. It is replaced about a minute before it expires, and once when the source refuses it.
///
/// ```
/// use omni_connector::{http::{Api, Token, Tokens}, prelude::*};
///
/// # fn assertion(_: &str, _: &[String]) -> Result<String> { Ok(String::new()) }
/// let login = Api::at("https://oauth2.example.com");
/// let tokens = Tokens::new(move |subject, scopes| {
///     let login = login.clone();
///     async move {
///         let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
///             ("assertion", assertion(&subject, &scopes)?)];
///         Ok(login.post("token").form(&form).repeatable().read::<Token>().await?)
///     }
/// });
/// let of_ann = Api::at("https://mail.example.com").auth(tokens.auth("ann@example.com", ["mail.read"]));
/// # let _ = of_ann;
/// ```
#[derive(Clone)]
pub struct Tokens(Arc<Shared>);

type Make = dyn Fn(String, Vec<String>) -> BoxFuture<'static, anyhow::Result<Token>> + Send + Sync;

struct Shared {
    make: Box<Make>,
    slots: StdMutex<HashMap<Subject, Arc<Slot>>>,
}

/// A subject and its scopes, sorted.
type Subject = (String, Vec<String>);

/// The token of one subject. The lock is held while it is requested.
type Slot = Mutex<Option<Token>>;

impl Tokens {
    /// Requests tokens with this function of a subject and scopes.
    pub fn new<F, R>(make: F) -> Self
    where
        F: Fn(String, Vec<String>) -> R + Send + Sync + 'static,
        R: Future<Output = anyhow::Result<Token>> + Send + 'static,
    {
        Self(Arc::new(Shared {
            make: Box::new(move |subject, scopes| Box::pin(make(subject, scopes))),
            slots: StdMutex::default(),
        }))
    }

    /// Authorises requests with the token of a subject for these scopes, in any order.
    pub fn auth(
        &self,
        subject: impl Into<String>,
        scopes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Auth {
        let mut scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
        scopes.sort();
        scopes.dedup();
        let whose = (subject.into(), scopes);
        let slot = {
            let slots = self.0.slots.lock();
            let mut slots = slots.unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(whose.clone()).or_default())
        };
        let shared = Arc::clone(&self.0);
        let latest: Arc<Slot> = Arc::default();
        Auth::exchange(move || {
            let (shared, slot, latest) =
                (Arc::clone(&shared), Arc::clone(&slot), Arc::clone(&latest));
            let (subject, scopes) = whose.clone();
            async move {
                let mut latest = latest.lock().await;
                let mut current = slot.lock().await;
                // The token that this API used has expired or was refused.
                let is_news = |token: &&Token| {
                    let had = latest.as_ref().map(|token| token.secret.expose());
                    token.is_fresh() && had != Some(token.secret.expose())
                };
                let token = match current.as_ref().filter(is_news) {
                    Some(token) => token.clone(),
                    None => (shared.make)(subject, scopes).await?,
                };
                *current = Some(token.clone());
                *latest = Some(token.clone());
                Ok(token)
            }
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}
