//! Passes the connector's lines on to the server: counts logins, and does something at a chosen line.

use std::{
    io::{BufRead, BufReader, Write, copy},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use crate::server::PASSWORD;

/// Something to do once, before a line with this text is passed on.
type Before = (String, Box<dyn FnOnce() -> Then + Send>);

/// What becomes of the line.
pub(crate) enum Then {
    PassOn,
    HangUp,
    /// The client gets these lines, with `TAG` for the tag of the command, and the server not the line.
    Answer(&'static str),
}

#[derive(Clone, Default)]
pub(crate) struct Relay(Arc<Inner>);

#[derive(Default)]
struct Inner {
    logins: AtomicUsize,
    /// The commands so far, without their tags and arguments.
    commands: Mutex<Vec<String>>,
    /// Logins and connections from now on have another password than the server.
    is_revoked: AtomicBool,
    before: Mutex<Option<Before>>,
    /// Every line with this text gets this answer, as of [`Then::Answer`].
    refused: Mutex<Option<(&'static str, &'static str)>>,
}

impl Relay {
    /// Begins to pass on to the server; the port to connect to.
    pub(crate) fn start(&self, server: u16) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let relay = self.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", server)))
                else {
                    return;
                };
                relay.connection(client, server);
            }
        });
        port
    }

    /// How often somebody tried to log in.
    pub(crate) fn logins(&self) -> usize {
        self.0.logins.load(Ordering::SeqCst)
    }

    /// The commands since the last time: their names.
    pub(crate) fn commands(&self) -> Vec<String> {
        std::mem::take(&mut self.0.commands.lock().unwrap())
    }

    /// From now on the server refuses the password.
    pub(crate) fn revoke(&self) {
        self.0.is_revoked.store(true, Ordering::SeqCst);
    }

    pub(crate) fn before(
        &self,
        text: impl Into<String>,
        act: impl FnOnce() -> Then + Send + 'static,
    ) {
        *self.0.before.lock().unwrap() = Some((text.into(), Box::new(act)));
    }

    /// From now on every line with this text gets this answer.
    pub(crate) fn refuse(&self, text: &'static str, answer: &'static str) {
        *self.0.refused.lock().unwrap() = Some((text, answer));
    }

    /// Whether the chosen line has come.
    pub(crate) fn has_acted(&self) -> bool {
        self.0.before.lock().unwrap().is_none()
    }

    fn connection(&self, client: TcpStream, server: TcpStream) {
        let (mut answers, mut into) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || {
            let _ = copy(&mut answers, &mut into);
            let _ = into.shutdown(Shutdown::Both);
        });
        let (relay, mut server) = (self.clone(), server);
        let mut back = client.try_clone().unwrap();
        thread::spawn(move || {
            let mut lines = BufReader::new(client);
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                let sent = match relay.at(&mut line) {
                    Then::PassOn => server.write_all(line.as_bytes()),
                    Then::HangUp => break,
                    Then::Answer(answer) => {
                        let tag = line.split_whitespace().next().unwrap();
                        let answer = answer.replace("TAG", tag).replace('\n', "\r\n");
                        back.write_all(format!("{answer}\r\n").as_bytes())
                    }
                };
                if sent.is_err() {
                    break;
                }
                line.clear();
            }
            let _ = server.shutdown(Shutdown::Both);
        });
    }

    fn at(&self, line: &mut String) -> Then {
        if let Some(command) = line.split_whitespace().nth(1) {
            self.0.commands.lock().unwrap().push(command.to_owned());
        }
        if line.contains(" LOGIN ") {
            self.0.logins.fetch_add(1, Ordering::SeqCst);
            if self.0.is_revoked.load(Ordering::SeqCst) {
                *line = line.replace(PASSWORD, "another-password");
            }
        }
        let mut before = self.0.before.lock().unwrap();
        if before
            .as_ref()
            .is_some_and(|(text, _)| line.contains(text.as_str()))
        {
            let (_, act) = before.take().unwrap();
            return act();
        }
        let refused = self
            .0
            .refused
            .lock()
            .unwrap()
            .filter(|it| line.contains(it.0));
        refused.map_or(Then::PassOn, |(_, answer)| Then::Answer(answer))
    }
}
