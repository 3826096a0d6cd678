//! The connector as its own process, with a private Dovecot as the mail server and the development manager as the manager.
//! Without `dovecot` on the machine every test says that it is skipped.
#![cfg(unix)]

mod changes;
mod checks;
mod dovecot;
mod login;
mod odd_mails;
mod realtime;
mod relay;
mod support;
mod threads;
