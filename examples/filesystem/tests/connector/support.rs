//! A tree behind the setup of `omni-connector-dev`.

use std::{
    collections::BTreeMap,
    fs,
    ops::Deref,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use omni_connector_dev::testing::{self, Found, SetupBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_filesystem");

pub(crate) struct Setup {
    kit: testing::Setup,
    tree: PathBuf,
    folder: TempDir,
}

impl Deref for Setup {
    type Target = testing::Setup;

    fn deref(&self) -> &testing::Setup {
        &self.kit
    }
}

impl Setup {
    /// A source with an empty tree.
    pub(crate) async fn new() -> Self {
        Self::with_config(json!({})).await
    }

    /// The same with settings beside the path of the tree.
    pub(crate) async fn with_config(config: Value) -> Self {
        Self::start(config, |_| testing::Setup::of(BINARY)).await
    }

    /// The same with a connector that may not read everything: to root every file is readable.
    pub(crate) async fn unprivileged() -> Self {
        let setup = Self::start(json!({}), |folder| {
            if fs::metadata(folder).unwrap().uid() != 0 {
                return testing::Setup::of(BINARY);
            }
            // Where the build folder is private, another user could not start the binary in it.
            let binary = folder.join("filesystem");
            // Not by this process: a child that another test starts meanwhile would inherit the open file, and a program
            // that somebody may write to cannot be run ("text file busy").
            let copied = Command::new("cp").arg(BINARY).arg(&binary).status();
            assert!(copied.unwrap().success());
            let nobody = [
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
            ];
            testing::Setup::of(binary).through(nobody)
        });
        setup.await
    }

    /// A source with an empty tree, whose connector starts as `build` says. It gets a folder that everybody can read.
    pub(crate) async fn start(
        mut config: Value,
        build: impl FnOnce(&Path) -> SetupBuilder,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let tree = folder.path().join("tree");
        fs::create_dir(&tree).unwrap();
        config["base_path"] = json!(tree);
        let kit = build(folder.path()).config(config).start().await;
        Self { kit, tree, folder }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.tree.join(path)
    }

    /// A path beside the tree, on the same file system.
    pub(crate) fn outside(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file, and the folders it is in.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The documents that the manager has, by their ids without the path of the tree.
    pub(crate) async fn documents(&self) -> BTreeMap<String, Found> {
        let base = format!("{}/", self.tree.display());
        let below = |id: &str| id.strip_prefix(&base).unwrap_or(id).to_owned();
        let documents = self.kit.documents().await;
        documents
            .iter()
            .map(|document| (below(&document.id), document.clone()))
            .collect()
    }

    pub(crate) async fn ids(&self) -> Vec<String> {
        self.documents().await.into_keys().collect()
    }

    /// Waits until the documents are these.
    pub(crate) async fn until_ids(&self, ids: &[&str]) {
        let ids: Vec<_> = ids
            .iter()
            .map(|id| format!("{}/{id}", self.tree.display()))
            .collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        self.kit.until_ids(&ids).await;
    }
}

/// Says that a file was modified at another time.
pub(crate) fn set_modified(path: &Path, time: SystemTime) {
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}
