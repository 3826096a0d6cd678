//! A small Nextcloud: folders whose `ETag`s change with everything below them, numbers of files that survive a move, and the user id.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use omni_connector_dev::testing::{Change, Oddity, Source, Unable};
use percent_encoding::percent_decode_str;

/// Short, since people's names may be in logs, and this one is looked for.
pub(crate) const LOGIN: &str = "ann";
/// The user id is another name than the login.
pub(crate) const USER: &str = "ada lovelace@ldap";
pub(crate) const PASSWORD: &str = "canary-app-password-7f3";

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: u64,
    pub(crate) etag: String,
    /// None for a folder.
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) media_type: String,
    pub(crate) modified: String,
}

/// A request: method, path below the account (or the whole one), depth, and status of the answer.
pub(crate) type Asked = (String, String, u16);

/// Something that happens to the tree.
pub(crate) type Then = fn(&mut World);

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) asked: Vec<Asked>,
    /// The status of every answer about these paths.
    pub(crate) refused: BTreeMap<String, u16>,
    /// What is done once this path was asked for.
    pub(crate) then: Option<(String, Then)>,
    pub(crate) password: String,
    /// The origin that precedes every path in an answer.
    pub(crate) origin: String,
    pub(crate) user: String,
    /// Whether paths of numbers can be asked for, or must be searched.
    pub(crate) has_meta: bool,
    numbers: u64,
    versions: u64,
}

/// The server. It listens on a thread of its own, which ends with the process.
#[derive(Debug, Clone)]
pub(crate) struct Cloud {
    url: String,
    world: Arc<Mutex<World>>,
}

impl World {
    /// Writes a file, and makes the folders above it.
    pub(crate) fn put(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        for (end, _) in path.match_indices('/') {
            self.folder(&path[..end]);
        }
        let number = self.number(path);
        self.versions += 1;
        let extension = path.rsplit('.').next().unwrap_or_default();
        let media_type = match extension {
            "md" => "text/markdown",
            "txt" => "text/plain",
            "csv" => "text/csv",
            "html" => "text/html",
            "png" => "image/png",
            "zip" => "application/zip",
            _ => "application/octet-stream",
        };
        let node = Node {
            id: number,
            etag: format!("file-{}", self.versions),
            content: Some(content.into()),
            media_type: media_type.into(),
            modified: "Thu, 01 Jan 2026 00:00:00 GMT".into(),
        };
        self.nodes.insert(path.into(), node);
        self.touch(path);
    }

    pub(crate) fn folder(&mut self, path: &str) {
        if self.nodes.contains_key(path) {
            return;
        }
        let id = self.number(path);
        let node = Node {
            id,
            etag: String::new(),
            content: None,
            media_type: String::new(),
            modified: "Thu, 01 Jan 2026 00:00:00 GMT".into(),
        };
        self.nodes.insert(path.into(), node);
        self.touch(path);
    }

    pub(crate) fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        self.nodes
            .retain(|it, _| it != path && !it.starts_with(&below));
        self.touch(path);
    }

    /// Moves a file or folder. Numbers and `ETag`s of what moves stay.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        for (end, _) in to.match_indices('/') {
            self.folder(&to[..end]);
        }
        let below = format!("{from}/");
        let moved: Vec<_> = self.nodes.keys().cloned().collect();
        for path in moved {
            if path == from || path.starts_with(&below) {
                let node = self.nodes.remove(&path).unwrap();
                self.nodes.insert(path.replacen(from, to, 1), node);
            }
        }
        self.touch(from);
        self.touch(to);
    }

    fn number(&mut self, path: &str) -> u64 {
        if let Some(node) = self.nodes.get(path) {
            return node.id;
        }
        self.numbers += 1;
        99 + self.numbers
    }

    /// Changes the `ETag`s of all folders above a path, and of the folder itself.
    fn touch(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(end, _)| end);
        for end in ends.chain([path.len()]) {
            self.versions += 1;
            if let Some(node) = self.nodes.get_mut(&path[..end])
                && node.content.is_none()
            {
                node.etag = format!("folder-{}", self.versions);
            }
        }
    }

    pub(crate) fn files(&self) -> Vec<String> {
        let files = self.nodes.iter().filter(|(_, it)| it.content.is_some());
        files.map(|(path, _)| path.clone()).collect()
    }

    /// The folders that were listed since the last time, and the files that were read.
    pub(crate) fn asked(&mut self) -> (Vec<String>, Vec<String>) {
        let asked = std::mem::take(&mut self.asked);
        let of = |name: &str| {
            let asked = asked
                .iter()
                .filter(|it| it.0 == name && !it.1.starts_with("/ocs/"));
            asked.map(|it| it.1.clone()).collect()
        };
        (of("PROPFIND"), of("GET"))
    }

    fn href(&self, path: &str) -> String {
        let names: Vec<_> = path.split('/').map(omni_connector::http::segment).collect();
        let slash = match self.nodes.get(path) {
            Some(node) if node.content.is_none() => "/",
            _ => "",
        };
        format!(
            "{}/remote.php/dav/files/{}{}{slash}",
            self.origin,
            omni_connector::http::segment(&self.user),
            names.join("/")
        )
    }

    fn describe(&self, path: &str) -> String {
        let node = &self.nodes[path];
        let (kind, of_file) = match &node.content {
            None => ("<d:collection/>", String::new()),
            Some(content) => (
                "",
                format!(
                    "<d:getcontenttype>{}</d:getcontenttype><d:getcontentlength>{}</d:getcontentlength>",
                    node.media_type,
                    content.len()
                ),
            ),
        };
        format!(
            "<d:response><d:href>{}</d:href><d:propstat><d:prop><d:getetag>&quot;{}&quot;</d:getetag><d:resourcetype>{kind}\
             </d:resourcetype>{of_file}<d:getlastmodified>{}</d:getlastmodified><oc:fileid>{}</oc:fileid><oc:permissions>RGDNVW\
             </oc:permissions><oc:owner-id>ada</oc:owner-id><oc:owner-display-name>Ada</oc:owner-display-name><oc:favorite>0\
             </oc:favorite></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><oc:size/>\
             <d:creationdate/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>",
            self.href(path),
            node.etag,
            node.modified,
            node.id,
        )
    }

    fn multistatus(answers: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<d:multistatus xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\" \
             xmlns:nc=\"http://nextcloud.org/ns\">{answers}</d:multistatus>\n"
        )
    }

    fn list(&self, path: &str, depth: &str) -> (u16, String) {
        if !self.nodes.contains_key(path) {
            return (404, String::new());
        }
        let below = format!("{path}/");
        let inside = |it: &&String| {
            let rest = it.strip_prefix(&below);
            rest.is_some_and(|it| !it.contains('/'))
        };
        let inside = self.nodes.keys().filter(|_| depth == "1").filter(inside);
        let mut answers = self.describe(path);
        answers.extend(inside.map(|it| self.describe(it)));
        (207, Self::multistatus(&answers))
    }

    fn answer(&mut self, method: &str, path: &str, depth: &str, body: &str) -> (u16, String) {
        if path.starts_with("/ocs/v2.php/cloud/user") {
            return (
                200,
                serde_json::json!({ "ocs": { "data": { "id": self.user } } }).to_string(),
            );
        }
        let number = |text: &str| {
            let found = self
                .nodes
                .iter()
                .find(|it| Some(it.1.id) == text.parse().ok());
            found.map(|it| it.0.clone())
        };
        if let Some(id) = path.strip_prefix("/remote.php/dav/meta/") {
            return match number(id) {
                Some(found) if self.has_meta => {
                    let found = found.replace('&', "&amp;");
                    let answers = format!(
                        "<d:response><d:href>{path}</d:href><d:propstat><d:prop><nc:meta-path-for-user>{found}\
                         </nc:meta-path-for-user></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
                    );
                    (207, Self::multistatus(&answers))
                }
                _ => (404, String::new()),
            };
        }
        if method == "SEARCH" {
            let id = body
                .split("<d:literal>")
                .nth(1)
                .unwrap()
                .split('<')
                .next()
                .unwrap();
            let found = number(id).map(|it| self.describe(&it)).unwrap_or_default();
            return (207, Self::multistatus(&found));
        }
        let Some(path) = path.strip_prefix(&format!("/remote.php/dav/files/{}", self.user)) else {
            return (404, String::new());
        };
        match method {
            "PROPFIND" => self.list(path.trim_end_matches('/'), depth),
            _ => (404, String::new()),
        }
    }
}

impl Cloud {
    /// A server with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let mut world = World {
            password: PASSWORD.into(),
            user: USER.into(),
            has_meta: true,
            ..World::default()
        };
        world.folder("");
        for (path, content) in files {
            world.put(path, *content);
        }
        let world = Arc::new(Mutex::new(world));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&world));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { url, world }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

async fn answer(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        let value = head.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let (method, depth) = (head.method.to_string(), header("depth"));
    let authorization = header("authorization").unwrap_or_default();
    let path = percent_decode_str(head.uri.path());
    let path = path.decode_utf8().unwrap().into_owned();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();

    let mut world = world.lock().unwrap();
    let login = STANDARD.encode(format!("{LOGIN}:{}", world.password));
    let files = format!("/remote.php/dav/files/{}", world.user);
    let short = path.strip_prefix(&files).unwrap_or(&path).to_owned();
    let mut response = Response::builder();
    let (status, body) = if authorization != format!("Basic {login}") {
        (401, Vec::new())
    } else if path.starts_with("/ocs/") && header("ocs-apirequest").is_none() {
        // As Nextcloud does, against requests of foreign pages.
        (412, Vec::new())
    } else if let Some(status) = world.refused.get(&short) {
        (*status, Vec::new())
    } else if let ("GET", Some(node)) = (method.as_str(), world.nodes.get(&short)) {
        response = response
            .header("etag", format!("W/\"{}-gzip\"", node.etag))
            .header("content-type", &node.media_type);
        (200, node.content.clone().unwrap_or_default())
    } else {
        let (status, body) = world.answer(&method, &path, &depth.unwrap_or_default(), &body);
        (status, body.into_bytes())
    };
    world.asked.push((method, short.clone(), status));
    if let Some((at, then)) = world.then.take() {
        if at == short {
            then(&mut world);
        } else {
            world.then = Some((at, then));
        }
    }
    response.status(status).body(Body::from(body)).unwrap()
}

impl Source for Cloud {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn change(&self, change: &Change) -> Result<(), Unable> {
        let mut world = self.world();
        let files = world.files();
        let file = |number: &usize| {
            let file = files.get(*number).cloned();
            file.ok_or_else(|| Unable(format!("this source cannot {change}: it has fewer files")))
        };
        match change {
            Change::Remove(number) => world.remove(&file(number)?),
            Change::RemoveMost => files.iter().skip(1).for_each(|it| world.remove(it)),
            Change::RemoveAll => files.iter().for_each(|it| world.remove(it)),
            Change::Edit(number) => world.put(&file(number)?, "Another text, with other words."),
            Change::Rename(number) => {
                let from = file(number)?;
                let (stem, extension) = from.rsplit_once('.').unwrap();
                world.rename(&from, &format!("{stem} (renamed).{extension}"));
            }
            Change::Add => world.put("/added/new.md", "A new file."),
            Change::Odd(number, Oddity::ControlCharacters) => {
                world.put(&file(number)?, "a\u{0}b\u{7}c\u{202e}d");
            }
            Change::Odd(number, Oddity::HugeText) => {
                world.put(&file(number)?, "lorem ipsum ".repeat(833_334));
            }
            _ => return Err(Unable(format!("this source cannot {change}"))),
        }
        Ok(())
    }
}
