//! A TLS server that no client should trust.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread::sleep,
};

use tempfile::TempDir;

use super::setup::POLL_INTERVAL;
use crate::ports::free_port;

/// A server at `https://localhost` whose certificate nobody else signed. It ends when this is dropped.
///
/// A connector that asks it has to refuse the address, name the setting and say that it is the certificate.
#[derive(Debug)]
pub struct SelfSigned {
    server: Child,
    port: u16,
    _folder: TempDir,
}

impl SelfSigned {
    /// Makes a key and a certificate, and starts the server. `None` where the program `openssl` is not installed: the
    /// test is then skipped, and its output says so.
    ///
    /// # Panics
    /// Panics if openssl makes no certificate or cannot be started as a server.
    #[must_use]
    pub fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder for the certificate");
        let openssl = |arguments: &str| {
            let mut command = Command::new("openssl");
            command.args(arguments.split(' ')).current_dir(&folder);
            command
        };
        let made = openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=self-signed -addext subjectAltName=DNS:localhost \
             -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem",
        )
        .output();
        let Ok(made) = made else {
            eprintln!("skipped: `openssl` is not installed");
            return None;
        };
        assert!(made.status.success(), "no certificate: {made:?}");
        let port = free_port().expect("a free port");
        let server = openssl(&format!(
            "s_server -quiet -www -accept 127.0.0.1:{port} -key key.pem -cert cert.pem"
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("openssl has just run");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            sleep(POLL_INTERVAL);
        }
        Some(Self {
            server,
            port,
            _folder: folder,
        })
    }

    /// The address to ask, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

impl Drop for SelfSigned {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
