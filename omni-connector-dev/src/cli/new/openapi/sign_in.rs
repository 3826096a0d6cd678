//! How one signs in, by the schemes of a document.

use serde_json::{Map, Value};
use url::Url;

use super::{
    document::{Document, List, scopes},
    plan::{ListFlags, Question, question},
};

/// How the document says that one signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignIn {
    Bearer,
    Basic,
    Header(String),
    Query(String),
    OAuth(OAuth),
    /// Anything else, by its name.
    Other(String),
    /// Not at all.
    None,
}

/// How people sign in with OAuth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OAuth {
    pub(super) authorization: String,
    pub(super) token: String,
    /// Which address says who signed in. A document does not say it.
    pub(super) userinfo: String,
    /// The scopes of the list.
    pub(super) read: Vec<String>,
    /// The scopes of what is created.
    pub(super) write: Vec<String>,
}

impl SignIn {
    fn shown(&self) -> String {
        match self {
            Self::Bearer => "a bearer token".to_owned(),
            Self::Basic => "user and password".to_owned(),
            Self::Header(name) => format!("a key in the header `{name}`"),
            Self::Query(name) => format!("a key in the parameter `{name}`"),
            Self::OAuth(oauth) => format!("OAuth at `{}`", oauth.authorization),
            Self::Other(name) => format!("`{name}`, which is something else"),
            Self::None => "calls without a sign-in".to_owned(),
        }
    }
}

/// How one may sign in for a list; everything that the document has when neither it nor the call says which.
fn sign_ins(document: &Document, list: &List) -> Vec<SignIn> {
    let alternatives = list.security.as_array();
    let is_meant =
        |name: &str| alternatives.is_none_or(|all| all.iter().any(|one| one.get(name).is_some()));
    let is_none = |one: &Value| one.as_object().is_some_and(Map::is_empty);
    let is_open = alternatives.is_some_and(|all| all.is_empty() || all.iter().any(is_none));
    let read = |(name, scheme): (&String, &Value)| {
        let named = scheme["name"].as_str().unwrap_or_default().to_owned();
        // RFC 9110 §11.1: upper and lower case mean the same.
        let http = scheme["scheme"].as_str().map(str::to_ascii_lowercase);
        match (
            scheme["type"].as_str(),
            http.as_deref(),
            scheme["in"].as_str(),
        ) {
            (Some("http"), Some("bearer"), _) => SignIn::Bearer,
            (Some("http"), Some("basic"), _) => SignIn::Basic,
            (Some("apiKey"), _, Some("header")) => SignIn::Header(named),
            (Some("apiKey"), _, Some("query")) => SignIn::Query(named),
            (Some("oauth2"), ..) => match oauth(document, list, name, scheme) {
                Some(oauth) => SignIn::OAuth(oauth),
                None => SignIn::Other(name.clone()),
            },
            _ => SignIn::Other(name.clone()),
        }
    };
    let meant = document.schemes().filter(|(name, _)| is_meant(name));
    meant
        .map(read)
        .chain(is_open.then_some(SignIn::None))
        .collect()
}

/// The flow in which a person signs in; none if the document has another one, or no whole addresses.
fn oauth(document: &Document, list: &List, name: &str, scheme: &Value) -> Option<OAuth> {
    let flow = &scheme["flows"]["authorizationCode"];
    let address = |key: &str| {
        let given = flow[key].as_str()?;
        let base = document.server().and_then(|server| Url::parse(server).ok());
        let whole = match base {
            Some(base) => base.join(given),
            None => Url::parse(given),
        };
        let whole = whole.ok().filter(|url| url.scheme().starts_with("http"))?;
        Some(whole.to_string())
    };
    Some(OAuth {
        authorization: address("authorizationUrl")?,
        token: address("tokenUrl")?,
        userinfo: String::new(),
        read: scopes(&list.security, name),
        write: document.scopes_to_post(&list.path, name),
    })
}

/// Whether every way to sign in for the list needs several keys at once.
fn needs_several(document: &Document, list: &List) -> bool {
    let is_key = |name: &String| {
        let mut schemes = document.schemes();
        schemes.any(|(known, scheme)| known == name && scheme["type"] == "apiKey")
    };
    let alternatives = list.security.as_array().into_iter().flatten();
    let mut keys = alternatives
        .filter_map(Value::as_object)
        .map(|one| one.keys().filter(|name| is_key(name)).count())
        .filter(|keys| *keys > 0)
        .peekable();
    keys.peek().is_some() && keys.all(|keys| keys > 1)
}

pub(super) fn auth(
    document: &Document,
    list: &List,
    flags: &ListFlags<'_>,
) -> Result<SignIn, Question> {
    let found = sign_ins(document, list);
    let known = || {
        let shown: Vec<_> = found.iter().map(SignIn::shown).collect();
        match shown[..] {
            [] => "nothing".to_owned(),
            _ => shown.join(", "),
        }
    };
    let mut keys = found
        .iter()
        .filter(|one| matches!(one, SignIn::Header(_) | SignIn::Query(_)));
    let of_people = found.iter().find_map(|one| match one {
        SignIn::OAuth(oauth) => Some(oauth),
        _ => None,
    });
    if flags.auth.is_none() && needs_several(document, list) {
        return Err(question(
            format!(
                "how are several keys sent at once? the document has {}",
                known()
            ),
            "--auth key for the first one, then `Auth::sign` by hand",
        ));
    }
    match (flags.auth, &found[..]) {
        (Some("oauth"), _) | (None, [SignIn::OAuth(_)]) => match (of_people, flags.userinfo) {
            (Some(oauth), Some(userinfo)) => Ok(SignIn::OAuth(OAuth {
                userinfo: userinfo.to_owned(),
                ..oauth.clone()
            })),
            // No document says it.
            (Some(oauth), None) => Err(question(
                format!(
                    "which address says who signed in? the document has only `{}` and `{}`",
                    oauth.authorization, oauth.token
                ),
                "--auth oauth --userinfo URL",
            )),
            (None, _) => Err(question(
                format!(
                    "how do people sign in with OAuth? the document has no flow with an authorization code; it has {}",
                    known()
                ),
                "--auth bearer for now, then an `#[oauth]` function by hand",
            )),
        },
        (Some("bearer"), _) => Ok(SignIn::Bearer),
        (Some("basic"), _) => Ok(SignIn::Basic),
        (Some("none"), _) => Ok(SignIn::None),
        (Some(_), _) => Ok(keys
            .next()
            .cloned()
            .unwrap_or(SignIn::Header("x-api-key".to_owned()))),
        (None, [only]) if !matches!(only, SignIn::Other(_)) => Ok(only.clone()),
        (None, _) => Err(question(
            format!("how does one sign in? the document has {}", known()),
            "--auth key|bearer|basic|oauth|none",
        )),
    }
}
