//! Starts a mail server for one test, on loopback and free ports, with its files in a temporary folder and with one account.

use std::{
    fs,
    net::TcpStream,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use omni_connector_dev::testing::free_port;
use tempfile::TempDir;

use crate::{cyrus, dovecot};

/// No step of a test takes as long on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const USER: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "the-right-password";

/// The user and group id of `nobody`. Mail servers refuse to read mails as root.
const NOBODY: u32 = 65_534;

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Dovecot,
    Cyrus,
}

impl Kind {
    /// The server's name of a folder, such as `Projects/Harbour`. Cyrus has all folders below INBOX, with dots between the parts.
    pub(crate) fn raw(self, folder: &str) -> String {
        match self {
            Self::Cyrus if folder != "INBOX" => format!("INBOX.{}", folder.replace('/', ".")),
            _ => folder.to_owned(),
        }
    }
}

/// The ports, folder and owner of a server that is about to start.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
    /// The user id and group id that own the mails.
    pub(crate) owner: (u32, u32),
    pub(crate) is_root: bool,
    changes: &'a [(&'a str, &'a str)],
}

impl Place<'_> {
    /// Changes settings, and replaces the words that all files of settings have.
    pub(crate) fn fill(&self, settings: &str) -> String {
        let mut settings = settings.to_owned();
        for (from, to) in self.changes {
            settings = settings.replace(from, to);
        }
        settings
            .replace("FOLDER", &self.folder.display().to_string())
            .replace("PLAIN_PORT", &self.port.to_string())
            .replace("TLS_PORT", &self.tls_port.to_string())
    }

    /// Makes a folder that the server may write to.
    pub(crate) fn make(&self, name: &str) {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).unwrap();
        self.give(name);
    }

    /// Gives a file or folder to the server.
    pub(crate) fn give(&self, name: &str) {
        let (user, group) = self.owner;
        chown(self.folder.join(name), Some(user), Some(group)).unwrap();
    }
}

pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
    master: Child,
    folder: TempDir,
}

impl Server {
    /// Starts a server. None when it is not installed.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, &[])
    }

    /// Starts a server with changed settings: what is replaced in their files, and by what.
    pub(crate) fn start_with(kind: Kind, changes: &[(&str, &str)]) -> Option<Self> {
        let is_installed = match kind {
            Kind::Dovecot => dovecot::is_installed(),
            Kind::Cyrus => cyrus::is_installed(),
        };
        if !is_installed {
            eprintln!("skipped: {kind:?} is not on this machine; tests/imap/run installs it");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        certify(folder.path());
        let made = fs::metadata(folder.path()).unwrap();
        let is_root = made.uid() == 0;
        let place = Place {
            folder: folder.path(),
            port: free_port().unwrap(),
            tls_port: free_port().unwrap(),
            owner: if is_root {
                (NOBODY, NOBODY)
            } else {
                (made.uid(), made.gid())
            },
            is_root,
            changes,
        };
        let (port, tls_port) = (place.port, place.tls_port);
        let mut command = match kind {
            Kind::Dovecot => dovecot::command(&place),
            Kind::Cyrus => cyrus::command(&place),
        };
        let master = command.process_group(0).spawn().unwrap();
        let server = Self {
            kind,
            port,
            tls_port,
            master,
            folder,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{}", server.log());
            sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// The folder of the server's files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Signals the server's processes, which are a group.
    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.master.id());
        let _ = Command::new("kill").args([signal, "--", &group]).status();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked to end, the master ends its children; killed, it would leave them.
        self.signal("-TERM");
        let begun = Instant::now();
        while self.master.try_wait().is_ok_and(|ended| ended.is_none()) {
            // Cyrus sometimes waits for a connection that is gone.
            if begun.elapsed() > Duration::from_secs(3) {
                self.signal("-KILL");
                let _ = self.master.wait();
                return;
            }
            sleep(Duration::from_millis(10));
        }
    }
}

/// Makes a certificate that nobody else signed.
fn certify(folder: &Path) {
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=the mail server of a test",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// Asks `id` for the name of this process's user (`-un`) or group (`-gn`).
pub(crate) fn own_name(flag: &str) -> String {
    let output = Command::new("id").arg(flag).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
