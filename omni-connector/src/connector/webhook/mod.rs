//! Webhooks as an author sees them: the request that came in, and the orders that it leads to.

mod order;
mod request;

pub(crate) use order::{Order, OrderKind};
pub use order::{Webhook, WebhookCall};
pub use request::{WebhookRequest, verify_hmac_sha256};
