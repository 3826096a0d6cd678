//! A mail client, which changes the mailbox independently of the connector.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use crate::server::{Kind, PASSWORD, PATIENCE, Server, USER};

/// A mail client that sends IMAP commands line by line.
pub(crate) struct Client {
    kind: Kind,
    connection: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn of(server: &Server) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self {
            kind: server.kind,
            connection: BufReader::new(socket),
        };
        // Until its login process is ready, Dovecot greets more than once.
        while !client.line().contains("ready") {}
        client.ask(&format!("LOGIN {USER} {PASSWORD}"));
        client
    }

    /// The name of a folder as the server has it, in quotes.
    fn name(&self, folder: &str) -> String {
        let raw = self.kind.raw(folder);
        let escaped = raw.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.connection.read_line(&mut line).unwrap();
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
        self.connection.get_mut().write_all(bytes).unwrap();
    }

    /// Adds a mail to a folder.
    pub(crate) fn append(&mut self, folder: &str, mail: &[u8]) {
        let refused = self.try_append(folder, mail);
        assert_eq!(refused, None);
    }

    /// Adds a mail to a folder. Returns the answer of a server that refuses it.
    pub(crate) fn try_append(&mut self, folder: &str, mail: &[u8]) -> Option<String> {
        let folder = self.name(folder);
        let mut command = format!("t APPEND {folder} {{{}+}}\r\n", mail.len()).into_bytes();
        command.extend_from_slice(mail);
        command.extend_from_slice(b"\r\n");
        self.send(&command);
        loop {
            let line = self.line();
            if line.starts_with("t ") {
                return (!line.starts_with("t OK")).then_some(line);
            }
        }
    }

    pub(crate) fn create(&mut self, folder: &str) {
        let folder = self.name(folder);
        self.ask(&format!("CREATE {folder}"));
    }

    pub(crate) fn delete(&mut self, folder: &str) {
        let folder = self.name(folder);
        self.ask(&format!("DELETE {folder}"));
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let (from, to) = (self.name(from), self.name(to));
        self.ask(&format!("RENAME {from} {to}"));
    }

    /// Gives the account these rights in a folder, on a server that has rights of accounts.
    pub(crate) fn set_rights(&mut self, folder: &str, rights: &str) {
        let folder = self.name(folder);
        let (user, _) = USER.split_once('@').unwrap();
        self.ask(&format!("SETACL {folder} {user} {rights}"));
    }

    pub(crate) fn select(&mut self, folder: &str) {
        let folder = self.name(folder);
        self.ask(&format!("SELECT {folder}"));
    }

    /// Moves a mail to a folder.
    pub(crate) fn carry(&mut self, from: &str, uid: u32, to: &str) {
        self.select(from);
        let to = self.name(to);
        self.ask(&format!("UID MOVE {uid} {to}"));
    }

    /// Removes a mail for good.
    pub(crate) fn expunge(&mut self, folder: &str, uid: u32) {
        self.select(folder);
        self.ask(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
        self.ask("EXPUNGE");
        self.ask("CLOSE");
    }
}
