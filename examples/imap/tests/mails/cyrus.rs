//! Cyrus. Its folders have the prefix `INBOX.`, and their delimiter is a dot. It refuses malformed mails, and has access rights.

use std::{
    fs::{self, File},
    io::Write,
    process::{Command, Stdio},
};

use crate::server::{PASSWORD, Place, USER, own_name};

const MASTER: &str = "/usr/lib/cyrus/bin/master";
const ADD_ACCOUNT: &str = "/usr/sbin/saslpasswd2";
/// The variable with the folder of the programs that `tests/imap/run` unpacks. Debian does not install Cyrus together with Dovecot.
const PROGRAMS: &str = "IMAP_TEST_CYRUS";

pub(crate) fn is_installed() -> bool {
    std::env::var_os(PROGRAMS).is_some()
}

/// Writes the settings and the account, and gives the command that serves.
pub(crate) fn command(place: &Place<'_>) -> Command {
    for folder in ["state", "state/socket", "mail", "proc", "lock"] {
        place.make(folder);
    }
    add_account(place);
    // Cyrus reads its key and its accounts as the user of the mails, and writes a file for its process.
    for file in [".", "sasldb", "key.pem"] {
        place.give(file);
    }
    let owner = if place.is_root {
        "nobody".to_owned()
    } else {
        own_name("-un")
    };
    let (settings, processes) = (
        place.folder.join("imapd.conf"),
        place.folder.join("cyrus.conf"),
    );
    let filled = place.fill(include_str!("../../../../tests/imap/cyrus/imapd.conf"));
    fs::write(&settings, filled.replace("OWNER", &owner)).unwrap();
    let filled = place.fill(include_str!("../../../../tests/imap/cyrus/cyrus.conf"));
    let programs = std::env::var(PROGRAMS).unwrap();
    fs::write(&processes, filled.replace("PROGRAMS", &programs)).unwrap();
    let log = File::create(place.folder.join("log")).unwrap();
    let mut command = Command::new(MASTER);
    command.arg("-C").arg(settings).arg("-M").arg(processes);
    command.arg("-p").arg(place.folder.join("pid"));
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    command
}

fn add_account(place: &Place<'_>) {
    let (name, domain) = USER.split_once('@').unwrap();
    let mut added = Command::new(ADD_ACCOUNT)
        .args(["-p", "-c", "-u", domain, "-f"])
        .arg(place.folder.join("sasldb"))
        .arg(name)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = added.stdin.take().unwrap();
    input.write_all(PASSWORD.as_bytes()).unwrap();
    drop(input);
    assert!(added.wait().unwrap().success());
}
