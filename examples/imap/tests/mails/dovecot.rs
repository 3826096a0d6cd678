//! Dovecot with a Maildir. Its folders have no prefix, and their delimiter is a slash.

use std::{
    fs,
    process::{Command, Stdio},
};

use crate::server::{PASSWORD, Place, own_name};

pub(crate) fn is_installed() -> bool {
    Command::new("dovecot").arg("--version").output().is_ok()
}

/// Writes the settings, and gives the command that serves.
pub(crate) fn command(place: &Place<'_>) -> Command {
    place.make("mail");
    let config = place.folder.join("dovecot.conf");
    fs::write(&config, configuration(place)).unwrap();
    let provider = place.fill(include_str!("../../../../tests/imap/oauth2.conf"));
    fs::write(place.folder.join("oauth2"), provider).unwrap();
    let mut command = Command::new("dovecot");
    command.arg("-F").arg("-c").arg(&config);
    command.stdin(Stdio::null());
    command
}

fn configuration(place: &Place<'_>) -> String {
    // Only root may change its user and its root folder.
    let rights = if place.is_root {
        String::new()
    } else {
        format!(
            "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
             service anvil {{\n  chroot =\n}}\nservice imap-login {{\n  chroot =\n}}\n",
            user = own_name("-un"),
            group = own_name("-gn"),
        )
    };
    let settings = place
        .fill(include_str!("../../../../tests/imap/dovecot.conf"))
        .replace("PASSWORD", PASSWORD)
        .replace("OWNER", &place.owner.0.to_string())
        .replace("GROUP", &place.owner.1.to_string());
    rights + &settings
}
