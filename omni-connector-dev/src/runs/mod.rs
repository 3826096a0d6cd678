//! The life of a sync run as the manager leads it: started, supervised, resumed, cancelled (`protocol.md` §5). Only the
//! connector completes a run.

mod dispatch;
mod trigger;

pub use trigger::TriggerError;
pub(crate) use trigger::{create, trigger};
