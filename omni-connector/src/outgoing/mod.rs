//! What goes out: the client of the manager, and the HTTP client that connectors use for the systems they read.

mod buffers;
mod call;
mod error;
mod events;
mod http;
mod manager;
mod patience;
mod retry;
mod text;

pub use error::ManagerError;
pub(crate) use events::EventEncoder;
pub use http::HttpClient;
pub use manager::{Extract, ManagerClient};
pub use patience::Patience;
pub(crate) use retry::{Backoff, retry_after};
