//! A documentation package of Debian behind nginx, with `wget -r` as the other client. `tests/web/run` installs all
//! three; without them this test does nothing.

use std::{
    collections::BTreeSet,
    env, fs,
    net::TcpStream,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use omni_connector::SyncType::{Full, Incremental};
use omni_connector_dev::testing::{Setup, free_port};
use serde_json::json;
use tempfile::TempDir;

/// No step of a test takes as long on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request that nginx logged.
#[derive(Debug)]
struct Logged {
    method: String,
    path: String,
    status: u16,
    bytes: u64,
    condition: String,
    media_type: String,
}

struct Nginx {
    master: Child,
    url: String,
    folder: TempDir,
}

impl Nginx {
    fn serve(documents: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Its workers are another user when root starts it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let _ = chown(folder.path(), Some(65_534), Some(65_534));
        let port = free_port().unwrap();
        let settings = include_str!("../../../../tests/web/nginx.conf")
            .replace("FOLDER", &folder.path().display().to_string())
            .replace("DOCUMENTS", &documents.display().to_string())
            .replace("PORT", &port.to_string());
        let path = folder.path().join("nginx.conf");
        fs::write(&path, settings).unwrap();
        let master = Command::new("nginx")
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .arg("-c")
            .arg(&path)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "nginx does not answer");
            sleep(Duration::from_millis(20));
        }
        Self {
            master,
            url: format!("http://127.0.0.1:{port}"),
            folder,
        }
    }

    /// Returns the requests since the last time, without those for the site's rules.
    fn logged(&self) -> Vec<Logged> {
        let path = self.folder.path().join("access.log");
        let text = fs::read_to_string(&path).unwrap();
        // nginx appends, so an emptied log goes on at its beginning.
        fs::write(&path, "").unwrap();
        let lines = text.lines().map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut next = || fields.next().unwrap();
            Logged {
                method: next(),
                path: next(),
                status: next().parse().unwrap(),
                bytes: next().parse().unwrap(),
                condition: next(),
                media_type: next(),
            }
        });
        let rules = ["/robots.txt", "/sitemap.xml"];
        lines
            .filter(|it| it.method == "GET" && !rules.contains(&it.path.as_str()))
            .collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked to end, the master ends its workers; killed, it would leave them.
        let pid = self.master.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.master.wait();
    }
}

#[tokio::test]
async fn the_pages_of_a_documentation_package_are_those_of_wget_and_each_is_asked_for_once_more() {
    let Some(documents) = env::var_os("WEB_TEST_DOCUMENTS") else {
        eprintln!("skipped: tests/web/run serves a documentation package");
        return;
    };
    let nginx = Nginx::serve(Path::new(&documents));
    let copy = tempfile::tempdir().unwrap();
    let mut wget = Command::new("wget");
    wget.args([
        "--quiet",
        "--recursive",
        "--level=100",
        "--delete-after",
        "-P",
    ])
    .arg(copy.path())
    .arg(format!("{}/", nginx.url));
    // It answers 8 when a link leads to a page that does not exist.
    let ended = wget.status().unwrap();
    assert!(matches!(ended.code(), Some(0 | 8)), "{ended}");
    let is_page = |it: &&Logged| {
        let media_type = it.media_type.split(';').next().unwrap_or_default();
        it.status == 200 && ["text/html", "text/plain", "application/pdf"].contains(&media_type)
    };
    let wgets: BTreeSet<_> = nginx
        .logged()
        .iter()
        .filter(is_page)
        .map(|it| it.path.clone())
        .collect();
    assert!(wgets.len() > 100, "{wgets:?}");

    let config = json!({ "root_url": nginx.url, "max_depth": 100 });
    let setup = Setup::of(env!("CARGO_BIN_EXE_web")).config(config);
    let setup = setup.start().await;
    let ended = setup.sync(Full).await;
    assert_eq!(ended.failures(), 0, "{:?}", ended.report());
    let ids = setup.ids().await;
    let path = |id: &String| {
        let url = String::from_utf8(URL_SAFE_NO_PAD.decode(id).unwrap()).unwrap();
        url.strip_prefix(&nginx.url).unwrap().to_owned()
    };
    let ours: BTreeSet<_> = ids.iter().map(path).collect();
    assert_eq!(ours, wgets);
    eprintln!("{} pages, as wget finds them", ours.len());

    nginx.logged();
    let ended = setup.sync(Incremental).await;
    assert_eq!(
        ended.progress.effects.updated + ended.progress.effects.deleted,
        0
    );
    let again = nginx.logged();
    let known: Vec<_> = again.iter().filter(|it| ours.contains(&it.path)).collect();
    assert_eq!(known.len(), ours.len(), "one request a page");
    for request in known {
        assert_eq!((request.status, request.bytes), (304, 0), "{request:?}");
        assert_ne!(request.condition, "-", "{request:?}");
    }
}
