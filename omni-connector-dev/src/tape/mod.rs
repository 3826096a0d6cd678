//! A tape: what a connector and its source once exchanged. It answers in place of the source, without a network and
//! without a secret. The runtime records it (`omni_connector::http`).

mod matching;
#[cfg(any(feature = "cli", feature = "testing"))]
mod shape;

use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use omni_connector::http::{Asked, Exchange, Recorded, TapeHead};
use serde_json::json;
use time::{Date, OffsetDateTime, macros::format_description};

use crate::serving::serve;
use matching::Matching;
pub use matching::NotRecorded;
#[cfg(feature = "testing")]
pub(crate) use matching::leaves;
#[cfg(any(feature = "cli", feature = "testing"))]
pub(crate) use shape::{Change, Shape};

/// What a connector and its source exchanged in a recording. It answers each request as the source did.
///
/// `cargo omni sync acme --record tests/tapes/full.tape` records one. In [`conformance!`](crate::conformance) it is a
/// source: `source: Tape::replay("tests/tapes/full.tape")`. The same request gets the same answer. If it was recorded
/// several times, the first one gets the first answer, and so on; the last answer is repeated.
#[must_use = "a tape is the `source` of `conformance!`"]
#[derive(Debug)]
pub struct Tape {
    head: TapeHead,
    shared: Arc<Shared>,
    url: OnceLock<String>,
}

#[derive(Debug)]
struct Shared {
    matching: Matching,
    /// The exchanges without changes.
    #[cfg(feature = "testing")]
    recorded: Vec<Exchange>,
    /// The URLs of the recorded APIs, longest first.
    apis: Vec<String>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    exchanges: Vec<Exchange>,
    /// How often a request came, by the number of its first exchange.
    asked: HashMap<usize, usize>,
    problems: BTreeSet<String>,
}

/// Why a file is not a tape.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TapeError {
    /// The file cannot be read.
    #[error("the tape `{}` cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error.
        cause: io::Error,
    },
    /// A line is not valid.
    #[error("line {line} of the tape `{}` is not valid: {cause}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The error.
        cause: serde_json::Error,
    },
    /// The tape has another version, or no head.
    #[error(
        "`{}` is not a tape of version {}; record it again with `cargo omni sync --record {}`",
        path.display(), TapeHead::VERSION, path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
    },
}

impl Tape {
    /// Reads a tape for a test. A relative path begins at the package.
    ///
    /// # Panics
    /// Panics if the file is not a tape. The message says why.
    #[cfg(feature = "testing")]
    pub fn replay(path: impl AsRef<Path>) -> Self {
        Self::read(path).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Reads a tape.
    ///
    /// # Errors
    /// Returns an error if the file is not a tape.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TapeError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|cause| TapeError::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
        Self::parse(path, &text)
    }

    /// Reads a tape from a string. The path is only for messages.
    pub(crate) fn parse(path: impl AsRef<Path>, text: &str) -> Result<Self, TapeError> {
        let path = path.as_ref();
        let version = || TapeError::Version {
            path: path.to_owned(),
        };
        let invalid = |line: usize, cause| TapeError::Line {
            path: path.to_owned(),
            line: line + 1,
            cause,
        };
        let mut lines = text.lines().enumerate();
        let (_, head) = lines.next().ok_or_else(version)?;
        let head: TapeHead = serde_json::from_str(head).map_err(|_| version())?;
        if head.tape != TapeHead::VERSION {
            return Err(version());
        }
        let exchanges: Vec<Exchange> = lines
            .map(|(line, text)| serde_json::from_str(text).map_err(|cause| invalid(line, cause)))
            .collect::<Result<_, _>>()?;
        let mut apis: Vec<_> = exchanges.iter().map(|one| one.asked.at.clone()).collect();
        apis.sort_by_key(|at| (std::cmp::Reverse(at.len()), at.clone()));
        apis.dedup();
        Ok(Self {
            url: OnceLock::new(),
            shared: Arc::new(Shared {
                matching: Matching::of(&head),
                apis,
                #[cfg(feature = "testing")]
                recorded: exchanges.clone(),
                state: Mutex::new(State {
                    exchanges,
                    asked: HashMap::new(),
                    problems: BTreeSet::new(),
                }),
            }),
            head,
        })
    }

    /// Ignores parameters and fields with these names when requests are compared, such as the current time.
    ///
    /// # Panics
    /// Panics if the tape already answers requests.
    pub fn volatile(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let shared = Arc::get_mut(&mut self.shared);
        let shared = shared.expect("a tape is described before it is asked for its URL");
        let names = names.into_iter().map(Into::into);
        shared.matching.volatile.extend(names);
        self
    }

    /// Returns the head: when it was recorded, with what.
    pub fn head(&self) -> &TapeHead {
        &self.head
    }

    /// Returns its age in days; none if the head has no valid date.
    pub fn age_days(&self) -> Option<i64> {
        let form = format_description!("[year]-[month]-[day]");
        let recorded = Date::parse(&self.head.recorded, form).ok()?;
        Some((OffsetDateTime::now_utc().date() - recorded).whole_days())
    }

    /// Returns the URL at which it answers. The first call starts the server, which ends with the tape.
    pub fn url(&self) -> String {
        self.url
            .get_or_init(|| serve(Arc::clone(&self.shared), Shared::answer))
            .clone()
    }

    /// Returns the requests that it could not answer.
    pub fn not_recorded(&self) -> Vec<String> {
        self.shared.state().problems.iter().cloned().collect()
    }

    /// Returns the exchanges with all changes.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.shared.state().exchanges.clone()
    }

    /// Changes the exchanges. All requests are then counted anew.
    #[cfg(feature = "testing")]
    pub(crate) fn edit<R>(&self, edit: impl FnOnce(&mut Vec<Exchange>) -> R) -> R {
        let mut state = self.shared.state();
        state.asked.clear();
        edit(&mut state.exchanges)
    }

    /// Takes all changes back.
    #[cfg(feature = "testing")]
    pub(crate) fn restore(&self) {
        self.edit(|exchanges| exchanges.clone_from(&self.shared.recorded));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        let asked = asked(method, uri, headers, body);
        let mut state = self.state();
        let found = self.matching.find(&state.exchanges, &asked);
        let fitting = match found {
            Ok(fitting) => fitting,
            Err(missing) => {
                let problem = missing.to_string();
                state.problems.insert(problem.clone());
                let body = axum::Json(json!({ "message": problem }));
                return (StatusCode::BAD_REQUEST, body).into_response();
            }
        };
        let times = state.asked.entry(fitting[0]).or_default();
        let number = fitting[(*times).min(fitting.len() - 1)];
        *times += 1;
        let Exchange {
            asked, answered, ..
        } = &state.exchanges[number];
        let header = |name: &str| headers.get(name)?.to_str().ok();
        let own = |text: &str| match header(Asked::AT) {
            Some(at) => text.replace(&asked.at, at),
            None => {
                let host = header(header::HOST.as_str()).unwrap_or_default();
                let apis = self.apis.iter();
                apis.fold(text.to_owned(), |text, at| {
                    text.replace(at, &format!("http://{host}"))
                })
            }
        };
        let body = match String::from_utf8(answered.body.bytes()) {
            Ok(text) => own(&text).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let mut answer = Response::new(Body::from(body));
        *answer.status_mut() = StatusCode::from_u16(answered.status).unwrap_or_default();
        for (name, value) in &answered.headers {
            // A pause would only make a test slow.
            let value = if name == "retry-after" {
                "1".to_owned()
            } else {
                own(value)
            };
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(&value))
            {
                answer.headers_mut().insert(name, value);
            }
        }
        answer
    }
}

fn asked(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Asked {
    let url = format!("http://tape/?{}", uri.query().unwrap_or_default());
    let url = reqwest::Url::parse(&url);
    let mut query: Vec<_> = url
        .map(|url| url.query_pairs().into_owned().collect())
        .unwrap_or_default();
    query.sort();
    let meant = headers
        .iter()
        .filter(|(name, _)| Asked::HEADERS.contains(&name.as_str()));
    let meant =
        meant.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = media_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Asked {
        method: method.to_string(),
        at: String::new(),
        path: uri.path().to_owned(),
        query,
        headers: meant.collect(),
        body: Recorded::of(
            body,
            media_type.starts_with("application/x-www-form-urlencoded"),
        ),
    }
}
