//! Checks the answers of the layer over a server against Nextcloud's own sources: its manual of `WebDAV` (`client_apis/WebDAV/basic.rst`),
//! its integration tests (`dav_features/webdav-related.feature`) and those of ownCloud for the `ETag`s of folders
//! (`apiWebdavEtagPropagation1` and `2`).

use std::collections::BTreeMap;

use omni_connector::{
    HttpClient,
    reqwest::{self, Method},
};
use serde::Deserialize;

use crate::{
    cloud::{LOGIN, PASSWORD},
    real::Real,
};

/// A `WebDAV` client of the layer.
pub(crate) struct Client {
    http: reqwest::Client,
    server: String,
}

#[derive(Debug, Deserialize)]
struct Multistatus {
    #[serde(default)]
    response: Vec<Response>,
}

#[derive(Debug, Deserialize)]
struct Response {
    href: String,
    propstat: Vec<Propstat>,
}

#[derive(Debug, Deserialize)]
struct Propstat {
    prop: BTreeMap<String, Option<Text>>,
    status: String,
}

#[derive(Debug, Deserialize)]
struct Text {
    #[serde(default, rename = "$text")]
    text: String,
    collection: Option<String>,
}

/// The properties of a file or folder with the status 200, and the names of the others.
struct Found {
    href: String,
    there: BTreeMap<String, String>,
    missing: Vec<String>,
    is_folder: bool,
}

impl Found {
    fn of(response: Response) -> Self {
        let mut found = Self {
            href: response.href,
            there: BTreeMap::new(),
            missing: Vec::new(),
            is_folder: false,
        };
        for part in response.propstat {
            match part.status.as_str() {
                "HTTP/1.1 200 OK" => {
                    for (name, value) in part.prop {
                        found.is_folder |= value.as_ref().is_some_and(|it| it.collection.is_some());
                        found
                            .there
                            .insert(name, value.map_or_else(String::new, |it| it.text));
                    }
                }
                "HTTP/1.1 404 Not Found" => found.missing.extend(part.prop.into_keys()),
                other => panic!("{other}"),
            }
        }
        found
    }
}

impl Client {
    pub(crate) fn of(real: &Real) -> Self {
        Self {
            http: HttpClient::builder().no_proxy().build().unwrap(),
            server: real.url.clone(),
        }
    }

    fn call(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/remote.php/dav{path}", self.server);
        self.http
            .request(method, url)
            .basic_auth(LOGIN, Some(PASSWORD))
    }

    async fn status(&self, method: &str, path: &str) -> u16 {
        let call = self.call(method, &format!("/files/ada{path}"));
        call.send().await.unwrap().status().as_u16()
    }

    async fn put(&self, path: &str, content: &'static str) -> u16 {
        let call = self.call("PUT", &format!("/files/ada{path}"));
        call.body(content).send().await.unwrap().status().as_u16()
    }

    async fn carry(&self, method: &str, from: &str, to: &str) -> u16 {
        let call = self.call(method, &format!("/files/ada{from}"));
        let to = format!("{}/remote.php/dav/files/ada{to}", self.server);
        let sent = call.header("destination", to).send().await.unwrap();
        sent.status().as_u16()
    }

    async fn find(&self, path: &str, depth: &str) -> Vec<Found> {
        let body = r#"<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns"><d:prop>
            <d:getetag/><d:resourcetype/><d:getcontenttype/><d:getcontentlength/><d:getlastmodified/><d:creationdate/><oc:fileid/>
            <oc:permissions/><oc:favorite/><oc:owner-id/><oc:nothing/><nc:meta-path-for-user/></d:prop></d:propfind>"#;
        let call = self.call("PROPFIND", path).header("depth", depth);
        let answer = call.body(body).send().await.unwrap();
        assert_eq!(answer.status(), 207, "{path}");
        let xml = answer.text().await.unwrap();
        let parsed: Multistatus = quick_xml::de::from_str(&xml).unwrap();
        parsed.response.into_iter().map(Found::of).collect()
    }

    async fn one(&self, path: &str) -> Found {
        let mut found = self.find(&format!("/files/ada{path}"), "0").await;
        assert_eq!(found.len(), 1, "{path}");
        found.remove(0)
    }

    async fn number(&self, path: &str) -> String {
        self.one(path).await.there["fileid"].clone()
    }

    /// Runs a request. Its status and the `ETag`s that it changes must be as given.
    async fn changes(
        &self,
        changed: &[&str],
        same: &[&str],
        act: impl Future<Output = u16>,
        status: u16,
    ) {
        let mut before = BTreeMap::new();
        for path in changed.iter().chain(same) {
            before.insert(*path, self.one(path).await.there["getetag"].clone());
        }
        assert_eq!(act.await, status);
        for (path, etag) in before {
            let now = &self.one(path).await.there["getetag"];
            assert_eq!(*now != etag, changed.contains(&path), "`{path}`");
        }
    }

    pub(crate) async fn check(&self) {
        self.check_logins().await;
        self.check_answers().await;
        self.check_folders().await;
        self.check_numbers().await;
    }

    async fn check_logins(&self) {
        for path in [
            "/remote.php/dav/files/ada/",
            "/ocs/v2.php/cloud/user?format=json",
        ] {
            let url = format!("{}{path}", self.server);
            let answer = self
                .http
                .get(&url)
                .basic_auth(LOGIN, Some("another"))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 401, "{path}");
            let realm = &answer.headers()["www-authenticate"];
            assert_eq!(realm, r#"Basic realm="Nextcloud", charset="UTF-8""#);
        }
        let url = format!("{}/ocs/v2.php/cloud/user?format=json", self.server);
        let call = || self.http.get(&url).basic_auth(LOGIN, Some(PASSWORD));
        assert_eq!(call().send().await.unwrap().status(), 412);
        let answer = call()
            .header("ocs-apirequest", "true")
            .send()
            .await
            .unwrap();
        let said: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(said.pointer("/ocs/meta/statuscode"), Some(&200.into()));
        assert_eq!(said.pointer("/ocs/data/id"), Some(&"ada".into()));
    }

    async fn check_answers(&self) {
        assert_eq!(self.status("MKCOL", "/a%20(b)").await, 201);
        assert_eq!(self.put("/a%20(b)/%C3%BC;.md", "# Plan").await, 201);
        let found = self.find("/files/ada/a%20(b)", "1").await;
        let [folder, file] = &found[..] else {
            panic!("{} answers", found.len());
        };
        assert_eq!(folder.href, "/remote.php/dav/files/ada/a%20(b)/");
        assert_eq!(file.href, "/remote.php/dav/files/ada/a%20(b)/%c3%bc%3b.md");
        assert!(folder.is_folder && !file.is_folder);
        assert_eq!(
            folder.missing,
            [
                "getcontentlength",
                "getcontenttype",
                "meta-path-for-user",
                "nothing"
            ]
        );
        assert_eq!(file.missing, ["meta-path-for-user", "nothing"]);
        for (name, value) in [
            ("getcontenttype", "text/markdown"),
            ("getcontentlength", "6"),
            ("creationdate", "1970-01-01T00:00:00+00:00"),
            ("owner-id", "ada"),
            ("favorite", "0"),
        ] {
            assert_eq!(file.there[name], value, "{name}");
        }
        for found in [folder, file] {
            let tag = &found.there["getetag"];
            assert!(
                tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'),
                "{tag}"
            );
            assert!(found.there["fileid"].parse::<u64>().is_ok());
            assert!(found.there["permissions"].contains('G'));
            assert!(found.there["getlastmodified"].ends_with(" GMT"));
        }
        let read = self
            .call("GET", "/files/ada/a%20(b)/%C3%BC;.md")
            .send()
            .await
            .unwrap();
        let tag = read.headers()["etag"]
            .to_str()
            .unwrap()
            .trim_start_matches("W/");
        assert_eq!(tag, file.there["getetag"]);
        let meta = format!("/meta/{}/", file.there["fileid"]);
        let named = self.find(&meta, "0").await;
        assert_eq!(named[0].there["meta-path-for-user"], "/a (b)/ü;.md");
        for method in ["GET", "DELETE"] {
            assert_eq!(self.status(method, "/nothing.md").await, 404, "{method}");
        }
        let call = self.call("PROPFIND", "/files/ada/nothing.md");
        let answer = call.header("depth", "1").send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }

    async fn check_folders(&self) {
        for folder in ["/one", "/one/deep", "/two", "/three"] {
            assert_eq!(self.status("MKCOL", folder).await, 201);
        }
        let up = ["", "/one", "/one/deep"];
        self.changes(&up, &["/two"], self.put("/one/deep/f.txt", "One"), 201)
            .await;
        let file = ["", "/one", "/one/deep", "/one/deep/f.txt"];
        self.changes(
            &file,
            &["/two"],
            self.put("/one/deep/f.txt", "Another"),
            204,
        )
        .await;
        self.changes(
            &["", "/two"],
            &up[1..],
            self.status("MKCOL", "/two/new"),
            201,
        )
        .await;
        self.changes(&[], &["", "/two"], self.status("MKCOL", "/two/new"), 405)
            .await;
        self.changes(
            &[],
            &["", "/two"],
            self.status("DELETE", "/two/nothing"),
            404,
        )
        .await;
        let both = ["", "/one", "/one/deep", "/two"];
        let copy = self.carry("COPY", "/one/deep/f.txt", "/two/g.txt");
        self.changes(&["", "/two"], &file[1..], copy, 201).await;
        let rename = self.carry("MOVE", "/two/g.txt", "/two/h.txt");
        self.changes(&["", "/two"], &["/one", "/three"], rename, 201)
            .await;
        let shift = self.carry("MOVE", "/one/deep/f.txt", "/two/f.txt");
        self.changes(&both, &["/three"], shift, 201).await;
        let shift = self.carry("MOVE", "/one/deep", "/two/new/deep");
        self.changes(&["", "/one", "/two", "/two/new"], &["/three"], shift, 201)
            .await;
        self.changes(
            &["", "/two"],
            &["/one", "/three"],
            self.status("DELETE", "/two/f.txt"),
            204,
        )
        .await;
        self.changes(
            &["", "/two"],
            &["/one"],
            self.status("DELETE", "/two/new"),
            204,
        )
        .await;
    }

    async fn check_numbers(&self) {
        assert_eq!(self.status("MKCOL", "/from").await, 201);
        assert_eq!(self.put("/from/f.txt", "One").await, 201);
        let (folder, file) = (self.number("/from").await, self.number("/from/f.txt").await);
        assert_ne!(folder, file);
        assert_eq!(self.put("/from/f.txt", "Another").await, 204);
        assert_eq!(self.number("/from/f.txt").await, file);
        let tag = self.one("/from/f.txt").await.there["getetag"].clone();
        assert_eq!(self.carry("MOVE", "/from", "/to").await, 201);
        assert_eq!(
            (self.number("/to").await, self.number("/to/f.txt").await),
            (folder, file.clone())
        );
        assert_eq!(self.one("/to/f.txt").await.there["getetag"], tag);
        assert_eq!(self.carry("COPY", "/to/f.txt", "/to/g.txt").await, 201);
        assert_ne!(self.number("/to/g.txt").await, file);
        assert_eq!(self.carry("MOVE", "/to/f.txt", "/to/g.txt").await, 204);
        assert_eq!(self.number("/to/g.txt").await, file);
        assert_eq!(self.status("DELETE", "/to/g.txt").await, 204);
        assert_eq!(self.put("/to/g.txt", "One").await, 201);
        assert_ne!(self.number("/to/g.txt").await, file);
    }
}
