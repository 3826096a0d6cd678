//! The connection pool shared by all APIs of the process.

use std::sync::OnceLock;

use reqwest::Client;

use super::HttpClient;

/// Returns the client that sends requests. The kit handles redirects, retries, timeouts and compressed answers instead.
///
/// # Panics
/// Panics if the system's TLS roots cannot be read.
pub(super) fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        HttpClient::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_gzip()
            .no_deflate()
            .build()
            .expect("the system's TLS roots can be read")
    })
}
