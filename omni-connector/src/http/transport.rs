//! The pool of connections that all APIs of the process share.

use std::sync::OnceLock;

use reqwest::Client;

use super::HttpClient;

/// The client that sends requests, and does nothing else: redirects, repeats and limits of time are the kit's.
///
/// # Panics
/// When the system's TLS roots cannot be read at all.
pub(super) fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        HttpClient::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .expect("the system's TLS roots can be read")
    })
}
