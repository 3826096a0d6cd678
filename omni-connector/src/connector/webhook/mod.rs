//! The author's side of webhooks: the request, and the runs that it starts.

mod order;
mod request;

pub(crate) use order::{Order, OrderKind};
pub use order::{Webhook, WebhookCall};
pub use request::{WebhookRequest, sign_hmac_sha256, verify_hmac_sha256};
