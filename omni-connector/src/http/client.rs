//! One client for each account. All runs and actions of a source with the same credential share its pace and tokens.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::{
    Api,
    api::Shared,
    flight::{Failed, Flight},
    scope::Scope,
};
use crate::{
    manager::ManagerClient,
    redact::Secrets,
    schema::{DecodeError, FromCredential, decode},
    wire::{SecretString, ServiceCredential, Source},
};

/// A client of a source. With `#[derive(FromCall)]` on the type, functions take it as an argument: syncs, actions,
/// webhooks and hooks.
///
/// There is one client for each source and credential, so all runs and actions of an account share pace, concurrency
/// and tokens. Each function gets its own clone. In a sync its waits are long and end with the run; elsewhere it soon
/// fails as *busy*. Keep the [`Api`] in the struct itself, not behind an `Arc`.
///
/// ```
/// use omni_connector::{http::{Api, ApiClient, Auth}, prelude::*};
///
/// #[derive(Deserialize)]
/// struct Settings { api_url: Url }
///
/// #[derive(Deserialize)]
/// struct ApiKey { api_key: SecretString }
///
/// #[derive(Clone, FromCall)]
/// struct Tracker { api: Api }
///
/// impl ApiClient for Tracker {
///     type Config = Settings;
///     type Credentials = ApiKey;
///
///     fn connect(config: &Settings, key: &ApiKey) -> Result<Self> {
///         Ok(Self { api: Api::at(&config.api_url).auth(Auth::bearer(&key.api_key)) })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the client of an API",
    label = "not a client",
    note = "help: implement `omni_connector::http::ApiClient` for `{Self}`"
)]
pub trait ApiClient: Clone + Send + Sync + 'static {
    /// The config of the source, or the part of it that the client needs.
    type Config: DeserializeOwned;

    /// The secret of the credential. Use `Option<…>` for an API that also works without one, and `IgnoredAny` for one
    /// that never needs one. With [`WithSettings`](super::WithSettings) it comes with what is not secret.
    type Credentials: FromCredential;

    /// Describes the API for one source and credential.
    ///
    /// # Errors
    /// Returns an error if config or credential cannot be used.
    fn connect(config: &Self::Config, credentials: &Self::Credentials) -> anyhow::Result<Self>;
}

/// The owner of a client: manager, source and credential.
pub(crate) struct Owner<'a> {
    pub(crate) source: &'a Source,
    pub(crate) credential: Option<&'a ServiceCredential>,
    pub(crate) manager: &'a ManagerClient,
}

/// Why there is no client.
#[derive(Debug)]
pub(crate) enum NoClient {
    /// A client needs a credential, and there is none.
    NoCredential,
    /// Config or credential cannot be decoded.
    Decode(DecodeError),
    /// The author's function returned an error.
    Connect(anyhow::Error),
}

/// Returns the client of an account, bound to a run or an action.
pub(crate) fn client<T: ApiClient>(owner: &Owner<'_>, mut scope: Scope) -> Result<T, NoClient> {
    // A source that does not exist yet has no account, and nothing to share.
    if owner.source.id == TRANSIENT {
        let built = build::<T>(&owner.source.config, owner.credential)?;
        return bind_to::<T>(&built.client, scope, &[]);
    }
    let account = Account::of::<T>(owner)?;
    let (client, shared) = account.client();
    scope.account = Some(account);
    bind_to::<T>(&client, scope, &shared)
}

/// The id of a source that is only being tested.
const TRANSIENT: &str = "transient";

/// A source and credential, with the client that all of their runs and actions share.
pub(super) struct Account {
    source: String,
    config: Value,
    manager: ManagerClient,
    build: fn(&Value, Option<&ServiceCredential>) -> Result<Built, NoClient>,
    current: Mutex<Current>,
    flight: Flight,
}

struct Current {
    credential: Option<ServiceCredential>,
    /// The secrets of the credential and of the config.
    secrets: Arc<Secrets>,
    client: Arc<dyn Any + Send + Sync>,
    /// The state of each `Api` in the client, in the order of its fields.
    shared: Vec<Arc<Shared>>,
    /// When the credential was last read from the manager.
    read: Option<Instant>,
}

/// A newly connected client.
struct Built {
    client: Arc<dyn Any + Send + Sync>,
    apis: Vec<Api>,
}

fn build<T: ApiClient>(
    config: &Value,
    credential: Option<&ServiceCredential>,
) -> Result<Built, NoClient> {
    let config: T::Config = decode("config", config.clone()).map_err(NoClient::Decode)?;
    let credentials: T::Credentials =
        FromCredential::from_credential(credential).map_err(|error| {
            if credential.is_some() {
                NoClient::Decode(error)
            } else {
                NoClient::NoCredential
            }
        })?;
    let client = T::connect(&config, &credentials).map_err(NoClient::Connect)?;
    let (_, apis) = binding(Scope::default(), &[], || client.clone());
    if let Some(problem) = apis.iter().find_map(Api::problem) {
        return Err(NoClient::Connect(anyhow::Error::msg(problem.to_owned())));
    }
    Ok(Built {
        client: Arc::new(client),
        apis,
    })
}

fn bind_to<T: ApiClient>(
    client: &Arc<dyn Any + Send + Sync>,
    scope: Scope,
    shared: &[Arc<Shared>],
) -> Result<T, NoClient> {
    let client: &T = client.downcast_ref().ok_or(NoClient::NoCredential)?;
    let (client, apis) = binding(scope, shared, || client.clone());
    if apis.is_empty() {
        return Err(NoClient::Connect(anyhow::anyhow!(
            "`{}` holds no `Api`, or holds it behind an `Arc`\nhelp: keep the `Api` in the struct itself; its clones are cheap",
            std::any::type_name::<T>()
        )));
    }
    Ok(client)
}

impl Account {
    /// Returns the account of a source and credential. The account is updated if the given credential is newer.
    fn of<T: ApiClient>(owner: &Owner<'_>) -> Result<Arc<Self>, NoClient> {
        let key = AccountKey {
            client: TypeId::of::<T>(),
            manager: owner.manager.url().to_owned(),
            source: owner.source.id.clone(),
            credential: owner.credential.map(|credential| credential.id.clone()),
            config: owner.source.config.to_string(),
        };
        let known = accounts().find(&key);
        if let Some(account) = known {
            account.update(owner.credential)?;
            return Ok(account);
        }
        let built = build::<T>(&owner.source.config, owner.credential)?;
        let account = Arc::new(Self {
            source: owner.source.id.clone(),
            config: owner.source.config.clone(),
            manager: owner.manager.clone(),
            build: build::<T>,
            current: Mutex::new(Current {
                credential: owner.credential.cloned(),
                secrets: secrets_of(&owner.source.config, owner.credential),
                shared: built
                    .apis
                    .iter()
                    .map(|api| Arc::clone(api.shared()))
                    .collect(),
                client: built.client,
                read: None,
            }),
            flight: Flight::default(),
        });
        Ok(accounts().insert(key, account))
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> (Arc<dyn Any + Send + Sync>, Vec<Arc<Shared>>) {
        let current = self.current();
        (Arc::clone(&current.client), current.shared.clone())
    }

    /// Accepts a newer version of the credential. Pace and concurrency stay, since they belong to the account.
    fn update(&self, credential: Option<&ServiceCredential>) -> Result<(), NoClient> {
        let Some(credential) = credential else {
            return Ok(());
        };
        let mut current = self.current();
        let is_newer = current.credential.as_ref().is_none_or(|known| {
            credential.updated_at > known.updated_at
                || (credential.updated_at == known.updated_at
                    && (&credential.credentials, &credential.config)
                        != (&known.credentials, &known.config))
        });
        if is_newer {
            let built = (self.build)(&self.config, Some(credential))?;
            for (shared, api) in current.shared.iter().zip(&built.apis) {
                shared.keys.replace(api.settings().auth.clone());
            }
            current.client = built.client;
            current.credential = Some(credential.clone());
            current.secrets = secrets_of(&self.config, Some(credential));
        }
        Ok(())
    }

    pub(super) fn seen(&self) -> u64 {
        self.flight.seen()
    }

    /// Removes the secrets of the account from a name or an address. Some services take their token in the path.
    pub(super) fn hide(&self, text: &str) -> String {
        let secrets = Arc::clone(&self.current().secrets);
        secrets.hide(text)
    }

    /// Returns the field of the credential with this value.
    pub(super) fn field_with(&self, secret: &str) -> Option<String> {
        let current = self.current();
        let fields = current.credential.as_ref()?.credentials.as_object()?;
        let field = fields
            .iter()
            .find(|(_, value)| value.as_str() == Some(secret))?;
        Some(field.0.clone())
    }

    /// Returns the access token that the manager keeps. Returns none if it expires soon and was not just read.
    pub(super) fn access_token(&self) -> Result<Option<SecretString>, Failed> {
        let current = self.current();
        let Some(credential) = &current.credential else {
            return Err(Failed::Other("the source has no credential".to_owned()));
        };
        let token = credential
            .credentials
            .get("access_token")
            .and_then(Value::as_str);
        let Some(token) = token else {
            return Err(Failed::Other(
                "the credential has no `access_token`; connect the account".to_owned(),
            ));
        };
        let ends_soon = credential
            .expires_at
            .is_some_and(|ends| ends - OffsetDateTime::now_utc() < EARLY);
        let was_read = current.read.is_some_and(|read| read.elapsed() < READ_AGAIN);
        Ok((!ends_soon || was_read).then(|| SecretString::from(token.to_owned())))
    }

    /// Reads the credential from the manager again, unless that happened since `seen`.
    pub(super) async fn renew(self: &Arc<Self>, seen: u64) -> Result<bool, Failed> {
        let Some(id) = self
            .current()
            .credential
            .as_ref()
            .map(|known| known.id.clone())
        else {
            return Ok(false);
        };
        let account = Arc::clone(self);
        let read = move || async move {
            let read = account.manager.credentials(&account.source).await;
            let credential = read.map_err(|error| Failed::Other(error.to_string()))?;
            // The manager returns the source's own credential. It must not replace another person's.
            if credential.id == id {
                let updated = account.update(Some(&credential));
                updated.map_err(|error| Failed::Other(error.to_string()))?;
            }
            account.current().read = Some(Instant::now());
            Ok(())
        };
        self.flight.join(seen, read).await?;
        Ok(true)
    }
}

fn secrets_of(config: &Value, credential: Option<&ServiceCredential>) -> Arc<Secrets> {
    let credential = credential.map(|credential| &credential.credentials);
    Arc::new(Secrets::of(credential, [config]))
}

/// How long before its expiry a token of the manager is read again.
const EARLY: time::Duration = time::Duration::MINUTE;
/// A token that was just read but expires soon is used this long before it is read again.
const READ_AGAIN: Duration = Duration::from_secs(20);

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for NoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredential => f.write_str("the source has no credential"),
            Self::Decode(error) => error.fmt(f),
            Self::Connect(error) => write!(f, "{error:#}"),
        }
    }
}

/// The accounts of the process.
static ACCOUNTS: Mutex<Option<Accounts>> = Mutex::new(None);

/// How long an unused account and its learned pace are kept.
const KEPT: Duration = Duration::from_hours(1);
const MOST_KEPT: usize = 1_000;

#[derive(Clone, PartialEq, Eq, Hash)]
struct AccountKey {
    client: TypeId,
    manager: String,
    source: String,
    credential: Option<String>,
    config: String,
}

#[derive(Default)]
struct Accounts(HashMap<AccountKey, (Arc<Account>, Instant)>);

struct Locked(MutexGuard<'static, Option<Accounts>>);

fn accounts() -> Locked {
    Locked(ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Locked {
    fn find(&mut self, key: &AccountKey) -> Option<Arc<Account>> {
        let accounts = self.0.get_or_insert_default();
        let (account, used) = accounts.0.get_mut(key)?;
        *used = Instant::now();
        Some(Arc::clone(account))
    }

    /// Adds an account, unless another task added it first.
    fn insert(&mut self, key: AccountKey, account: Arc<Account>) -> Arc<Account> {
        let accounts = &mut self.0.get_or_insert_default().0;
        if accounts.len() >= MOST_KEPT {
            accounts.retain(|_, (account, _)| Arc::strong_count(account) > 1);
        }
        accounts
            .retain(|_, (account, used)| Arc::strong_count(account) > 1 || used.elapsed() < KEPT);
        let (account, _) = accounts.entry(key).or_insert((account, Instant::now()));
        Arc::clone(account)
    }
}

/// The caller to which clones of an `Api` are bound while a client is supplied.
struct Binding {
    scope: Scope,
    shared: Vec<Arc<Shared>>,
    apis: Vec<Api>,
}

thread_local! {
    static BINDING: RefCell<Option<Binding>> = const { RefCell::new(None) };
}

/// Clones a client with every `Api` bound to `scope`. Returns those `Api`s in their order.
fn binding<T>(scope: Scope, shared: &[Arc<Shared>], clone: impl FnOnce() -> T) -> (T, Vec<Api>) {
    struct Unbind;
    impl Drop for Unbind {
        fn drop(&mut self) {
            BINDING.take();
        }
    }
    BINDING.set(Some(Binding {
        scope,
        shared: shared.to_vec(),
        apis: Vec::new(),
    }));
    let unbind = Unbind;
    let cloned = clone();
    let apis = BINDING.take().map_or_else(Vec::new, |binding| binding.apis);
    drop(unbind);
    (cloned, apis)
}

/// Returns the bound clone of an `Api` in a client that is being supplied; none elsewhere.
pub(super) fn bind(api: &Api) -> Option<Api> {
    BINDING.with_borrow_mut(|binding| {
        let binding = binding.as_mut()?;
        let shared = binding.shared.get(binding.apis.len()).cloned();
        let bound = api.bound(binding.scope.clone(), shared);
        binding.apis.push(bound.bound(binding.scope.clone(), None));
        Some(bound)
    })
}
