//! A Dovecot for one test: loopback, a free port, a Maildir in a temporary folder, and one password for every user.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// No step of a test takes as long on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const USER: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "the-right-password";

/// The user id of `nobody`. Dovecot refuses to read mails as root.
const NOBODY: u32 = 65_534;

pub(crate) struct Dovecot {
    master: Child,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
    folder: TempDir,
}

impl Dovecot {
    /// Starts a server. None when Dovecot is not installed.
    pub(crate) fn start() -> Option<Self> {
        if Command::new("dovecot").arg("--version").output().is_err() {
            eprintln!("skipped: `dovecot` is not on this machine; tests/imap/run installs it");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        certify(folder.path());
        let mail = folder.path().join("mail");
        fs::create_dir(&mail).unwrap();
        let is_root = fs::metadata(&mail).unwrap().uid() == 0;
        if is_root {
            chown(&mail, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let (port, tls_port) = (free_port(), free_port());
        let config = folder.path().join("dovecot.conf");
        fs::write(&config, configuration(folder.path(), port, tls_port)).unwrap();
        let master = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            master,
            port,
            tls_port,
            folder,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{}", server.log());
            sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Takes all rights from a folder, until it is opened.
    pub(crate) fn close(&self, name: &str) -> Closed {
        let folder = self.folder.path().join("mail").join(name);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
        Closed(folder)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// A folder without rights.
pub(crate) struct Closed(PathBuf);

impl Closed {
    pub(crate) fn open(self) {
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700)).unwrap();
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Asked to end, the master ends its children; killed, it would leave them.
        let pid = self.master.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.master.wait();
    }
}

/// A person's mail program: speaks IMAP line by line.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn of(port: u16) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self(BufReader::new(socket));
        // Until its login process is ready, Dovecot greets more than once.
        while !client.line().contains("ready") {}
        client.ask(&format!("LOGIN {USER} {PASSWORD}"));
        client
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the server ended the connection");
        line
    }

    /// Sends a command, and gives back the lines of the answer. It must be a good one.
    pub(crate) fn ask(&mut self, command: &str) -> Vec<String> {
        self.send(format!("t {command}\r\n").as_bytes());
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line.starts_with("t ") {
                assert!(line.starts_with("t OK"), "{command}: {line}");
                return lines;
            }
            lines.push(line);
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// Adds a mail to a folder.
    pub(crate) fn append(&mut self, folder: &str, mail: &[u8]) {
        let mut command = format!("t APPEND {folder} {{{}+}}\r\n", mail.len()).into_bytes();
        command.extend_from_slice(mail);
        command.extend_from_slice(b"\r\n");
        self.send(&command);
        loop {
            let line = self.line();
            if line.starts_with("t ") {
                assert!(line.starts_with("t OK"), "{line}");
                return;
            }
        }
    }

    /// Removes a mail for good.
    pub(crate) fn expunge(&mut self, folder: &str, uid: u32) {
        self.ask(&format!("SELECT {folder}"));
        self.ask(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
        self.ask("EXPUNGE");
        self.ask("CLOSE");
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
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

fn configuration(folder: &Path, port: u16, tls_port: u16) -> String {
    let owner = fs::metadata(folder).unwrap();
    let (mut uid, mut gid, mut rights) = (NOBODY, NOBODY, String::new());
    if owner.uid() != 0 {
        (uid, gid) = (owner.uid(), owner.gid());
        let name = |flag: &str| {
            let output = Command::new("id").arg(flag).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        // Only root may change its user and its root folder.
        rights = format!(
            "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
             service anvil {{\n  chroot =\n}}\nservice imap-login {{\n  chroot =\n}}\n",
            user = name("-un"),
            group = name("-gn"),
        );
    }
    let settings = include_str!("../../../../tests/imap/dovecot.conf")
        .replace("FOLDER", &folder.display().to_string())
        .replace("PASSWORD", PASSWORD)
        .replace("OWNER", &uid.to_string())
        .replace("GROUP", &gid.to_string())
        .replace("PLAIN_PORT", &port.to_string())
        .replace("TLS_PORT", &tls_port.to_string());
    rights + &settings
}
