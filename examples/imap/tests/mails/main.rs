//! The connector as its own process, with a private mail server and the development manager as the manager. Every test runs with Dovecot
//! and with Cyrus. Without a server on the machine, its tests say that they are skipped.
#![cfg(unix)]

#[macro_use]
mod support;

mod changes;
mod checks;
mod client;
mod cyrus;
mod dovecot;
mod login;
mod odd_mails;
mod offers;
mod realtime;
mod refused;
mod relay;
mod server;
mod threads;
