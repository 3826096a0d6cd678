//! The HTTP client of connectors: reqwest with timeouts that end, and TLS that needs no system library.

use std::{ops::Deref, sync::Once, time::Duration};

/// A [`reqwest::Client`] with a connection timeout of 10 s and a request timeout of 60 s, both of which a request or
/// [`HttpClient::from`] a client of one's own can change. Cheap to clone; one per process is enough.
///
/// Build clients through [`HttpClient::builder`] rather than `reqwest::Client::new`, which panics where no TLS provider has
/// been chosen yet.
#[derive(Debug, Clone)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// A client with the defaults above.
    ///
    /// # Panics
    /// When the system's TLS roots cannot be read at all, as `reqwest::Client::new` does.
    pub fn new() -> Self {
        Self(
            Self::builder()
                .timeout(Duration::from_mins(1))
                .build()
                .expect("the system's TLS roots can be read"),
        )
    }

    /// A builder in which TLS works; `HttpClient::from` takes what it builds.
    pub fn builder() -> reqwest::ClientBuilder {
        static PROVIDER: Once = Once::new();
        // An error means that the process has chosen a provider of its own, which is as good.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("omni-connector/", env!("CARGO_PKG_VERSION")))
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl From<reqwest::Client> for HttpClient {
    fn from(client: reqwest::Client) -> Self {
        Self(client)
    }
}

impl Deref for HttpClient {
    type Target = reqwest::Client;

    fn deref(&self) -> &reqwest::Client {
        &self.0
    }
}
