//! The development manager.
