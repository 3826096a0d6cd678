//! Asks a Nextcloud server for folders and files. Whatever addresses it answers with, requests go to the server of the settings only.

use std::sync::{Arc, Mutex, PoisonError};

use omni_connector::{
    anyhow,
    http::{Call, Verdict, segment},
    prelude::*,
    reqwest::Method,
};
use percent_encoding::percent_decode_str;
use tokio::sync::OnceCell;

use crate::{
    file::{File, Properties, etag},
    settings::{Login, Settings},
};

/// The longest answer about one folder: some 200,000 files.
const LISTING: u64 = 256 << 20;
/// What is asked about each file.
const PROPERTIES: &str = "<d:getetag/><d:getlastmodified/><d:getcontenttype/><d:getcontentlength/><d:resourcetype/>\
    <d:creationdate/><oc:fileid/><oc:permissions/><oc:size/><oc:owner-id/><oc:owner-display-name/><oc:favorite/>";

/// The account of a source.
#[derive(Clone, FromCall)]
pub(crate) struct Cloud {
    api: Api,
    base: String,
    /// The login name and the server, since each server has its own user ids.
    account: String,
    user: Arc<OnceCell<String>>,
    /// The folder that is read, as `#[validate]` saw it right before a run.
    seen: Arc<Mutex<Option<Folder>>>,
}

/// A folder, as the server lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) etag: String,
    /// The folders in it, by path, with their `ETag`s.
    pub(crate) folders: Vec<(String, String)>,
    pub(crate) files: Vec<File>,
}

impl ApiClient for Cloud {
    type Config = Settings;
    type Credentials = Login;

    fn connect(settings: &Settings, login: &Login) -> Result<Self> {
        let api = Api::at(settings.server())
            .auth(Auth::basic(&login.username, &login.password))
            .limit(LISTING)
            .refusals(|answer| match answer.status().as_u16() {
                // Somebody is writing the file.
                423 => Verdict::Unavailable,
                _ => Verdict::by_status(answer),
            });
        Ok(Self {
            api,
            base: settings.base(),
            account: format!("{} {}", login.username, settings.server()),
            user: Arc::default(),
            seen: Arc::default(),
        })
    }
}

impl Cloud {
    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    /// Lists the folder of the settings, and keeps the answer for the run that comes next.
    pub(crate) async fn check(&self, checkpoint: Option<&Value>) -> Result<()> {
        self.take_seen();
        self.log_in(checkpoint).await?;
        let root = self.root().await?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(root);
        Ok(())
    }

    pub(crate) fn take_seen(&self) -> Option<Folder> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take()
    }

    /// Finds out the user id, which is part of every path and not always the login name. Gives the account and the id.
    pub(crate) async fn log_in(&self, checkpoint: Option<&Value>) -> Result<(String, String)> {
        let saved = checkpoint.and_then(|saved| saved.get("user"));
        let saved = saved.filter(|user| user[0] == self.account.as_str());
        let user = self.user.get_or_try_init(|| async {
            if let Some(id) = saved.and_then(|user| user[1].as_str()) {
                return Ok(id.to_owned());
            }
            // With a body, however empty, it follows no redirect to another server.
            let call = self.api.get("ocs/v2.php/cloud/user?format=json");
            let call = call.bytes("", "application/json");
            let answer = call.header("OCS-APIRequest", "true").read::<Value>().await;
            let answer = answer.map_err(|error| explain(error, NO_NEXTCLOUD))?;
            let id = answer.pointer("/ocs/data/id").and_then(Value::as_str);
            id.map(str::to_owned).context(NO_NEXTCLOUD)
        });
        Ok((self.account.clone(), user.await?.clone()))
    }

    fn user(&self) -> &str {
        self.user.get().map_or("", String::as_str)
    }

    /// Lists the folder of the settings. Its errors say which setting is wrong.
    pub(crate) async fn root(&self) -> Result<Folder> {
        let missing = match self.base.as_str() {
            "" => "the account has no files".to_owned(),
            base => format!("the setting `base_path` is `{base}`, which cannot be read"),
        };
        let listed = self.list(&self.base).await;
        listed.map_err(|error| match error.downcast::<SourceError>() {
            Ok(error) => explain(error, &missing),
            Err(error) if self.base.is_empty() => error.context(NO_NEXTCLOUD),
            Err(error) => error.context(missing),
        })
    }

    /// Lists a folder. An answer that is not complete is an error.
    pub(crate) async fn list(&self, path: &str) -> Result<Folder> {
        let mut folder = Folder::default();
        let mut has_itself = false;
        for (href, properties) in self.ask(self.at("PROPFIND", path), PROPERTIES, "1").await? {
            let found = self.path_of(&href)?;
            let tag = etag(&properties.getetag).to_owned();
            let is_folder = properties.resourcetype.collection.is_some() || href.ends_with('/');
            if found == path {
                ensure!(is_folder, "`{path}` is a file and no folder");
                (has_itself, folder.etag) = (true, tag);
                continue;
            }
            let name = found.strip_prefix(path).and_then(|it| it.strip_prefix('/'));
            ensure!(
                name.is_some_and(|it| !matches!(it, "" | "." | "..") && !it.contains('/')),
                "the list of the folder names `{found}`, which is not in it"
            );
            if is_folder {
                folder.folders.push((found, tag));
            } else {
                folder.files.push(File {
                    path: found,
                    href,
                    properties,
                });
            }
        }
        ensure!(has_itself, "the list of the folder lacks the folder itself");
        Ok(folder)
    }

    /// Starts to read a file.
    pub(crate) fn file(&self, path: &str) -> Call {
        self.at("GET", path)
    }

    /// Finds the path of a file by the key that its document has.
    pub(crate) async fn path_of_key(&self, key: &str) -> Result<Option<String>> {
        if key.starts_with('/') {
            return self.path_of(key).map(Some);
        }
        let meta = format!("remote.php/dav/meta/{}", segment(key));
        let meta = self.api.call(method("PROPFIND"), meta);
        let properties = "<nc:meta-path-for-user/><oc:meta-path-for-user/>";
        match self.ask(meta, properties, "0").await {
            Ok(answers) => {
                let mut paths = answers.into_iter().map(|it| it.1.meta_path_for_user);
                if let Some(path) = paths.find(|path| !path.is_empty()) {
                    return Ok(Some(format!("/{}", path.trim_matches('/'))));
                }
            }
            Err(error) if is_refusal(&error) => {}
            Err(error) => return Err(error),
        }
        // Servers without that property search.
        let scope = format!("/files/{}", segment(self.user()));
        let query = format!(
            "<d:searchrequest {NAMESPACES}><d:basicsearch><d:select><d:prop><oc:fileid/></d:prop></d:select><d:from><d:scope>\
             <d:href>{scope}</d:href><d:depth>infinity</d:depth></d:scope></d:from><d:where><d:eq><d:prop><oc:fileid/></d:prop>\
             <d:literal>{}</d:literal></d:eq></d:where><d:orderby/></d:basicsearch></d:searchrequest>",
            segment(key)
        );
        let search = self.api.call(method("SEARCH"), "remote.php/dav/");
        let found = answers(search.bytes(query, "text/xml").repeatable()).await?;
        found.first().map(|it| self.path_of(&it.0)).transpose()
    }

    /// A call of a path in the account.
    fn at(&self, name: &'static str, path: &str) -> Call {
        let user = segment(self.user());
        let names = path.split('/').map(segment).collect::<Vec<_>>().join("/");
        let path = format!("remote.php/dav/files/{user}{names}");
        self.api.call(method(name), path).named(name)
    }

    async fn ask(&self, call: Call, properties: &str, depth: &str) -> Result<Answers> {
        let body = format!("<d:propfind {NAMESPACES}><d:prop>{properties}</d:prop></d:propfind>");
        let call = call.header("depth", depth).bytes(body, "application/xml");
        answers(call.repeatable()).await
    }

    /// Reads a path out of an address, whichever server and prefix it names.
    fn path_of(&self, href: &str) -> Result<String> {
        let decoded = percent_decode_str(href).decode_utf8_lossy();
        let files = format!("/remote.php/dav/files/{}", self.user());
        let path = decoded.split_once(&files).map(|(_, path)| path);
        let path = path.filter(|path| path.is_empty() || path.starts_with('/'));
        let path = path.with_context(|| format!("`{href}` is not in the account"))?;
        Ok(path.trim_end_matches('/').to_owned())
    }

    /// Gives back the error of a single folder or file. Fails when the account or the whole server is the trouble.
    pub(crate) async fn single(&self, error: anyhow::Error) -> Result<anyhow::Error> {
        match source_error(&error) {
            Some(SourceError::Unauthorized { .. } | SourceError::Busy { .. }) => {
                Err(explain(error.downcast()?, NO_NEXTCLOUD))
            }
            Some(SourceError::Cancelled) => Err(error),
            None
            | Some(
                SourceError::Unavailable { .. }
                | SourceError::Unreachable { .. }
                | SourceError::TimedOut { .. },
            ) => self.root().await.map(|_| error),
            Some(_) => Ok(error),
        }
    }
}

const NAMESPACES: &str =
    r#"xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns""#;
const NO_NEXTCLOUD: &str = "the setting `server_url` is not the address of a Nextcloud server";

fn method(name: &'static str) -> Method {
    // These names are all valid ones.
    Method::from_bytes(name.as_bytes()).unwrap_or_default()
}

/// What a server says of each address.
type Answers = Vec<(String, Properties)>;

#[derive(Deserialize)]
struct Multistatus {
    #[serde(default, rename = "response")]
    responses: Vec<Response>,
}

#[derive(Deserialize)]
struct Response {
    href: String,
    #[serde(default)]
    propstat: Vec<Propstat>,
}

#[derive(Deserialize)]
struct Propstat {
    #[serde(default)]
    status: String,
    prop: Properties,
}

async fn answers(call: Call) -> Result<Answers> {
    let answer = call.send().await?;
    ensure!(
        answer.status().as_u16() == 207,
        "the server answers {} where WebDAV has 207",
        answer.status()
    );
    parse(&answer.text())
}

fn parse(xml: &str) -> Result<Answers> {
    let parsed: Multistatus =
        quick_xml::de::from_str(xml).context("the answer of the server cannot be read")?;
    let answers = parsed.responses.into_iter().map(|it| -> Result<_> {
        let mut parts = it.propstat.into_iter();
        let good = parts.find(|part| part.status.is_empty() || part.status.contains(" 200"));
        let good = good.with_context(|| format!("the server says nothing of `{}`", it.href))?;
        Ok((it.href, good.prop))
    });
    answers.collect()
}

/// Whether the server does not do what was asked, rather than failing at it.
fn is_refusal(error: &anyhow::Error) -> bool {
    source_error(error)
        .is_some_and(|error| error.is_missing() || matches!(error, SourceError::Refused { .. }))
}

pub(crate) fn source_error(error: &anyhow::Error) -> Option<&SourceError> {
    error.downcast_ref()
}

/// Says which setting is wrong.
fn explain(error: SourceError, missing: &str) -> anyhow::Error {
    let why = match &error {
        SourceError::Unauthorized { .. } => {
            "the server refuses `username` and `password`; enter the login name and an app password, which is made in the \
             security settings of Nextcloud"
        }
        SourceError::Foreign { origin, .. } | SourceError::TurnedAway { to: origin, .. } => {
            return anyhow!(
                "the setting `server_url` leads to `{origin}`; enter that address instead"
            );
        }
        SourceError::Unreachable { .. } | SourceError::TimedOut { .. } => {
            "the server of the setting `server_url` cannot be reached"
        }
        SourceError::Unavailable { .. } | SourceError::Busy { .. } => {
            "the server of the setting `server_url` is overloaded or in maintenance"
        }
        SourceError::Cancelled => return error.into(),
        _ => missing,
    };
    let why = why.to_owned();
    anyhow::Error::from(error).context(why)
}
