//! `WebDAV` servers and clients that nobody here wrote, made a Nextcloud by `tests/nextcloud/layer.py`. `tests/nextcloud/run` installs
//! them; without it these tests do nothing.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use omni_connector::SyncType::{Full, Incremental};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    cloud::{Cloud, LOGIN, PASSWORD},
    layer,
    support::{Test, effects},
};

/// A server behind the layer, and the folder that it serves. Both processes end with it.
pub(crate) struct Real {
    layer: Child,
    pub(crate) url: String,
    folder: TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        // The layer ends its server when its input ends.
        drop(self.layer.stdin.take());
        let _ = self.layer.wait();
    }
}

impl Real {
    /// None where nothing is installed.
    fn start(server: &str) -> Option<Self> {
        let python = std::env::var_os("NEXTCLOUD_TEST_PYTHON")?;
        let folder = tempfile::tempdir().unwrap();
        let layer = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/nextcloud/layer.py"
        );
        let mut layer = Command::new(python)
            .arg(layer)
            .arg(server)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let said = layer.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut port).unwrap();
        // The reason is on standard error.
        assert!(!port.trim().is_empty(), "`{server}` does not start");
        let url = format!("http://127.0.0.1:{}", port.trim());
        Some(Self { layer, url, folder })
    }

    /// Runs rclone as a client of the server; `cloud:` is the account.
    fn rclone(&self, arguments: &[&str]) {
        let obscured = Command::new("rclone").args(["obscure", PASSWORD]).output();
        let obscured = String::from_utf8(obscured.unwrap().stdout).unwrap();
        let ended = Command::new("rclone")
            .env("RCLONE_CONFIG_CLOUD_TYPE", "webdav")
            .env("RCLONE_CONFIG_CLOUD_VENDOR", "nextcloud")
            .env(
                "RCLONE_CONFIG_CLOUD_URL",
                format!("{}/remote.php/dav/files/ada", self.url),
            )
            .env("RCLONE_CONFIG_CLOUD_USER", LOGIN)
            .env("RCLONE_CONFIG_CLOUD_PASS", obscured.trim())
            .args(["--config", "/dev/null", "--quiet"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(ended.status.success(), "{arguments:?}: {ended:?}");
    }

    /// Types commands into cadaver.
    fn cadaver(&self, commands: &str) {
        let home = tempfile::tempdir().unwrap();
        let netrc = format!("machine 127.0.0.1 login {LOGIN} password {PASSWORD}\n");
        fs::write(home.path().join(".netrc"), netrc).unwrap();
        let mut cadaver = Command::new("cadaver")
            .arg(format!("{}/remote.php/dav/files/ada/", self.url))
            .env("HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let typed = format!("{commands}\nquit\n");
        let mut input = cadaver.stdin.take().unwrap();
        input.write_all(typed.as_bytes()).unwrap();
        drop(input);
        let ended = cadaver.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(!said.contains("failed"), "{said}");
    }

    fn write(folder: &Path, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    /// The paths and contents of the files that the server has.
    fn files(&self) -> Vec<(String, String)> {
        fn below(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    below(&path, root, found);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                    found.push((format!("/{name}"), fs::read_to_string(&path).unwrap()));
                }
            }
        }
        let mut found = Vec::new();
        below(self.folder.path(), self.folder.path(), &mut found);
        found.sort();
        found
    }

    async fn is_mirrored(&self, test: &Test) {
        let found = test.documents().await;
        let mut paths = test.paths().await;
        paths.sort();
        let files = self.files();
        let wanted: Vec<_> = files.iter().map(|it| it.0.clone()).collect();
        assert_eq!(paths, wanted);
        for (path, content) in files {
            let document = found.iter().find(|it| it.metadata["path"] == path).unwrap();
            assert!(document.text.contains(content.trim()), "{}", document.text);
        }
    }

    /// Everything that people do to files, by clients of other hands.
    async fn follow(self) {
        let here = tempfile::tempdir().unwrap();
        Self::write(
            here.path(),
            &[
                ("readme.md", "# Readme"),
                ("notes/plan.txt", "Paint the boats."),
                ("notes/deep/er/leaf.md", "A leaf."),
                ("tables/boats.txt", "boat,year\nIda,1931\n"),
                ("Ünïcode & 100%/größe #1.txt", "Names with odd signs."),
            ],
        );
        let local = here.path().to_str().unwrap();
        self.rclone(&["copy", local, "cloud:"]);
        let test = Test::of(Cloud::with(&[]), json!({ "server_url": self.url })).await;
        let ended = test.syncs(Full).await;
        assert_eq!(effects(&ended), (5, 0, 0));
        self.is_mirrored(&test).await;
        let before = test.documents().await;

        self.asked();
        test.syncs(Incremental).await;
        assert_eq!(self.asked(), ["PROPFIND "]);

        Self::write(
            here.path(),
            &[
                ("notes/plan.txt", "Sail all the boats."),
                ("new/one.md", "One."),
            ],
        );
        // These servers keep no times of clients, by which rclone would send everything again.
        self.rclone(&["copy", "--size-only", local, "cloud:"]);
        self.rclone(&["deletefile", "cloud:readme.md"]);
        self.rclone(&["moveto", "cloud:notes/deep", "cloud:archive/deep"]);
        self.asked();
        let ended = test.syncs(Incremental).await;
        self.is_mirrored(&test).await;
        assert_eq!(effects(&ended), (1, 2, 1));
        let listed = self.asked();
        let unchanged = listed
            .iter()
            .any(|it| it.contains("tables") || it.contains("code"));
        assert!(!unchanged, "{listed:?}");
        let after = test.documents().await;
        let id = |found: &omni_connector_dev::testing::Documents, name: &str| {
            found.iter().find(|it| it.title == name).unwrap().id.clone()
        };
        assert_eq!(id(&after, "leaf.md"), id(&before, "leaf.md"));

        self.cadaver("mkcol letters\nmove new/one.md letters/eins.md\ndelete tables/boats.txt\nrmcol archive");
        let ended = test.syncs(Incremental).await;
        self.is_mirrored(&test).await;
        assert_eq!(effects(&ended), (0, 1, 2));

        self.rclone(&["purge", "cloud:letters"]);
        let ended = test.syncs(Incremental).await;
        self.is_mirrored(&test).await;
        assert_eq!(effects(&ended), (0, 0, 1));

        let (files, url) = (self.files().len(), self.url.clone());
        drop(self);
        let refusal = test.refusal(Full).await;
        assert!(refusal.contains("`server_url`"), "{url}: {refusal}");
        assert_eq!(test.paths().await.len(), files);
    }

    /// Names that are written with escapes in addresses, in XML or in both.
    async fn read_odd_names(self) {
        let names = [
            "Ünïcode & 100%/größe #1.txt",
            "combining u\u{308}.txt",
            "percent %41 %2F %zz.txt",
            "semi;colon+plus, comma = equal@.txt",
            "quotes ' \" <less> `tick`.txt",
            "[brackets] {braces} (parens) ^~|!$*.txt",
            "日本語/😀.txt",
            "two  spaces.txt",
            "question?.txt",
            ".hidden/.file.txt",
            "no extension",
        ];
        let here = tempfile::tempdir().unwrap();
        let contents: Vec<_> = (0..names.len()).map(|n| format!("Text {n}.")).collect();
        let files = names.into_iter().zip(contents.iter().map(String::as_str));
        Self::write(here.path(), &files.collect::<Vec<_>>());
        self.rclone(&["copy", here.path().to_str().unwrap(), "cloud:"]);
        assert_eq!(self.files().len(), names.len());
        let test = Test::of(Cloud::with(&[]), json!({ "server_url": self.url })).await;
        test.syncs(Full).await;
        let has_format = |it: &&(String, String)| it.0 != "/no extension";
        let files = self.files();
        let files: Vec<_> = files.iter().filter(has_format).collect();
        assert_eq!(files.len(), names.len() - 1);
        for document in test.documents().await.iter() {
            let path = document.metadata["path"].as_str().unwrap();
            let (_, content) = files.iter().find(|it| it.0 == path).unwrap();
            assert!(document.text.contains(content), "{}", document.text);
            let id = json!({ "file_id": document.id });
            let fetched = test.answer("fetch_file", id, None).await;
            assert_eq!(fetched.body, content.as_bytes(), "{path}");
        }
        assert_eq!(test.paths().await.len(), files.len());
        self.asked();
        test.syncs(Incremental).await;
        assert_eq!(self.asked(), ["PROPFIND "]);
    }

    /// The requests to the server since the last time.
    fn asked(&self) -> Vec<String> {
        use std::{io::Read, net::TcpStream};
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let request =
            format!("GET /layer/asked HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }
}

/// Every test over every server, as `real::SERVER::TEST`.
macro_rules! servers {
    ($($server:ident),*) => {$(
        mod $server {
            use super::{Real, layer};

            #[tokio::test]
            async fn a_tree_is_followed() {
                if let Some(real) = Real::start(stringify!($server)) {
                    real.follow().await;
                }
            }

            #[tokio::test]
            async fn odd_names_are_read_and_files_are_fetched_by_their_numbers() {
                if let Some(real) = Real::start(stringify!($server)) {
                    real.read_odd_names().await;
                }
            }

            #[tokio::test]
            async fn the_layer_answers_as_nextcloud_says_that_it_does() {
                if let Some(real) = Real::start(stringify!($server)) {
                    layer::Client::of(&real).check().await;
                }
            }
        }
    )*};
}

servers!(wsgidav, rclone, apache, lighttpd, sabredav);
