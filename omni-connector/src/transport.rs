//! The HTTP client of connectors: reqwest with finite timeouts, and TLS without a system library.

use std::{ops::Deref, sync::Once, time::Duration};

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};

/// A [`reqwest::Client`] with a connection timeout of 10 s and a request timeout of 60 s. A request can change both, as can
/// an own client passed to [`HttpClient::from`]. Cheap to clone; one per process is enough.
///
/// It asks for answers that are not compressed, because it does not decompress them: without that header any coding would
/// do (RFC 9110, 12.5.3). An [`Api`](crate::http::Api) reads compressed answers.
///
/// Build clients through [`HttpClient::builder`]: `reqwest::Client::new` panics if no TLS provider is installed
/// yet.
#[derive(Debug, Clone)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// Creates a client with the defaults above.
    ///
    /// # Panics
    /// The system's TLS roots cannot be read at all, as in `reqwest::Client::new`.
    pub fn new() -> Self {
        Self(
            Self::builder()
                .timeout(Duration::from_mins(1))
                .build()
                .expect("the system's TLS roots can be read"),
        )
    }

    /// Returns a builder with a TLS provider installed; pass its client to `HttpClient::from`.
    pub fn builder() -> reqwest::ClientBuilder {
        static PROVIDER: Once = Once::new();
        // An error means that the process already installed another provider, which works as well.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("omni-connector/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(
                ACCEPT_ENCODING,
                HeaderValue::from_static("identity"),
            )]))
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
