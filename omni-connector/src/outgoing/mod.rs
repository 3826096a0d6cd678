//! What goes out: the client of the manager, and the HTTP client that connectors use for the systems they read.

mod error;
mod http;
mod manager;
mod retry;

pub use error::ManagerError;
pub use http::HttpClient;
pub use manager::{Extract, ManagerClient};
