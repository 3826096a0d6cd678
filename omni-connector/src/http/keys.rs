//! The current credential of an account: read for each request, renewed once for all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    Auth, Token,
    auth::Kind,
    client::Account,
    flight::{Failed, Flight},
};

/// The credential of an account.
#[derive(Debug)]
pub(super) struct Keys {
    current: Arc<Mutex<Current>>,
    flight: Flight,
}

#[derive(Debug)]
struct Current {
    auth: Auth,
    /// The token that the connector requested itself.
    token: Option<Token>,
}

/// A credential for one request.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) auth: Auth,
    /// The number of renewals when it was taken.
    pub(super) seen: u64,
}

/// The result of taking a credential for a request.
#[derive(Debug)]
pub(super) enum KeyState {
    Key(Key),
    /// A renewal is needed first; carries the number of renewals so far.
    Stale(u64),
}

impl Keys {
    pub(super) fn new(auth: Auth) -> Self {
        let current = Current { auth, token: None };
        Self {
            current: Arc::new(Mutex::new(current)),
            flight: Flight::default(),
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the credential with a newly read one.
    pub(super) fn replace(&self, auth: Auth) {
        *self.current() = Current { auth, token: None };
    }

    /// Returns the credential for the next request.
    pub(super) fn take(&self, account: Option<&Arc<Account>>) -> Result<KeyState, Failed> {
        let seen = self.flight.seen();
        let current = self.current();
        let key = |auth, seen| KeyState::Key(Key { auth, seen });
        match &current.auth.0 {
            Kind::Exchange(_) => Ok(match &current.token {
                Some(token) if token.is_fresh() => key(Auth::bearer(&token.secret), seen),
                _ => KeyState::Stale(seen),
            }),
            Kind::OAuth => {
                drop(current);
                let account = account.ok_or_else(no_account)?;
                let seen = account.seen();
                Ok(match account.access_token()? {
                    Some(token) => key(Auth::bearer(&token), seen),
                    None => KeyState::Stale(seen),
                })
            }
            _ => Ok(key(
                current.auth.clone(),
                account.map_or(0, |account| account.seen()),
            )),
        }
    }

    /// Renews the credential, unless that happened since `seen`. Returns false if it cannot be renewed.
    pub(super) async fn renew(
        &self,
        account: Option<&Arc<Account>>,
        seen: u64,
    ) -> Result<bool, Failed> {
        let exchange = match &self.current().auth.0 {
            Kind::Exchange(exchange) => Some(Arc::clone(exchange)),
            _ => None,
        };
        if let Some(exchange) = exchange {
            let current = Arc::clone(&self.current);
            let renew = move || async move {
                let token = exchange().await.map_err(|error| Failed::of(&error))?;
                let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
                current.token = Some(token);
                Ok(())
            };
            self.flight.join(seen, renew).await?;
            return Ok(true);
        }
        match account {
            Some(account) => account.renew(seen).await,
            None => Ok(false),
        }
    }
}

pub(super) fn no_account() -> Failed {
    Failed::Other(
        "`Auth::oauth` uses the token that the manager keeps, so the client must be an argument of the function"
            .to_owned(),
    )
}
