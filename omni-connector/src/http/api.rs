//! Describes one API: its URL, its authorisation, its pace, and its refusals.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use tokio::{sync::Semaphore, time::Instant};

use crate::clock;

use super::{
    Answer, Auth, Call, Quota, SourceError, Verdict, auth::Kind, carried::Carrier, client,
    keys::Keys, pace::Pacer, retry::Budget, scope::Scope,
};

/// The default number of concurrent calls; see [`Api::at_once`].
const AT_ONCE: usize = 8;
/// The default limit in bytes of an answer that is read completely; see [`Api::limit`].
const LIMIT: u64 = 32 << 20;
/// The default time limit of one attempt; see [`Call::within`].
const WITHIN: Duration = Duration::from_mins(1);

/// One service's HTTP API, described once. All its calls share waiting, retries, credential renewal and error reports.
///
/// ```
/// use omni_connector::{Result, SecretString, http::{Api, Auth, Quota}};
///
/// # async fn example(key: SecretString) -> Result<()> {
/// let api = Api::at("https://tracker.example.com/v2")
///     .auth(Auth::bearer(&key))
///     .at_once(4)
///     .quota(Quota::per_minute(300));
/// let issue: serde_json::Value = api.get("issues/OPS-7").read().await?;
/// # Ok(())
/// # }
/// ```
///
/// Clones share pace, concurrency and tokens. A client that the framework supplies to a function (see
/// [`ApiClient`](super::ApiClient)) is bound to that run or action. In a sync its waits are long, and it stops with the
/// run.
#[must_use = "an API is called by `get`, `post` and their like"]
pub struct Api {
    settings: Arc<Settings>,
    shared: OnceLock<Arc<Shared>>,
    scope: Scope,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) base: Result<Url, String>,
    pub(super) also: Vec<String>,
    pub(super) auth: Auth,
    pub(super) at_once: usize,
    pub(super) quotas: Vec<Quota>,
    pub(super) headers: HeaderMap,
    pub(super) refusals: Option<Arc<Judge>>,
    pub(super) limit: u64,
    pub(super) patience: Option<Duration>,
    invalid: Option<String>,
}

/// Judges an answer.
pub(super) type Judge = dyn Fn(&Answer) -> Verdict + Send + Sync;

/// The state that all calls of an account share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) slots: Arc<Semaphore>,
    pub(super) pacer: Arc<Pacer>,
    pub(super) budget: Budget,
    pub(super) keys: Keys,
    pub(super) carrier: Carrier,
    pub(super) made: Instant,
}

impl Api {
    /// Describes the API at this URL. A path in the URL precedes the path of every call.
    pub fn at(url: impl AsRef<str>) -> Self {
        let url = url.as_ref().trim();
        let base = match Url::parse(url) {
            Ok(base) if matches!(base.scheme(), "http" | "https") && base.has_host() => Ok(base),
            _ => Err(format!(
                "`{}` is not the URL of an API; give it like `https://api.example.com/v1`",
                super::answer::short(url)
            )),
        };
        Self {
            settings: Arc::new(Settings {
                base,
                also: Vec::new(),
                auth: Auth::none(),
                at_once: AT_ONCE,
                quotas: Vec::new(),
                headers: HeaderMap::new(),
                refusals: None,
                limit: LIMIT,
                patience: None,
                invalid: None,
            }),
            shared: OnceLock::new(),
            scope: Scope::default(),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        // A changed description must not share the pace of the old one.
        self.shared = OnceLock::new();
        self
    }

    /// Sets how requests are authorised. The default sends no credential.
    pub fn auth(self, auth: Auth) -> Self {
        self.with(|settings| settings.auth = auth)
    }

    /// Sets the number of concurrent calls; the default is 8.
    pub fn at_once(self, calls: usize) -> Self {
        self.with(|settings| settings.at_once = calls.clamp(1, Semaphore::MAX_PERMITS))
    }

    /// Adds a quota of the source. Without a quota, the pace is learned from the source's refusals.
    pub fn quota(self, quota: Quota) -> Self {
        self.with(|settings| settings.quotas.push(quota))
    }

    /// Judges every answer, also those with status 200, since some services refuse with 200.
    ///
    /// ```
    /// use omni_connector::http::{Api, Verdict};
    ///
    /// let api = Api::at("https://chat.example.com/api").refusals(|answer| match answer.text_at("/error") {
    ///     Some("ratelimited") => Verdict::Busy,
    ///     Some(code) => Verdict::Refused(code.into()),
    ///     None => Verdict::by_status(answer),
    /// });
    /// ```
    pub fn refusals(self, judge: impl Fn(&Answer) -> Verdict + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.refusals = Some(Arc::new(judge)))
    }

    /// Sends a header with every request, such as the version of the API.
    pub fn header(self, name: &str, value: &str) -> Self {
        let header = (name.parse::<HeaderName>(), HeaderValue::from_str(value));
        self.with(|settings| match header {
            (Ok(name), Ok(value)) => drop(settings.headers.insert(name, value)),
            _ => settings.invalid = Some(format!("`{name}` cannot be sent as a header")),
        })
    }

    /// Adds another origin, such as `https://files.example.com`, to which calls and next-page links may lead. The
    /// credential is never sent there.
    pub fn also_at(self, origin: impl AsRef<str>) -> Self {
        let origin = origin.as_ref();
        let url = Url::parse(origin).ok().filter(Url::has_host);
        self.with(|settings| match url {
            Some(url) => settings.also.push(url.origin().ascii_serialization()),
            None => settings.invalid = Some(format!("`{origin}` is not the URL of an origin")),
        })
    }

    /// Limits the bytes read of an answer, after decompression; the default is 32 MiB.
    pub fn limit(self, bytes: u64) -> Self {
        self.with(|settings| settings.limit = bytes)
    }

    /// Sets how long one call may wait in total. The default is 30 minutes in a sync and 5 seconds elsewhere.
    pub fn patience(self, patience: Duration) -> Self {
        self.with(|settings| settings.patience = Some(patience))
    }

    /// Starts a `GET` of a path below the API's URL, or of a full URL at one of its origins.
    pub fn get(&self, path: impl fmt::Display) -> Call {
        self.call(Method::GET, path)
    }

    /// Starts a `POST`.
    pub fn post(&self, path: impl fmt::Display) -> Call {
        self.call(Method::POST, path)
    }

    /// Starts a `PUT`.
    pub fn put(&self, path: impl fmt::Display) -> Call {
        self.call(Method::PUT, path)
    }

    /// Starts a `PATCH`.
    pub fn patch(&self, path: impl fmt::Display) -> Call {
        self.call(Method::PATCH, path)
    }

    /// Starts a `DELETE`.
    pub fn delete(&self, path: impl fmt::Display) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Starts a call of any method, such as `HEAD` or `PROPFIND`.
    pub fn call(&self, method: Method, path: impl fmt::Display) -> Call {
        Call::new(self.clone(), method, &path.to_string(), WITHIN)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.shared.get_or_init(|| {
            let settings = &self.settings;
            Arc::new(Shared {
                slots: Arc::new(Semaphore::new(settings.at_once)),
                pacer: Arc::new(Pacer::new(&settings.quotas)),
                budget: Budget::default(),
                keys: Keys::new(settings.auth.clone()),
                carrier: Carrier::default(),
                made: Instant::now(),
            })
        })
    }

    pub(super) const fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(super) fn patience_left(&self) -> Duration {
        let patience = self.settings.patience;
        clock::pause(patience.unwrap_or_else(|| self.scope.patience()))
    }

    /// Returns the same API for another caller, with this shared state.
    pub(super) fn bound(&self, scope: Scope, shared: Option<Arc<Shared>>) -> Self {
        let shared = shared.unwrap_or_else(|| Arc::clone(self.shared()));
        Self {
            settings: Arc::clone(&self.settings),
            shared: OnceLock::from(shared),
            scope,
        }
    }

    /// Returns the mistake in the description, if there is one.
    pub(super) fn problem(&self) -> Option<&str> {
        let settings = &self.settings;
        match (&settings.base, &settings.auth.0) {
            (Err(problem), _) | (_, Kind::Invalid(problem)) => Some(problem),
            _ => settings.invalid.as_deref(),
        }
    }

    /// Returns the URL of a path below the API's URL, or of a link from the source.
    pub(super) fn resolve(&self, path: &str) -> Result<Url, Unresolved> {
        let invalid = |why: String| Unresolved::Invalid(why);
        if let Some(problem) = self.problem() {
            return Err(invalid(problem.to_owned()));
        }
        let base = self
            .settings
            .base
            .as_ref()
            .map_err(Clone::clone)
            .map_err(invalid)?;
        if path.starts_with("https://") || path.starts_with("http://") {
            let url = Url::parse(path)
                .map_err(|_| invalid(format!("`{}` is not a URL", super::answer::short(path))))?;
            return self.admit(url);
        }
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let is_dots = |segment: &str| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            matches!(plain.as_str(), "." | "..")
        };
        if path.split(['/', '\\']).any(is_dots) {
            return Err(invalid(format!(
                "the path `{}` leads out of the API; encode what is put into a path with `http::segment`",
                super::answer::short(path)
            )));
        }
        let mut url = base.clone();
        let path = path.trim_start_matches('/');
        if !path.is_empty() {
            let joined = format!("{}/{path}", base.path().trim_end_matches('/'));
            url.set_path(&joined);
        }
        if query.is_some() {
            url.set_query(query);
        }
        Ok(url)
    }

    /// Accepts a URL from the source or the author if it has one of the API's origins.
    pub(super) fn admit(&self, url: Url) -> Result<Url, Unresolved> {
        let origin = url.origin().ascii_serialization();
        if self.is_own(&url) || self.settings.also.contains(&origin) {
            Ok(url)
        } else {
            Err(Unresolved::Foreign(origin))
        }
    }

    /// Returns a link with `https` if it is the API's own but for that. A server behind a proxy that ends TLS often writes
    /// `http`.
    pub(super) fn secured(&self, mut url: Url) -> Url {
        let Ok(base) = &self.settings.base else {
            return url;
        };
        let is_default = url.port().is_none() || url.port() == base.port();
        if base.scheme() == "https"
            && url.scheme() == "http"
            && is_default
            && url.host() == base.host()
        {
            // Neither can fail for a URL with a host.
            let _ = url.set_scheme("https");
            let _ = url.set_port(base.port());
        }
        url
    }

    /// Returns whether a URL has the API's own origin, where the credential may be sent.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        let base = self.settings.base.as_ref();
        base.is_ok_and(|base| base.origin() == url.origin())
    }
}

/// Why a path or a link is not resolved.
#[derive(Debug, Clone)]
pub(super) enum Unresolved {
    Invalid(String),
    Foreign(String),
}

impl From<Unresolved> for SourceError {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::Invalid(why) => Self::Invalid { why },
            Unresolved::Foreign(origin) => Self::Invalid {
                why: format!(
                    "`{origin}` is not an origin of this API; name it with `Api::also_at` if it may be asked"
                ),
            },
        }
    }
}

/// Binds a clone to a run or action if the framework is supplying a client at that moment.
impl Clone for Api {
    fn clone(&self) -> Self {
        client::bind(self).unwrap_or_else(|| self.bound(self.scope.clone(), None))
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.settings.base.as_ref().map(super::path::shown);
        f.debug_struct("Api")
            .field("at", &base)
            .field("auth", &self.settings.auth)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_url_of_the_api() {
        let api =
            Api::at("https://acme.example/api/v2/?tenant=7").also_at("https://files.example/x");
        for (path, url) in [
            ("issues", "https://acme.example/api/v2/issues?tenant=7"),
            (
                "/issues/a b",
                "https://acme.example/api/v2/issues/a%20b?tenant=7",
            ),
            ("issues?page=2", "https://acme.example/api/v2/issues?page=2"),
            ("", "https://acme.example/api/v2/?tenant=7"),
            ("https://acme.example/other", "https://acme.example/other"),
            ("https://files.example/f", "https://files.example/f"),
        ] {
            assert_eq!(api.resolve(path).unwrap().as_str(), url, "{path}");
        }
        for path in [
            "../admin",
            "issues/%2e%2E/x",
            "issues\\..\\x",
            "https://evil.example/",
            "http://acme.example/",
        ] {
            assert!(api.resolve(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_link_to_the_api_itself_is_followed_with_tls() {
        let secured = |base: &str, link: &str| {
            let link = Url::parse(link).unwrap();
            String::from(Api::at(base).secured(link))
        };
        let (plain, tls) = (
            "http://acme.example/v1?page=2",
            "https://acme.example/v1?page=2",
        );
        assert_eq!(secured("https://acme.example/api", plain), tls);
        assert_eq!(secured("https://acme.example/api", tls), tls);
        assert_eq!(secured("http://acme.example/api", plain), plain);
        let with_port = "https://acme.example:8443/v1?page=2";
        for link in [plain, "http://acme.example:8443/v1?page=2"] {
            assert_eq!(secured("https://acme.example:8443", link), with_port);
        }
        for other in ["http://evil.example/", "http://acme.example:8080/"] {
            assert_eq!(secured("https://acme.example/api", other), other);
        }
    }

    #[test]
    fn an_invalid_description_is_an_error() {
        let message = |api: Api| {
            api.resolve("x")
                .map_err(SourceError::from)
                .unwrap_err()
                .to_string()
        };
        assert!(
            message(Api::at("acme.example")).starts_with("`acme.example` is not the URL of an API")
        );
        let named = Api::at("https://acme.example").header("a b", "c");
        assert_eq!(message(named), "`a b` cannot be sent as a header");
    }
}
